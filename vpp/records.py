"""What is written into the journal, and as which bytes?

A body is JSON of the dataclasses that the running dispatcher uses, and comes back equal to the last bit. Infinity,
which a unit without a ramp limit has, stands as the word `Infinity` without quotes, as Python's own JSON has it: as
text it could be taken for something else than a number.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter
from pydantic_core import to_json

from vpp.domain.alarm import Alarm
from vpp.domain.command import Command
from vpp.domain.course import Course
from vpp.domain.override import Answer, Override, Request
from vpp.domain.setpoint import Permit, Refusal
from vpp.domain.snapshot import Decision, Snapshot
from vpp.domain.tariff import Counted

PLAIN_BYTES = 512
"""Longer bodies are compressed: a snapshot repeats itself, and one is written each tick."""
_COMPRESSED = b"x"
"""First byte of zlib's format; JSON of a dataclass begins with a brace."""


class Kind(StrEnum):
    """What a record is about."""

    START = "start"
    STOP = "stop"
    PLAN = "plan"
    DECISION = "decision"
    COMMAND = "command"
    REQUEST = "request"
    ANSWER = "answer"
    OVERRIDE_ENDED = "override_ended"
    ALARM = "alarm"
    FEED = "feed"
    EVENT = "event"
    WITHDRAWN = "withdrawn"


class Body:
    """What a record says; each kind of record has one type of body."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Started(Body):
    """The dispatcher came up."""

    site_id: str
    instance: str
    epoch: int
    version: str


@dataclass(frozen=True, slots=True)
class Stopped(Body):
    """The dispatcher went down in order; a crash leaves no such record."""

    why: str


@dataclass(frozen=True, slots=True)
class Planned(Body):
    """A plan came in force."""

    course: Course
    discharged_today_kwh: Mapping[str, float] = field(default_factory=dict)
    """What each store had delivered by then on that local day."""
    stored_before_kwh: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Where the stored energy of each store had turned by then."""
    counted: Mapping[str, Counted] = field(default_factory=dict)
    """What each entry of the tariff that counts something had counted by then."""


def _which(outcome: Any) -> str:
    """Tell a permit from a refusal: only one of them has a power."""
    return "permit" if isinstance(outcome, Permit) or "export_kw" in outcome else "refusal"


_PermitOrRefusal = Annotated[
    Annotated[Permit, Tag("permit")] | Annotated[Refusal, Tag("refusal")], Discriminator(_which)
]


@dataclass(frozen=True, slots=True)
class Decided(Body):
    """One tick: what was known, what control wanted, and what safety made of it."""

    snapshot: Snapshot
    decision: Decision
    outcome: Mapping[str, _PermitOrRefusal]
    """By asset."""


@dataclass(frozen=True, slots=True)
class Commanded(Body):
    """A set-point is about to be sent."""

    command: Command


@dataclass(frozen=True, slots=True)
class Received(Body):
    """An operator's request as it arrived."""

    operator: str
    """Named by the topic."""
    payload: str
    """The message itself, signature included."""
    request: Request | None
    """What it asks for; `None` where that could not be read or its sender not proved, so that nobody can use up the
    ids and sequence numbers of another."""


@dataclass(frozen=True, slots=True)
class Answered(Body):
    """What an operator is told, and what comes in force with it."""

    answer: Answer
    override: Override | None = None
    """`None` where nothing comes in force."""


@dataclass(frozen=True, slots=True)
class OverrideEnded(Body):
    """An override is no longer in force."""

    operator: str
    request_id: str
    why: str


@dataclass(frozen=True, slots=True)
class AlarmChanged(Body):
    """An alarm was raised, changed or cleared."""

    alarm: Alarm
    is_cleared: bool


@dataclass(frozen=True, slots=True)
class FeedReceived(Body):
    """A series that came in by topic or file."""

    series: str
    start: datetime
    step_s: int
    values: tuple[float, ...]
    issued_at: datetime | None
    is_accepted: bool
    why: str = ""
    """Why it was refused; empty where it was not."""


@dataclass(frozen=True, slots=True)
class Event(Body):
    """Something worth knowing later that demands no response."""

    code: str
    asset: str
    """Id of an asset, or `site`."""
    message: str


@dataclass(frozen=True, slots=True)
class Withdrawn(Body):
    """Records that were written after their writer had given up and acted as if they were not: they do not count."""

    first_seq: int
    last_seq: int


_TYPES: dict[Kind, type[Body]] = {
    Kind.START: Started,
    Kind.STOP: Stopped,
    Kind.PLAN: Planned,
    Kind.DECISION: Decided,
    Kind.COMMAND: Commanded,
    Kind.REQUEST: Received,
    Kind.ANSWER: Answered,
    Kind.OVERRIDE_ENDED: OverrideEnded,
    Kind.ALARM: AlarmChanged,
    Kind.FEED: FeedReceived,
    Kind.EVENT: Event,
    Kind.WITHDRAWN: Withdrawn,
}
_KINDS = {body: kind for kind, body in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be written."""

    at: datetime
    """Wall clock, in UTC."""
    body: Body


@dataclass(frozen=True, slots=True)
class Record:
    """Something that was written."""

    seq: int
    """Place in the journal, counted from 1 without a gap."""
    at: datetime
    """Wall clock, in UTC."""
    body: Body
    hash: str
    """SHA-256 over the previous record's hash and this record, in hexadecimal."""

    @property
    def kind(self) -> Kind:
        """What it is about."""
        return _KINDS[type(self.body)]


@dataclass(frozen=True, slots=True)
class Encoded:
    """An entry as the bytes that are stored and hashed."""

    at: str
    kind: str
    body: bytes


def encode(entry: Entry) -> Encoded:
    """Turn an entry into its bytes."""
    kind = _KINDS[type(entry.body)]
    # Not by the adapter: inside a union, such as permit or refusal, that writes infinity as null.
    body = to_json(entry.body, inf_nan_mode="constants", fallback=dict)
    if len(body) > PLAIN_BYTES:
        body = zlib.compress(body, level=1)
    return Encoded(entry.at.astimezone(UTC).isoformat(timespec="microseconds"), kind.value, body)


def decode(seq: int, encoded: Encoded, digest: bytes) -> Record:
    """Turn stored bytes into a record.

    Raises:
        ValueError: no such kind, no such instant, or a body that is not what its kind says.

    """
    kind, at = Kind(encoded.kind), datetime.fromisoformat(encoded.at)
    return Record(seq, at, _ADAPTERS[kind].validate_json(plain(encoded.body)), digest.hex())


def plain(body: bytes) -> bytes:
    """A body's JSON.

    Raises:
        ValueError: it was compressed, and what is there does not unpack.

    """
    if not body.startswith(_COMPRESSED):
        return body
    try:
        return zlib.decompress(body)
    except zlib.error as error:
        raise ValueError(f"the body does not unpack: {error}") from error


_ADAPTERS: dict[Kind, TypeAdapter[Any]] = {kind: TypeAdapter(body) for kind, body in _TYPES.items()}
