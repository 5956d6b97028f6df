"""A site in operation: turns on a clock, and plans when they are due. The same over a broker and in simulation."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from adapters.port import Incoming, Link, Outgoing
from adapters.protocols import dialect
from adapters.session import Session
from adapters.topics import Topics
from vpp.clock import Clock
from vpp.devices import Binding
from vpp.dispatch.desk import Desk
from vpp.dispatch.dispatcher import Dispatcher
from vpp.dispatch.feeds import NO_JOURNAL, FeedShelf, without_journal
from vpp.dispatch.ledger import Ledger
from vpp.dispatch.meter import Meter
from vpp.dispatch.post import Post
from vpp.dispatch.tick import Settings, Tick
from vpp.dispatch.turn import Recorder, Turn
from vpp.domain.course import Course
from vpp.domain.feed import Feed, FeedAnswer
from vpp.domain.override import Override
from vpp.domain.tariff import Counted
from vpp.domain.unit import Connection
from vpp.journal import JournalError
from vpp.planning import PlanAnswer, PlanRequest
from vpp.records import Entry, Planned
from vpp.replanning import Replanning
from vpp.series_names import bounds_of, series_of
from vpp.site import SiteFile, product_of

MOST_FEEDS = 16
"""So many feeds are taken in one go, so that no flood of them holds up a tick."""
LATE_KEPT = 4096
"""So many delays of ticks are kept to tell their spread."""


class Planner(Protocol):
    """Whoever makes plans."""

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """A plan, or why there is none; never raises."""


@dataclass(frozen=True)
class Remembered:
    """What the journal tells of earlier terms."""

    epoch: int
    used_ids: frozenset[str] = frozenset()
    last_seq: Mapping[str, int] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    feeds: tuple[Feed, ...] = ()
    course: Course | None = None
    discharged_today_kwh: Mapping[str, float] = field(default_factory=dict)
    """What each store has delivered since the local midnight."""
    stored_before_kwh: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Where the stored energy of each store turned."""
    counted: Mapping[str, Counted] = field(default_factory=dict)
    """What each entry of the tariff has counted."""


