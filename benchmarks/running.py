"""How quickly does a running site answer, come back and notice, and what does it take of the machine?

Real processes over mosquitto where it is installed, else over the embedded broker; ticks of a second, leases of a
minute.
"""

import asyncio
import json
import math
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.timing import Figure
from tests.brokers import MOSQUITTO, Embedded, Mosquitto, TestBroker
from tests.running.ear import Ear, Heard
from tests.running.processes import Process, Site
from tests.running.site_copy import write_copy
from vpp.clock import WallClock
from vpp.daemon import Leading, run_site
from vpp.dispatch.tick import Tick

FLEET = tuple(f"bess{number}" for number in range(1, 201))
BURSTS = 10
RESTARTS = 30
FREEZES = 5
LATE_TICKS = 400
WHERE = "the embedded broker" if MOSQUITTO is None else "mosquitto"


def measure(**_: bool) -> list[Figure]:
    """All figures of a running site."""
    return [*bursts(), *restarts(), *freezes(), *lateness(), *day()]


def bursts() -> Iterator[Figure]:
    """Stop and release 200 batteries: from the instant of a decision to the answer of each device."""
    with _running(FLEET) as (site, daemon, _):
        yield Figure("daemon, 200 devices: resident memory", _resident_mb(daemon), "MB", most=80)
        answered_s: list[float] = []
        for number in range(BURSTS):
            since = site.ear.now()
            site.ear.ask(site.ear.request("site", "release" if number % 2 else "stop", duration_s=600), 20)
            answered_s += _answers_s(site, since)
        assert len(answered_s) == BURSTS * len(FLEET), "a device was not told, or did not answer"
    yield Figure(f"burst of 200 set-points over {WHERE}: decision to answer, median", _ms(answered_s, 50), "ms")
    yield Figure(f"burst of 200 set-points over {WHERE}: decision to answer, p99", _ms(answered_s, 99), "ms", most=500)


def restarts() -> Iterator[Figure]:
    """Kill the dispatcher, and start it anew: from the start of the process to a set-point that its device takes."""
    taken_s: list[float] = []
    with _running(("bess1",)) as (site, first, _):
        yield Figure("daemon, 3 devices: resident memory", _resident_mb(first), "MB", most=80)
        first.kill()
        for number in range(RESTARTS):
            time.sleep(number % 10 / 10)
            since = site.ear.now()
            daemon = site.start("run")
            taken = site.ear.wait("bess1/ack", lambda h: h.document["status"] == "accepted", 20, since)
            taken_s.append(taken.at_s - daemon.began_s)
            time.sleep(2.0)
            daemon.kill()
    yield Figure(
        f"restart after kill -9 to the first valid set-point, {RESTARTS} times: median", _ms(taken_s, 50), "ms"
    )
    yield Figure(
        f"restart after kill -9 to the first valid set-point, {RESTARTS} times: p99", _ms(taken_s, 99), "ms", most=3000
    )


def freezes() -> Iterator[Figure]:
    """Freeze the broker, and see when the dispatcher says that it is lost."""
    noticed_s = []
    with _running(("bess1",)) as (site, daemon, broker):
        for _ in range(FREEZES):
            lost = daemon.told.count("no connection")
            broker.freeze()
            began_s = time.monotonic()
            while daemon.told.count("no connection") == lost:
                time.sleep(0.01)
            noticed_s.append(time.monotonic() - began_s)
            since = site.ear.now()
            broker.thaw()
            site.ear.wait("bess1/ack", lambda h: h.document["status"] == "accepted", 60, since)
    yield Figure(f"frozen broker noticed, longest of {FREEZES}", max(noticed_s), "s", most=5)


def lateness() -> Iterator[Figure]:
    """How late ticks come while a plan of 50 batteries is made again and again."""
    batteries = FLEET[:50]
    with _folder() as folder, _broker(folder) as broker, Ear(broker.port) as ear:
        site = Site(write_copy(folder, broker.url, tick_s=0.1, lease_s=60, batteries=batteries), ear, batteries)
        try:
            site.simulate()
            late_s, plans = asyncio.run(_planned_again_and_again(site.path))
        finally:
            site.end()
    yield Figure("ticks while a plan of 50 batteries is made: plans", plans, "")
    yield Figure(
        f"ticks while a plan of 50 batteries is made, {len(late_s)} ticks: late, p99", _ms(late_s, 99), "ms", most=50
    )


async def _planned_again_and_again(path: Path) -> tuple[list[float], int]:
    stop, late_s, found, plans = asyncio.Event(), [0.0], [], set()

    def began(leading: Leading) -> None:
        found.append(leading.operation)

    def each(tick: Tick) -> None:
        operation = found[0]
        if tick.snapshot.course_id is None:
            return
        plans.add(tick.snapshot.course_id)
        operation.replanning.ask("a benchmark")
        late_s.append(operation.late_s[-1])
        if len(late_s) >= LATE_TICKS:
            stop.set()

    await run_site(path, path.parent / ".vpp", WallClock(), on_start=began, each=each, stop=stop)
    return late_s[1:], len(plans)


def day() -> Iterator[Figure]:
    """A day of the tiny site through the production loop, on a virtual clock."""
    with _folder() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        demo = Process(folder, "demo", "--once", "--json")
        assert demo.popen.wait(600) == 0, demo.told
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        document = json.loads(demo.told[demo.told.index("{") :])
    yield Figure("vpp demo --once, a day of 86,400 ticks", document["wall_s"], "s", most=60)
    yield Figure("vpp demo --once, processor time of the whole command", after.ru_utime - before.ru_utime, "s")


def _answers_s(site: Site, since: int) -> list[float]:
    """Times from the instants of commands to the answers that devices gave to them."""
    ahead_s = time.time() - time.monotonic()
    found = []
    for name in site.batteries:
        command = site.ear.wait(f"{name}/cmd", seconds=20, since=since)
        ack = site.ear.wait(f"{name}/ack", lambda h, c=command: _answers(h, c), 20, since)
        found.append(ack.at_s + ahead_s - datetime.fromisoformat(command.document["issued_at"]).timestamp())
    return found


def _answers(ack: Heard, command: Heard) -> bool:
    return (ack.document["id"], ack.document["status"]) == (command.document["id"], "accepted")


@contextmanager
def _running(batteries: Sequence[str]) -> Iterator[tuple[Site, Process, TestBroker]]:
    """A site that follows its plan."""
    with _folder() as folder, _broker(folder) as broker, Ear(broker.port) as ear:
        site = Site(write_copy(folder, broker.url, tick_s=1.0, lease_s=60.0, batteries=batteries), ear, batteries)
        try:
            site.simulate()
            yield site, site.run_to_plan(), broker
        finally:
            site.end()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vpp-bench-") as name:
        yield Path(name)


def _broker(folder: Path) -> TestBroker:
    return Embedded() if MOSQUITTO is None else Mosquitto(folder)


def _resident_mb(process: Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def _ms(seconds: Sequence[float], percent: int) -> float:
    """A percentile by nearest rank, in milliseconds."""
    if percent == 50:
        return 1000 * statistics.median(seconds)
    return 1000 * sorted(seconds)[math.ceil(percent / 100 * len(seconds)) - 1]


if __name__ == "__main__":
    for figure in measure():
        print(figure, file=sys.stdout, flush=True)
