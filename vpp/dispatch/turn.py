"""One turn of the loop: judge requests, freeze, decide, permit, journal, apply; the same live and in simulation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from adapters.port import Link
from adapters.protocols.vpp import command_of
from vpp.dispatch.desk import Judgement, ended_answer, without_journal
from vpp.dispatch.dispatcher import Dispatcher
from vpp.dispatch.post import Asked, Post
from vpp.dispatch.tick import Tick
from vpp.domain.override import SITE, Answer, AnswerStatus
from vpp.journal import JournalError
from vpp.records import AlarmChanged, Answered, Commanded, Decided, Entry, OverrideEnded, Received

MOST_REQUESTS = 16
"""So many requests are judged in one go, so that no flood of them holds up a tick."""
STATUS_EVERY_S = 1.0
"""The status is published so often, and at once where who is in control changes."""


class Recorder(Protocol):
    """Where records go."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Write records down; they are on disk when this returns.

        Raises:
            JournalError: they are not.

        """


class Turn:
    """The loop's inside.

    Args:
        dispatcher: The site.
        post: Its messages.
        link: Where messages go.
        recorder: Where records go.

    """

    def __init__(self, dispatcher: Dispatcher, post: Post, link: Link, recorder: Recorder) -> None:
        self._dispatcher, self._post, self._link, self._recorder = dispatcher, post, link, recorder
        self.unrecorded_count = 0
        """Decisions that went out although they could not be written down."""
        self._status_at_s = -STATUS_EVERY_S
        self._told: tuple[object, ...] = ()

    async def take(self, now: datetime, mono_s: float) -> Tick:
        """One turn."""
        await self.answer_requests(now, mono_s)
        tick = self._dispatcher.tick(now, mono_s)
        await self._end_overrides(tick, now)
        if tick.due:
            await self._apply(tick, now, mono_s)
        while self._post.to_clear:
            self._link.send(self._post.to_clear.popleft())
        await self._publish_alarms(now)
        self._tell(tick, now, mono_s)
        return tick

    async def answer_requests(self, now: datetime, mono_s: float) -> None:
        """Judge what operators asked for, the oldest first; the rest waits for the next call.

        What is answered with yes is on disk before the answer goes out. A disk that hangs is waited for only once.
        """
        for _ in range(min(MOST_REQUESTS, len(self._post.requests))):
            asked = self._post.requests.popleft()
            if asked.request is None or asked.refusal is not None:
                is_written = await self._refuse(asked, now)
            else:
                judgement = self._dispatcher.judge(asked.request, is_retained=asked.is_retained, now=now, mono_s=mono_s)
                is_written = await self._record_and_enact(asked, judgement, now)
            if not is_written:
                return

    async def _record_and_enact(self, asked: Asked, judgement: Judgement, now: datetime) -> bool:
        """Put a judgement on disk, in force, and out; whether it could be written."""
        if not await self._is_recorded(_entries(asked, judgement, now), now):
            self._link.send(self._post.answer(without_journal(judgement).answer))
            return False
        self._dispatcher.enact(judgement)
        self._link.send(self._post.answer(judgement.answer))
        for override in judgement.ended:
            by = f"ended by request {judgement.request.id} of {judgement.request.operator}"
            self._link.send(self._post.answer(ended_answer(override, now, "replaced", by)))
        return True

    async def _refuse(self, asked: Asked, now: datetime) -> bool:
        """Answer a request that could not be read; whether that could be written."""
        refusal = asked.refusal
        assert refusal is not None, "only an unreadable request comes without one"
        received = Received(asked.operator, asked.payload, None)
        is_written = await self._is_recorded([Entry(now, received), Entry(now, Answered(refusal))], now)
        self._link.send(self._post.answer(refusal))
        return is_written

    async def _is_recorded(self, entries: Sequence[Entry], now: datetime) -> bool:
        """Write records down, or say in an alarm that it failed."""
        try:
            await self._recorder.append(entries)
        except JournalError as error:
            self._dispatcher.alarms.set("journal_failed", SITE, f"the journal cannot be written: {error}", now)
            return False
        self._dispatcher.alarms.clear("journal_failed", SITE)
        return True

    async def _end_overrides(self, tick: Tick, now: datetime) -> None:
        if not tick.ended:
            return
        await self._is_recorded([Entry(now, _over(answer)) for answer in tick.ended], now)
        for answer in tick.ended:
            self._link.send(self._post.answer(answer))

    async def _apply(self, tick: Tick, now: datetime, mono_s: float) -> None:
        """Send what is due, after it is written down; a journal that fails does not stop it."""
        decided = Decided(tick.snapshot, tick.decision, tick.outcome)
        commands = [Commanded(command_of(permit, stamp)) for permit, stamp in tick.due]
        if not await self._is_recorded([Entry(now, decided), *(Entry(now, command) for command in commands)], now):
            self.unrecorded_count += 1
        for permit, stamp in tick.due:
            self._dispatcher.sent(permit, stamp, mono_s)
            if not self._link.send(self._post.command(permit, stamp)):
                self._dispatcher.unsent(permit.asset_id)

    async def _publish_alarms(self, now: datetime) -> None:
        """Tell what changed; that it cannot be written down is an alarm of its own, told in the next turn."""
        changes = self._dispatcher.alarms.take_changes()
        if not changes:
            return
        for change in changes:
            self._link.send(self._post.alarm(change.alarm, now, is_cleared=change.is_cleared))
        await self._is_recorded([Entry(now, AlarmChanged(c.alarm, c.is_cleared)) for c in changes], now)

    def _tell(self, tick: Tick, now: datetime, mono_s: float) -> None:
        told = (tick.decision.in_control, tick.decision.rung, tick.snapshot.course_id, tick.snapshot.overrides)
        if told != self._told or mono_s - self._status_at_s >= STATUS_EVERY_S:
            self._told, self._status_at_s = told, mono_s
            self._link.send(self._post.status(now, mono_s))


def _entries(asked: Asked, judgement: Judgement, now: datetime) -> list[Entry]:
    override = judgement.added if judgement.answer.status is not AnswerStatus.REJECTED else None
    received = Received(asked.operator, asked.payload, judgement.request)
    by = f"request {judgement.request.id}"
    ended = [Entry(now, OverrideEnded(o.operator, o.request_id, by)) for o in judgement.ended]
    return [Entry(now, received), Entry(now, Answered(judgement.answer, override)), *ended]


def _over(answer: Answer) -> OverrideEnded:
    return OverrideEnded(answer.operator, answer.id, answer.message)
