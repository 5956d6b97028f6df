"""`vpp demo`: a broker, simulated devices and the dispatcher in one process, with nothing to set up."""

import argparse
import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from adapters.broker import EmbeddedBroker
from adapters.mqtt import MqttLink
from adapters.session import Session
from adapters.simulator import Fleet, run_over_mqtt
from adapters.topics import Topics
from vpp.clock import FastClock
from vpp.daemon import Leading, address_of, run_site
from vpp.demo_site import BEGINS_AT, copied, first_midnight, parsed
from vpp.devices import Broker
from vpp.dispatch.tick import Tick
from vpp.operation import Operation
from vpp.output import Output
from vpp.progress import Progress
from vpp.rehearsal import parts_of, rehearse
from vpp.scene import Scene
from vpp.site import SiteFile
from vpp.state_folder import NAME

SPEED = 60.0
"""Seconds of the site's time in one of ours, where nobody says otherwise."""
SHOWN_EVERY_S = 0.5
"""So often the picture on a terminal is drawn again."""
TOLD_EVERY_S = 10.0
"""So often lines are printed where there is no terminal."""


def run(options: argparse.Namespace, output: Output) -> int:
    """Show a site, for ever or for a day.

    Returns:
        The exit code: 130 where the user ended it, whatever was shown of it before.

    """
    if options.once and options.speed is None:
        _rehearse_a_day(options.site, output)
        return 0
    ended_by = asyncio.run(_show(options.site, options.speed or SPEED, output, is_once=options.once))
    return 130 if ended_by == "SIGINT" else 0


def _rehearse_a_day(name: str, output: Output) -> None:
    """One day on a virtual clock: the production loop, as fast as the machine allows."""
    with copied(name, "mqtt://127.0.0.1:1883") as path:
        site_file = parsed(path)
        start = first_midnight(path, site_file)
        end = (start + timedelta(hours=26)).astimezone(ZoneInfo(site_file.site.timezone))
        end = end.replace(hour=0, minute=0, second=0, microsecond=0)
        output.say(f"vpp demo: one day of {site_file.site.name or name}, as fast as this machine goes")
        began = time.perf_counter()
        rehearsal = rehearse(path, site_file, start)
        scene = Scene(site_file, rehearsal.operation, start)
        with Progress(output) as progress:
            each = _counted(scene, progress, start, end)
            asyncio.run(rehearsal.run(end, each))
        text, document = scene.summary(time.perf_counter() - began)
        output.result(text, document)


def _counted(scene: Scene, progress: Progress, start: datetime, end: datetime) -> Callable[[Tick], None]:
    """Note every tick, and show how far the day is."""
    total_s, shown = (end - start).total_seconds(), -1

    def each(tick: Tick) -> None:
        nonlocal shown
        scene.note(tick)
        minute = int((tick.snapshot.now - start).total_seconds()) // 900
        if minute != shown:
            shown = minute
            progress.passing(scene.clock(tick.snapshot.now), (tick.snapshot.now - start).total_seconds() / total_s)

    return each


async def _show(name: str, speed: float, output: Output, *, is_once: bool) -> str:
    """A broker, devices and dispatcher over MQTT on loopback, at a chosen speed; says what ended it."""
    with EmbeddedBroker() as broker, copied(name, broker.url, speed) as path:
        site_file = parsed(path)
        midnight = first_midnight(path, site_file)
        start = midnight if is_once else midnight + BEGINS_AT
        clock, stop = FastClock(start, speed), asyncio.Event()
        fleet = _fleet(path, site_file, clock)
        until = midnight + timedelta(days=1) if is_once else None
        stage = _Stage(path, site_file, output, start=start, speed=speed, stop=stop, until=until)
        gone = asyncio.Event()
        devices = asyncio.create_task(run_over_mqtt(fleet, gone, site_file.devices.tick_s / speed))
        try:
            with stage:
                state = path.parent / NAME
                ended_by = await run_site(path, state, clock, on_start=stage.began, each=stage.tick, stop=stop)
        finally:
            gone.set()
            await asyncio.gather(devices, return_exceptions=True)
        stage.conclude()
        return ended_by


def _fleet(path: Path, site_file: SiteFile, clock: FastClock) -> Fleet[MqttLink]:
    topics, broker = Topics(site_file.site.id), site_file.devices.broker
    assert isinstance(broker, Broker), "the copy names one"
    address = address_of(broker)

    def make_link(session: Session) -> MqttLink:
        return MqttLink(address, session, topics.heartbeat(session.client_id))

    parts = parts_of(path, site_file, clock.now())
    return Fleet(site_file.site.id, parts, make_link, clock, period_s=site_file.devices.tick_s)


class _Stage:
    """What the user sees of a demo."""

    def __init__(
        self,
        path: Path,
        site_file: SiteFile,
        output: Output,
        *,
        start: datetime,
        speed: float,
        stop: asyncio.Event,
        until: datetime | None,
    ) -> None:
        self._path, self._site_file, self._output, self._start = path, site_file, output, start
        self._speed, self._stop, self._until = speed, stop, until
        self._scene: Scene | None = None
        self._shown_s = 0.0
        self._began = time.perf_counter()

    def began(self, leading: Leading) -> None:
        """The dispatcher is there."""
        operation: Operation = leading.operation
        self._scene = Scene(self._site_file, operation, self._start)
        self._output.say(f"vpp demo   {self._site_file.site.name}, no set-up, nothing leaves this machine")
        devices = len(self._site_file.assets)
        self._output.say(f"  broker {leading.address}   {devices} simulated devices   {self._speed:g} × real time")
        for line in self._try_it():
            self._output.say(line)

    def tick(self, tick: Tick) -> None:
        """Draw the picture anew, if it is time."""
        assert self._scene is not None, "the dispatcher began before its first tick"
        self._scene.note(tick)
        if self._until is not None and tick.snapshot.now >= self._until:
            self._stop.set()
        every_s = SHOWN_EVERY_S if self._live is not None else TOLD_EVERY_S
        if time.perf_counter() - self._shown_s < every_s:
            return
        self._shown_s = time.perf_counter()
        lines = self._scene.lines(tick)
        if self._live is None:
            self._output.say(lines[0])
        else:
            self._live.update("\n".join(lines), refresh=True)

    def conclude(self) -> None:
        """Say what the demo came to."""
        if self._scene is not None:
            text, document = self._scene.summary(time.perf_counter() - self._began)
            self._output.result(text, document)

    def _try_it(self) -> list[str]:
        store = next((unit.id for unit in self._scene.stores), None) if self._scene is not None else None
        if store is None:
            return []
        site = self._path
        return [
            "  Try in another terminal:",
            f"    vpp status {site}",
            f"    vpp override {site} {store} set_export_kw 200 --for 30m --reason trying",
            "  Ctrl-C ends the demo.",
            "",
        ]

    def __enter__(self) -> Self:
        from rich.live import Live  # noqa: PLC0415 - only a terminal needs it

        self._live = Live(auto_refresh=False, console=self._output.console()) if self._output.shows_progress else None
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
