"""What does an operator ask for, what is in force, and what is the answer?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_S = 4 * 3600
"""No override holds longer without being renewed."""
SITE = "site"
"""The asset that stands for the whole site."""


class Action(StrEnum):
    """What may be asked for."""

    SET_EXPORT_KW = "set_export_kw"
    LIMIT_KW = "limit_kw"
    STOP = "stop"
    RELEASE = "release"
    SET_MODE = "set_mode"
    ISLAND = "island"
    RECONNECT = "reconnect"
    BLACK_START = "black_start"
    RESET_TRIP = "reset_trip"
    ACK_ALARM = "ack_alarm"
    SHELVE_ALARM = "shelve_alarm"
    PAUSE_MARKET = "pause_market"
    RESUME_MARKET = "resume_market"


@dataclass(frozen=True, slots=True)
class Request:
    """What an operator sent."""

    id: str
    operator: str
    site: str
    asset: str
    """Id of an asset, or `site`."""
    action: Action
    at: datetime
    expires: datetime
    """Until when it may be accepted."""
    duration_s: float
    """How long it holds."""
    reason: str
    seq: int
    value: float | str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A request in force."""

    request_id: str
    operator: str
    asset: str
    action: Action
    value: float | str | None
    reason: str
    since: datetime
    until: datetime


class AnswerStatus(StrEnum):
    """What became of a request."""

    ACCEPTED = "accepted"
    CLIPPED = "clipped"
    REJECTED = "rejected"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a request comes to."""

    asset: str
    export_kw: float | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the operator is told."""

    id: str
    operator: str
    at: datetime
    status: AnswerStatus
    code: str
    message: str
    effective: Effect | None = None
