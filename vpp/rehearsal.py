"""A simulated site led by the production loop, on a virtual clock and as fast as the machine allows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.memory import MemoryBroker, MemoryLink
from adapters.scenario import Scenario
from adapters.session import Session
from adapters.simulator import Fleet
from optimizer.assets import device_of
from vpp.clock import VirtualClock
from vpp.dispatch.tick import Tick
from vpp.dispatch.turn import Recorder
from vpp.domain.physics import Physics
from vpp.domain.unit import Unit
from vpp.operation import Operation, Planner, Remembered
from vpp.planning import PlanAnswer, PlanRequest
from vpp.records import Entry
from vpp.replanner import Replanner
from vpp.site import SiteFile
from vpp.weather import Available, weather

SEED = 1


def no_weather(_utc_s: float) -> float:
    """What drives a device that nothing outside drives."""
    return 0.0


def parts_of(
    site_path: Path, site_file: SiteFile, start: datetime, seed: int = SEED, scenario: Scenario | None = None
) -> list[tuple[Unit, Physics]]:
    """The simulated devices of a site: what each is, and its physics, driven by the site's forecasts and noise."""
    driven = weather(site_path, site_file)
    start_s = start.timestamp()
    parts: list[tuple[Unit, Physics]] = []
    for asset in site_file.assets:
        available: Available = driven.get(asset.id, no_weather)
        if scenario is not None:
            available = scenario.available_kw(asset.id, available, start_s)
        parts.append((asset.unit(), device_of(asset).make(asset, available, start_s, seed)))
    return parts


class InProcessPlanner:
    """Plans in this process, while a virtual clock stands still."""

    def __init__(self, site_path: Path) -> None:
        self._replanner = Replanner(site_path)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """A plan, or why there is none."""
        return self._replanner.plan(request)


class NotRecorded:
    """Forgets records: a rehearsal answers to nobody."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Forget them."""


@dataclass(frozen=True)
class Rehearsal:
    """A site and its simulated devices in one process."""

    clock: VirtualClock
    broker: MemoryBroker
    fleet: Fleet[MemoryLink]
    operation: Operation

    async def run(self, until: datetime, each: Callable[[Tick], None] | None = None) -> None:
        """Lead the site until an instant."""

        def step(tick: Tick) -> None:
            self.fleet.advance()
            if each is not None:
                each(tick)

        await self.operation.lead(until, step)


def rehearse(
    site_path: Path,
    site_file: SiteFile,
    start: datetime,
    scenario: Scenario | None = None,
    *,
    recorder: Recorder | None = None,
    planner: Planner | None = None,
    remembered: Remembered | None = None,
) -> Rehearsal:
    """Set up a site from its file, with all its devices switched on.

    Args:
        site_path: The site file.
        site_file: What it says.
        start: What the clock shows first, in UTC.
        scenario: What happens to the site, and when.
        recorder: Where records go; without one they are forgotten.
        planner: Who plans; without one, this process.
        remembered: What an earlier term left.

    """
    clock, broker = VirtualClock(start), MemoryBroker()

    def make_link(session: Session) -> MemoryLink:
        return MemoryLink(broker, session)

    parts = parts_of(site_path, site_file, start, SEED, scenario)
    fleet = Fleet(site_file.site.id, parts, make_link, clock, scenario=scenario, period_s=site_file.devices.tick_s)
    operation = Operation(
        site_path,
        site_file,
        remembered or Remembered(epoch=1),
        clock=clock,
        recorder=recorder or NotRecorded(),
        planner=planner or InProcessPlanner(site_path),
        make_link=make_link,
        instance="rehearsal",
        awaits_plans=True,
    )
    link = operation.link
    assert isinstance(link, MemoryLink), "make_link makes no other"
    link.connect()
    for own in fleet.links:
        own.connect()
    return Rehearsal(clock, broker, fleet, operation)
