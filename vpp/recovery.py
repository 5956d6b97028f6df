"""What must an operator find again after a restart: requests that were used, and overrides in force?

Both read records of the kinds named here, in their order; the journal's index finds them among many decisions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from vpp.domain.override import AnswerStatus, Override, Request
from vpp.records import Answered, Kind, OverrideEnded, Received, Record, Withdrawn

KINDS = (Kind.REQUEST, Kind.ANSWER, Kind.OVERRIDE_ENDED, Kind.WITHDRAWN)
"""Records that the functions here need."""
NOT_USED = ("used_id", "used_seq", "retained")
"""Codes of answers that leave a request's id and number as they were."""


@dataclass(frozen=True, slots=True)
class Used:
    """Requests that must not be accepted again."""

    ids: frozenset[str]
    last_seq: Mapping[str, int]
    """Highest of each operator."""


def used_requests(records: Iterable[Record]) -> Used:
    """Requests that were answered, whatever the answer.

    One that was never answered had no effect, and may come again.
    """
    asked: dict[tuple[str, str], Request] = {}
    ids: set[str] = set()
    last_seq: dict[str, int] = {}
    for record in standing(records):
        match record.body:
            case Received(request=Request() as request):
                asked[request.operator, request.id] = request
            case Answered(answer=answer) if answer.status is not AnswerStatus.ENDED and answer.code not in NOT_USED:
                answered = asked.get((answer.operator, answer.id))
                if answered is not None:
                    ids.add(answered.id)
                    last_seq[answered.operator] = max(answered.seq, last_seq.get(answered.operator, answered.seq))
    return Used(frozenset(ids), last_seq)


def active_overrides(records: Iterable[Record], now: datetime) -> tuple[Override, ...]:
    """Overrides that came in force, were not ended, and hold beyond `now`; the oldest first."""
    active: dict[tuple[str, str], Override] = {}
    for record in standing(records):
        match record.body:
            case Answered(override=Override() as override):
                active[override.operator, override.request_id] = override
            case Answered(answer=answer) if answer.status is AnswerStatus.ENDED:
                active.pop((answer.operator, answer.id), None)
            case OverrideEnded(operator=operator, request_id=request_id):
                active.pop((operator, request_id), None)
    return tuple(override for override in active.values() if override.until > now)


def standing(records: Iterable[Record]) -> list[Record]:
    """Records without those that were withdrawn."""
    found = list(records)
    gone: set[int] = set()
    for record in found:
        if isinstance(record.body, Withdrawn):
            gone.update(range(record.body.first_seq, record.body.last_seq + 1))
    return [record for record in found if record.seq not in gone]
