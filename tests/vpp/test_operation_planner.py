"""A planner of its own process beside a clock that does not wait: no tick waits for it, whatever becomes of it."""

import asyncio
import os
import signal
from itertools import pairwise

from adapters.memory import MemoryBroker, MemoryLink
from adapters.simulator import Fleet
from tests.vpp.test_rehearsal import CONFIGS, SELLING, Entries
from vpp.clock import FastClock
from vpp.operation import Operation, Remembered
from vpp.planner_process import PlannerProcess
from vpp.rehearsal import parts_of
from vpp.site import parse_site

PREVIOUS_PLAN, RULE, SAFE_STOP = 2, 3, 4


async def _led(speed, work):
    """Lead the tiny site on a fast clock with the planner as a process, and do something meanwhile."""
    path = CONFIGS / "tiny.yaml"
    _, site_file, _ = parse_site(path)
    clock, broker = FastClock(SELLING, speed), MemoryBroker()

    def make_link(session):
        return MemoryLink(broker, session)

    fleet = Fleet("tiny", parts_of(path, site_file, SELLING), make_link, clock)
    planner = PlannerProcess(path, 60.0)
    operation = Operation(
        path,
        site_file,
        Remembered(epoch=1),
        clock=clock,
        recorder=Entries(),
        planner=planner,
        make_link=make_link,
        instance="test",
    )
    for link in (operation.link, *fleet.links):
        link.connect()
    ticks = []

    def each(tick):
        fleet.advance()
        left_s = operation.dispatcher.leases.remaining_s("bess1", clock.mono_s()) or 0.0
        ticks.append((tick.snapshot.now, tick.decision.rung, left_s, tick.snapshot.course_id))

    leading = asyncio.create_task(operation.lead(each=each))
    try:
        await asyncio.wait_for(work(operation, planner, ticks), 60.0)
        if leading.done():
            leading.result()
    finally:
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        await operation.stop()
        await planner.stop()
    return ticks


async def _until(condition):
    while not condition():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0.01)


def test_a_planner_killed_in_mid_run_leaves_no_gap_and_the_next_plan_comes_from_a_new_process():
    # ACC-36, with a real process
    pids, marks = [], {}

    async def work(operation, planner, ticks):
        await _until(lambda: operation.dispatcher.course is not None and planner.pid is not None)
        await _until(lambda: ticks and ticks[-1][1] == 1)
        marks["course"] = operation.dispatcher.course.id
        pids.append(planner.pid)
        os.kill(planner.pid, signal.SIGSTOP)  # so that it is in mid-run for sure
        operation.replanning.ask("a test")
        await _until(lambda: operation._planning is not None and not operation._planning.done())
        os.kill(pids[0], signal.SIGKILL)
        await _until(lambda: ticks[-1][1] == PREVIOUS_PLAN)
        marks["begin"] = len(ticks) - 1
        marks["alarms"] = {alarm.code for alarm in operation.dispatcher.alarms.standing()}
        await _until(lambda: ticks[-1][1] == 1)
        pids.append(planner.pid)

    ticks = asyncio.run(_led(25.0, work))
    assert pids[1] not in (None, pids[0])
    assert "planner_failed" in marks["alarms"]
    fallen_back = [tick for tick in ticks if tick[1] == PREVIOUS_PLAN]
    assert {tick[3] for tick in fallen_back} == {marks["course"]}
    assert min(tick[2] for tick in fallen_back) > 0.0  # a set-point is in force at every tick
    instants = [tick[0] for tick in ticks[marks["begin"] - 1 :]]
    assert ticks[-1][3] != marks["course"]
    # On a fast clock a tick is 40 ms long; none waited for the planner, whose start alone takes longer than a second.
    gaps_s = [(b - a).total_seconds() for a, b in pairwise(instants)]
    assert max(gaps_s) < 20.0


def test_ticks_go_on_while_a_plan_is_being_made():
    async def work(operation, planner, ticks):
        await _until(lambda: operation._planning is not None and not operation._planning.done())
        begun = len(ticks)
        await _until(lambda: operation.dispatcher.course is not None)
        assert len(ticks) - begun >= 5

    ticks = asyncio.run(_led(10.0, work))
    assert ticks[1][1] in (RULE, SAFE_STOP)  # nothing was planned yet
