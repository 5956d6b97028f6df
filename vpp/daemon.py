"""The dispatcher as a daemon: where all parts meet, and the only event loop of our own."""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from pathlib import Path

from adapters.address import Address, TlsFiles
from adapters.broker import EmbeddedBroker
from adapters.mqtt import MqttLink
from adapters.session import Session
from adapters.topics import Topics
from vpp import __version__
from vpp.clock import Clock
from vpp.devices import Broker
from vpp.dispatch.feeds import KEPT_FOR
from vpp.dispatch.tick import Tick
from vpp.domain.errors import HeldError, InputError
from vpp.domain.feed import Feed
from vpp.journal import Journal, JournalError
from vpp.journal_writer import JournalWriter
from vpp.measured import counted, discharged_today_kwh, stored_before_kwh
from vpp.operation import Operation, Remembered
from vpp.planner_process import PlannerProcess
from vpp.records import Entry, FeedReceived, Kind, Planned, Record, Started, Stopped
from vpp.recovery import KINDS, active_overrides, standing, used_requests
from vpp.site import SiteFile, parse_site
from vpp.state_folder import StateFolder, broker_in, folder_beside
from vpp.telemetry_store import TelemetryStore

JOURNAL_DEADLINE_S = 2.0
"""A record that is not on disk by then counts as not written."""
PLAN_DEADLINE_S = 120.0
"""A plan that takes longer is given up, unless the site file's time limit says otherwise."""
PLANS_READ = 8
"""So many of the last plans are looked at for one that counts."""
FAREWELL_S = 3.0
"""How long the last messages may take."""


@dataclass(frozen=True)
class Leading:
    """What a caller is told when the site is being led."""

    operation: Operation
    link: MqttLink
    address: Address
    planner: PlannerProcess


@dataclass(frozen=True)
class _Site:
    """A site before it is led."""

    path: Path
    file: SiteFile
    remembered: Remembered
    clock: Clock


def read_site(path: Path) -> SiteFile:
    """A site file without a fault of its own.

    Raises:
        InputError: with every fault.

    """
    _, site_file, faults = parse_site(path)
    if site_file is None:
        raise InputError(faults, "nothing was started")
    return site_file


async def run_site(
    site_path: Path,
    state_path: Path,
    clock: Clock,
    *,
    on_start: Callable[[Leading], None] | None = None,
    each: Callable[[Tick], None] | None = None,
    stop: asyncio.Event | None = None,
) -> str:
    """Lead a site until the process is told to stop.

    Args:
        site_path: The site file.
        state_path: Folder of the journal, the epoch and the lock.
        clock: Which time it is.
        on_start: Told once everything is in place.
        each: Called after every tick.
        stop: Ends it when set, beside SIGTERM and SIGINT.

    Returns:
        What ended it: the name of a signal, or `stop`.

    Raises:
        InputError: the site file has a fault.
        HeldError: another process holds the state folder.
        JournalError: the journal cannot be opened.
        UnreachableBrokerError: there is no broker.

    """
    site_file = read_site(site_path)
    stop = stop or asyncio.Event()
    with _state(state_path) as (folder, journal):
        store = TelemetryStore(folder.telemetry)
        remembered = remember(journal, folder, store, site_file, clock.now())
        writer = JournalWriter(journal, JOURNAL_DEADLINE_S)
        planner = PlannerProcess(site_path, site_file.planning.time_limit_s or PLAN_DEADLINE_S)
        try:
            await planner.start()
            with _broker(site_file, state_path) as address, ending(stop) as ended_by:
                site = _Site(site_path, site_file, remembered, clock)
                async with _led(site, planner, writer, address) as started:
                    if on_start is not None:
                        on_start(started)
                    await _lead(started, store, each, stop)
                    return ended_by[0] if ended_by else "stop"
        finally:
            await planner.stop()
            store.close()
            writer.close()


@contextmanager
def _state(path: Path) -> Iterator[tuple[StateFolder, Journal]]:
    folder = StateFolder(path)
    try:
        yield folder, Journal(folder.journal)
    finally:
        folder.close()


def remember(
    journal: Journal, folder: StateFolder, store: TelemetryStore, site_file: SiteFile, now: datetime
) -> Remembered:
    """What earlier terms left: requests used, overrides in force, feeds, the plan that was followed, what was counted.

    Only the last days are read, and the last plans: what an operator sent before has expired, whatever its id, so that
    a start takes no longer after years.
    """
    oldest = now - KEPT_FOR
    latest_plans = list(islice(journal.newest(Kind.PLAN), PLANS_READ))
    gone = list(_since(journal, Kind.WITHDRAWN, min([oldest, *(plan.at for plan in latest_plans)])))
    records = sorted((r for kind in KINDS for r in _since(journal, kind, oldest)), key=lambda record: record.seq)
    feeds = standing([*_since(journal, Kind.FEED, oldest), *gone])
    planned = next((r for r in standing([*latest_plans, *gone]) if isinstance(r.body, Planned)), None)
    started = next(iter(journal.newest(Kind.START)), None)
    used = used_requests(records)
    return Remembered(
        epoch=folder.next_epoch(started.body.epoch if started and isinstance(started.body, Started) else 0),
        used_ids=used.ids,
        last_seq=used.last_seq,
        overrides=active_overrides(records, now),
        feeds=tuple(_feeds(reversed(feeds))),
        course=planned.body.course if planned and isinstance(planned.body, Planned) else None,
        discharged_today_kwh=discharged_today_kwh(planned, store, site_file, now),
        stored_before_kwh=stored_before_kwh(planned, store, site_file, now),
        counted=counted(planned, store, site_file, now),
    )


