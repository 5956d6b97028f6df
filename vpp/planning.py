"""What passes between the running site and the process that plans for it?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from vpp.domain.course import Course
from vpp.domain.feed import Feed
from vpp.domain.tariff import SoFar


@dataclass(frozen=True, slots=True)
class Stored:
    """What was measured of a store."""

    stored_kwh: float
    discharged_today_kwh: float = 0.0
    """At the AC terminals, since local midnight."""
    export_kw: float | None = None
    """Power at the meter; `None` where it is not known now."""
    stored_before_kwh: tuple[float, ...] = ()
    """Where it turned before, the oldest first."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Plan the coming day."""

    now: datetime
    """Where the plan begins, in UTC."""
    stores: Mapping[str, Stored]
    feeds: Mapping[str, tuple[Feed, ...]]
    """What came in by topic, by name of the series, the newest last."""
    excluded: tuple[str, ...] = ()
    """Stores that cannot be counted on: they are planned at rest."""
    so_far: Mapping[str, SoFar] = field(default_factory=dict)
    """What was counted before, by id of the entry of the tariff."""


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """A plan, or why there is none."""

    course: Course | None
    failure: str | None = None


_REQUEST: TypeAdapter[PlanRequest] = TypeAdapter(PlanRequest)
_ANSWER: TypeAdapter[PlanAnswer] = TypeAdapter(PlanAnswer)


def request_line(request: PlanRequest) -> bytes:
    """A request as one line."""
    return _REQUEST.dump_json(request) + b"\n"


def read_request(line: bytes) -> PlanRequest:
    """A request from its line."""
    return _REQUEST.validate_json(line)


def answer_line(answer: PlanAnswer) -> bytes:
    """An answer as one line."""
    return _ANSWER.dump_json(answer) + b"\n"


def read_answer(line: bytes) -> PlanAnswer:
    """An answer from its line."""
    return _ANSWER.validate_json(line)