class Operation:
    """One term of leading one site.

    Args:
        site_path: The site file.
        site_file: What it says.
        remembered: What earlier terms left.
        clock: Which time it is.
        recorder: Where records go.
        planner: Who plans.
        make_link: Makes the connection to the broker for a session.
        instance: Names this process.
        awaits_plans: Whether the clock stands still while a plan is made, as in simulation.

    """

    def __init__(
        self,
        site_path: Path,
        site_file: SiteFile,
        remembered: Remembered,
        *,
        clock: Clock,
        recorder: Recorder,
        planner: Planner,
        make_link: Callable[[Session], Link],
        instance: str,
        awaits_plans: bool = False,
    ) -> None:
        self.clock, self._recorder, self._planner, self._awaits_plans = clock, recorder, planner, awaits_plans
        self.wake = asyncio.Event()
        self.settings = settings_of(site_file)
        desk = Desk(
            site_file.site.id, self.settings.units, remembered.used_ids, remembered.last_seq, remembered.overrides
        )
        self.dispatcher = Dispatcher(self.settings, remembered.epoch, desk)
        if remembered.course is not None and remembered.course.step_at(clock.now()) is not None:
            self.dispatcher.adopt(remembered.course, clock.now())
        dialects = {
            asset.id: dialect(site_file.devices.bindings.get(asset.id, Binding()).dialect) for asset in site_file.assets
        }
        self.post = Post(self.dispatcher, Topics(site_file.site.id), dialects, instance, _signal_kw(site_file))
        self.link = make_link(self._session(f"{instance}-{site_file.site.id}"[:64]))
        self.turn = Turn(self.dispatcher, self.post, self.link, recorder)
        self.ledger = Ledger(
            site_file.site.timezone,
            self.settings.units,
            clock.now(),
            remembered.discharged_today_kwh,
            remembered.stored_before_kwh,
        )
        step_s = 60 * site_file.site.step_minutes
        self.meter = Meter(site_file.site.timezone, step_s, site_file.tariff, clock.now(), remembered.counted)
        self.shelf = FeedShelf(bounds_of(site_file), remembered.feeds)
        files = [site_path, *(site_path.parent / source.file for _, source in series_of(site_file).values())]
        every_s = site_file.devices.replan_minutes * 60
        self.replanning = Replanning(self.dispatcher, self.ledger, self.meter, self.shelf, every_s=every_s, files=files)
        self._planning: asyncio.Task[None] | None = None
        self.late_s: list[float] = []
        """By how much the latest ticks came after their time."""

    async def lead(self, until: datetime | None = None, each: Callable[[Tick], None] | None = None) -> None:
        """Turn after turn, until an instant or for ever.

        Args:
            until: When to end, in UTC.
            each: Called after each turn.

        """
        next_s = self.clock.mono_s()
        while until is None or self.clock.now() < until:
            if not await self.clock.wait(next_s, self.wake):
                await self.turn.answer_requests(self.clock.now(), self.clock.mono_s())
                await self._take_feeds()
                self._wake_for_what_waits()
                continue
            self._note_lateness(self.clock.mono_s() - next_s)
            now, mono_s = self.clock.now(), self.clock.mono_s()
            tick = await self.turn.take(now, mono_s)
            self.ledger.add(tick, self.dispatcher.course, now, mono_s)
            self.meter.add(tick, now, mono_s)
            await self._take_feeds()
            self._wake_for_what_waits()
            await self._plan(now, mono_s)
            if each is not None:
                each(tick)
            next_s += self.settings.tick_s
            next_s = max(next_s, self.clock.mono_s())  # turns that were missed are not made up for

    async def stop(self) -> None:
        """End what still runs."""
        if self._planning is not None:
            self._planning.cancel()
            await asyncio.gather(self._planning, return_exceptions=True)

    def _session(self, client_id: str) -> Session:
        def receive(incoming: Incoming) -> None:
            self.post.receive(incoming, self.clock.now(), self.clock.mono_s())
            self._wake_for_what_waits()

        return Session(
            client_id=client_id,
            receive=receive,
            subscriptions=self.post.subscriptions(),
            greeting=self._greet,
            will=lambda: self.post.will(self.clock.now()),
        )

    def _wake_for_what_waits(self) -> None:
        if self.post.requests or self.post.feeds:
            self.wake.set()

    def _greet(self) -> Sequence[Outgoing]:
        """What is said first on a connection; set-points on their way over the one before may be lost."""
        self.dispatcher.leases.doubt()
        return self.post.greeting(self.clock.now())

    async def _take_feeds(self) -> None:
        """Answer and keep what came in by topic; a flood of it waits for the next call."""
        for _ in range(min(MOST_FEEDS, len(self.post.feeds))):
            feed = self.post.feeds.popleft()
            answer = feed if isinstance(feed, FeedAnswer) else await self._taken(feed)
            self.link.send(self.post.feed_answer(answer))
            if answer.code == NO_JOURNAL:
                return

    async def _taken(self, feed: Feed) -> FeedAnswer:
        record, answer = self.shelf.judge(feed, self.clock.now())
        try:
            await self._recorder.append([Entry(self.clock.now(), record)])
        except JournalError as error:
            return without_journal(feed, self.clock.now(), str(error))
        if answer.is_accepted:
            self.shelf.keep(feed)
            self.replanning.ask(f"new values of {feed.series}")
        return answer

    async def _plan(self, now: datetime, mono_s: float) -> None:
        """Have a plan made where one is due and none is being made."""
        if self._planning is not None and not self._planning.done():
            return
        request = self.replanning.due(now, mono_s)
        if request is None:
            return
        self._planning = asyncio.create_task(self._planned(request))
        if self._awaits_plans:
            await self._planning

    async def _planned(self, request: PlanRequest) -> None:
        answer = await self._planner.plan(request)
        now = self.clock.now()
        if answer.course is None:
            self.dispatcher.planning_failed(answer.failure or "no reason given", now)
            return
        try:
            ledger, meter = self.ledger, self.meter
            body = Planned(
                answer.course, dict(ledger.discharged_today_kwh), dict(ledger.stored_before_kwh), dict(meter.counted)
            )
            await self._recorder.append([Entry(now, body)])
        except JournalError as error:
            self.dispatcher.planning_failed(f"the plan could not be written down: {error}", now)
            return
        self.dispatcher.adopt(answer.course, now)
        self.link.send(self.post.plan(answer.course))

    def _note_lateness(self, late_s: float) -> None:
        if len(self.late_s) >= LATE_KEPT:
            del self.late_s[: LATE_KEPT // 2]
        self.late_s.append(late_s)


def settings_of(site_file: SiteFile) -> Settings:
    """How a site is run, from what its file says."""
    return Settings(
        site_id=site_file.site.id,
        units=tuple(asset.unit() for asset in site_file.assets),
        connection=Connection(site_file.connection.import_limit_kw, site_file.connection.highest_export_kw),
        tick_s=site_file.devices.tick_s,
        lease_s=site_file.devices.lease_s,
    )


def _signal_kw(site_file: SiteFile) -> dict[str, float]:
    """Power of a full signal of each capacity product that is held in a constant quantity."""
    found = {}
    for entry in site_file.markets:
        product = product_of(entry)
        if product is not None and product.kind == "capacity" and isinstance(entry.hold_kw, int | float):
            found[product.id] = float(entry.hold_kw)
    return found