def _since(journal: Journal, kind: Kind, oldest: datetime) -> Iterator[Record]:
    """Records of one kind from an instant on, the newest first."""
    return takewhile(lambda record: record.at > oldest, journal.newest(kind))


def _feeds(records: Iterable[Record]) -> Iterator[Feed]:
    for record in records:
        body = record.body
        if isinstance(body, FeedReceived) and body.is_accepted and body.issued_at is not None:
            yield Feed(body.series, body.start, round(body.step_s), body.values, body.issued_at)


@contextmanager
def _broker(site_file: SiteFile, state_path: Path) -> Iterator[Address]:
    """The broker of the site, or one of our own, whose address is left in the state folder for others to find."""
    if isinstance(site_file.devices.broker, Broker):
        yield address_of(site_file.devices.broker)
        return
    told = broker_in(state_path)
    with EmbeddedBroker() as embedded:
        told.write_text(embedded.url, "ascii")
        try:
            yield Address.from_url(embedded.url)
        finally:
            told.unlink(missing_ok=True)


def address_of(broker: Broker) -> Address:
    """A broker as a client needs to know it."""
    tls = broker.tls
    files = None if tls is None else TlsFiles(Path(tls.ca), _path(tls.cert), _path(tls.key))
    return Address.from_url(broker.url, files)


def address_for(site_path: Path, site_file: SiteFile) -> Address:
    """Where the broker of a site is, also where it lives inside a dispatcher with the default state folder.

    Raises:
        HeldError: it lives inside a dispatcher, and none runs.

    """
    if isinstance(site_file.devices.broker, Broker):
        return address_of(site_file.devices.broker)
    told = broker_in(folder_beside(site_path))
    if not told.is_file():
        thing = f"the broker of site {site_file.site.id}"
        raise HeldError(thing, "lives inside the dispatcher, and none runs", f"Start one with: vpp run {site_path}")
    return Address.from_url(told.read_text("ascii"))


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


@contextmanager
def ending(stop: asyncio.Event) -> Iterator[list[str]]:
    """Let SIGTERM and Ctrl-C end the loop in order; a second one ends the process at once.

    Yields:
        Names of the signals that came.

    """
    loop = asyncio.get_running_loop()
    came: list[str] = []

    def end(number: int) -> None:
        loop.remove_signal_handler(number)
        came.append(signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    try:
        yield came
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _led(site: _Site, planner: PlannerProcess, writer: JournalWriter, address: Address) -> AsyncIterator[Leading]:
    """A site with its connection up; it goes down in order at the end."""
    site_file, clock, remembered = site.file, site.clock, site.remembered
    instance = uuid.uuid4().hex[:12]
    topics = Topics(site_file.site.id)

    def make_link(session: Session) -> MqttLink:
        return MqttLink(address, session, topics.heartbeat(session.client_id))

    operation = Operation(
        site.path,
        site_file,
        remembered,
        clock=clock,
        recorder=writer,
        planner=planner,
        make_link=make_link,
        instance=instance,
    )
    link = operation.link
    assert isinstance(link, MqttLink), "make_link makes no other"
    await writer.append([Entry(clock.now(), Started(site_file.site.id, instance, remembered.epoch, __version__))])
    running = asyncio.create_task(link.run())
    up = asyncio.create_task(link.wait_up())
    try:
        await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        yield Leading(operation, link, address, planner)
        with contextlib.suppress(JournalError):
            await writer.append([Entry(clock.now(), Stopped("told to stop"))])
    finally:
        up.cancel()
        await operation.stop()
        link.close([operation.post.will(clock.now())])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(running, return_exceptions=True)
        running.cancel()
        await asyncio.gather(running, up, return_exceptions=True)


async def _lead(
    started: Leading, store: TelemetryStore, each: Callable[[Tick], None] | None, stop: asyncio.Event
) -> None:
    """Turn after turn until somebody says stop."""

    def after(tick: Tick) -> None:
        tick_s = started.operation.settings.tick_s
        for reading in tick.snapshot.readings.values():
            if reading.telemetry is not None and reading.age_s is not None and reading.age_s < tick_s:
                store.add(reading.telemetry)
        if each is not None:
            each(tick)

    leading = asyncio.create_task(started.operation.lead(each=after))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({leading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if leading.done():
            await leading
    finally:
        for task in (leading, stopping):
            task.cancel()
        await asyncio.gather(leading, stopping, return_exceptions=True)
