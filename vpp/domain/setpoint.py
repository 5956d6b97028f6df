"""What is wanted of an asset, and what is allowed?

Control makes a `Setpoint`. Only `vpp.safety` makes a `Permit`, and a device takes nothing else, so that the type
checker refuses a command that was not checked.
"""

from dataclasses import dataclass
from enum import StrEnum

from vpp.domain.unit import Mode


class Owner(StrEnum):
    """Who wants it."""

    PLAN = "plan"
    OVERRIDE = "override"
    SIGNAL = "signal"
    RULE = "rule"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What control wants an asset to do now."""

    asset_id: str
    export_kw: float
    owner: Owner
    why: str
    """The reason in words, for people."""
    mode: Mode = Mode.GFL


@dataclass(frozen=True, slots=True)
class Permit:
    """What an asset may be told to do."""

    asset_id: str
    export_kw: float
    mode: Mode
    lease_s: float
    """How long it holds from receipt."""
    ramp_kw_per_s: float
    owner: Owner
    why: str
    narrowed_by: str | None = None
    """Which limit moved it away from what was wanted; `None` where none did."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing may be sent to an asset; its lease runs out and it falls back."""

    asset_id: str
    why: str
