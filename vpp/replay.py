"""Would the program decide again as it did? Recomputes every decision of a journal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from vpp.domain.course import Course
from vpp.domain.snapshot import Decision, Outcome, Snapshot
from vpp.records import Decided, Kind, Planned, Record

KINDS = (Kind.PLAN, Kind.DECISION)
"""Records that are needed."""
_ABSENT = "nothing"

Decide = Callable[[Snapshot, Course | None], Decision]
Permits = Callable[[Snapshot, Decision], Outcome]


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that comes out otherwise than it was journalled."""

    seq: int
    """Of the decision's record."""
    at: str
    """Instant of the decision."""
    path: str
    """Place of the value, such as `decision.setpoints.bess1.export_kw`."""
    journalled: str
    recomputed: str


def replay(records: Iterable[Record], decide: Decide, permit: Permits) -> Iterator[Difference]:
    """Recompute the decisions among records.

    Args:
        records: Plans and decisions, in their order; a decision finds its plan among those before it.
        decide: What control makes of a snapshot and the course that it names.
        permit: What safety makes of a snapshot and the journalled decision, so that a difference in the one does not
            show again in the other.

    Returns:
        Every value that differs, none where all come out the same.

    """
    courses: dict[str, Course] = {}
    for record in records:
        match record.body:
            case Planned(course=course):
                courses[course.id] = course
            case Decided(snapshot, decision, outcome):
                name = snapshot.course_id
                if name is not None and name not in courses:
                    yield _difference(record, "snapshot.course_id", name, "no such plan in the journal")
                    continue
                followed = None if name is None else courses[name]
                yield from _compare(record, "decision", decision, decide(snapshot, followed))
                yield from _compare(record, "outcome", outcome, permit(snapshot, decision))


def _compare(record: Record, path: str, journalled: Any, recomputed: Any) -> Iterator[Difference]:
    """Differences in depth. A number that is none equals itself here, and a zero keeps its sign."""
    if isinstance(journalled, Mapping) and isinstance(recomputed, Mapping):
        for key in sorted({*journalled, *recomputed}):
            here = f"{path}.{key}"
            yield from _compare(record, here, journalled.get(key, _ABSENT), recomputed.get(key, _ABSENT))
    elif is_dataclass(journalled) and type(journalled) is type(recomputed):
        for field in fields(journalled):
            here = f"{path}.{field.name}"
            yield from _compare(record, here, getattr(journalled, field.name), getattr(recomputed, field.name))
    elif _are_numbers(journalled, recomputed):
        if repr(float(journalled)) != repr(float(recomputed)):
            yield _difference(record, path, journalled, recomputed)
    elif journalled != recomputed:
        yield _difference(record, path, journalled, recomputed)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _difference(record: Record, path: str, journalled: Any, recomputed: Any) -> Difference:
    return Difference(record.seq, record.at.isoformat(), path, str(journalled), str(recomputed))
