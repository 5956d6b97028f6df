from collections.abc import Iterable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vpp.bodies import NOW
from vpp.dispatch.desk import Desk, ended_answer
from vpp.dispatch.expected import Expected
from vpp.domain.override import Action, Answer, AnswerStatus, Override, Request
from vpp.domain.unit import Fallback, Kind, Unit
from vpp.records import Answered, Body, OverrideEnded, Received, Record, Withdrawn
from vpp.recovery import active_overrides, used_requests

UNITS = (Unit("b1", Kind.STORAGE, 100.0, 100.0, True, 10.0, Fallback.HOLD, 0.0, 200.0, 20.0, 180.0),)


def records(*bodies: Body) -> list[Record]:
    return [Record(seq, NOW, body, "") for seq, body in enumerate(bodies, 1)]


def request(name: str = "r1", seq: int = 1, operator: str = "ann", action: Action = Action.STOP) -> Request:
    return Request(name, operator, "site1", "b1", action, NOW, NOW + timedelta(minutes=5), 900.0, "test", seq)


def asked(one: Request) -> Received:
    return Received(one.operator, "{}", one)


def answered(one: Request, status: AnswerStatus, code: str = "ok", *, in_force: bool = False) -> Answered:
    until = NOW + timedelta(seconds=900)
    override = Override(one.id, one.operator, one.asset, one.action, None, one.reason, NOW, until) if in_force else None
    return Answered(Answer(one.id, one.operator, NOW, status, code, ""), override)


def test_an_answered_request_is_used_and_its_override_in_force_until_its_end() -> None:
    one = request(seq=7)
    written = records(asked(one), answered(one, AnswerStatus.ACCEPTED, in_force=True))
    used = used_requests(written)
    assert (used.ids, used.last_seq) == ({"r1"}, {"ann": 7})
    assert [o.request_id for o in active_overrides(written, NOW + timedelta(seconds=899))] == ["r1"]
    assert active_overrides(written, NOW + timedelta(seconds=900)) == ()


def test_an_ended_override_stays_ended() -> None:
    one = request()
    begun = [asked(one), answered(one, AnswerStatus.CLIPPED, "clipped", in_force=True)]
    assert active_overrides(records(*begun, OverrideEnded("ann", "r1", "released")), NOW) == ()
    assert active_overrides(records(*begun, answered(one, AnswerStatus.ENDED, "over")), NOW) == ()


def test_a_request_that_was_never_answered_may_come_again() -> None:
    assert used_requests(records(asked(request()))).ids == frozenset()


def test_a_rejected_request_cannot_be_played_back() -> None:
    one = request(seq=3)
    used = used_requests(records(asked(one), answered(one, AnswerStatus.REJECTED, "no_island")))
    assert (used.ids, used.last_seq) == ({"r1"}, {"ann": 3})


def test_a_forged_request_uses_up_nothing() -> None:
    forged = Received("ann", "not hers", None)
    answer = Answered(Answer("r9", "ann", NOW, AnswerStatus.REJECTED, "bad_signature", ""))
    used = used_requests(records(forged, answer))
    assert (used.ids, used.last_seq) == (frozenset(), {})


def test_a_withdrawn_answer_puts_nothing_in_force() -> None:
    one = request()
    written = records(asked(one), answered(one, AnswerStatus.ACCEPTED, in_force=True), Withdrawn(1, 2))
    assert active_overrides(written, NOW) == ()
    assert used_requests(written).ids == frozenset()


REQUESTS = st.builds(
    request,
    name=st.sampled_from(["r1", "r2", "r3", "r4"]),
    seq=st.integers(0, 6),
    operator=st.sampled_from(["ann", "bob"]),
    action=st.sampled_from([Action.STOP, Action.RELEASE, Action.PAUSE_MARKET, Action.ISLAND]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(REQUESTS, st.integers(0, 400), st.booleans()), max_size=12))
def test_a_desk_from_the_journal_knows_what_the_old_one_knew(course: list[tuple[Request, int, bool]]) -> None:
    desk, written, now = Desk("site1", UNITS), [], NOW
    for one, later_s, is_retained in course:
        now += timedelta(seconds=later_s)
        written += [Answered(answer) for answer in desk.end(now)]
        judgement = desk.judge(one, is_retained=is_retained, now=now, preview=lambda _: Expected({}))
        written += [asked(one), Answered(judgement.answer, judgement.added)]
        written += [Answered(ended_answer(o, now, "replaced", "")) for o in judgement.ended]
        desk.enact(judgement)
    again = from_journal(records(*written), now)
    assert again.overrides == desk.overrides
    assert again._used_ids == desk._used_ids
    assert again._last_seq == desk._last_seq


def from_journal(written: Iterable[Record], now: datetime) -> Desk:
    used = used_requests(written)
    return Desk("site1", UNITS, used.ids, used.last_seq, active_overrides(written, now))
