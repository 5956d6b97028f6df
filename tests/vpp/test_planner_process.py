"""The planner is a process: killed, slow or mad, it never stops the loop, and the next plan comes from a new one."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import pytest

from tests.sites import P24
from tests.snapshots import course
from tests.vpp.site_folder import LOAD_KW, MISSING, START, changed, hourly, write_site
from vpp.domain.feed import Feed
from vpp.planner_process import PlannerProcess
from vpp.planning import (
    PlanAnswer,
    PlanRequest,
    Stored,
    answer_line,
    read_answer,
    read_request,
    request_line,
)
from vpp.replanner import Replanner

REQUEST = PlanRequest(START, {"bess1": Stored(100.0, 12.5)}, {}, ())


@pytest.fixture
def site(tmp_path):
    return write_site(tmp_path, prices=hourly("price_per_mwh", P24 * 2), load=hourly("load_kw", LOAD_KW * 2))


def with_planner(path, work, deadline_s=30.0):
    """Run something with a planner, which is ended in any case."""

    async def main():
        planner = PlannerProcess(path, deadline_s)
        try:
            return await work(planner)
        finally:
            await planner.stop()

    return asyncio.run(main())


def mad(tmp_path, monkeypatch, script):
    """A planner process that runs something else."""
    fake = tmp_path / "python"
    fake.write_text(f"#!{sys.executable}\n{script}", "utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))


def test_requests_and_answers_pass_as_one_line_and_come_back_equal():
    feed = Feed("base", START, 900, (1.0, 2.5), START)
    request = PlanRequest(START, {"bess1": Stored(100.0, 12.5)}, {"base": (feed,)}, ("bess1",))
    answers = [PlanAnswer(None, "two\nlines"), PlanAnswer(course({"bess1": [1.0, -2.0]}))]
    assert read_request(request_line(request)) == request
    for answer in answers:
        assert read_answer(answer_line(answer)) == answer
        assert answer_line(answer).count(b"\n") == 1


def test_plans_come_from_one_process_that_stays_alive(site):
    async def work(planner):
        await planner.start()
        first_pid = planner.pid
        answers = [await planner.plan(REQUEST) for _ in range(2)]
        return answers, [first_pid, planner.pid]

    answers, pids = with_planner(site, work)
    assert [answer.failure for answer in answers] == [None, None]
    assert answers[0].course.id.endswith("-1")
    assert answers[1].course.id.endswith("-2")
    assert pids[0] == pids[1]
    assert answers[0].course.count == 25
    assert answers[0].course.stored_kwh["bess1"][0] == pytest.approx(100.0, abs=101.0)


def test_a_planner_killed_between_two_plans_is_replaced(site):
    async def work(planner):
        await planner.plan(REQUEST)
        former = planner.pid
        os.kill(former, signal.SIGKILL)
        for _ in range(100):
            if planner.pid is None:
                break
            await asyncio.sleep(0.02)
        answer = await planner.plan(REQUEST)
        return former, planner.pid, answer

    former, later, answer = with_planner(site, work)
    assert answer.course is not None
    assert later not in (None, former)


def test_a_planner_killed_while_it_plans_is_a_failure_and_the_next_plan_comes_from_a_new_one(site):
    async def work(planner):
        await planner.start()
        former = planner.pid
        planning = asyncio.create_task(planner.plan(REQUEST))  # its imports alone take longer than the kill
        await asyncio.sleep(0.1)
        os.kill(former, signal.SIGKILL)
        failed = await planning
        return former, failed, await planner.plan(REQUEST), planner.pid

    former, failed, answer, later = with_planner(site, work)
    assert failed == PlanAnswer(None, "the planner died (exit -9)")
    assert answer.course is not None
    assert later != former


def test_a_planner_that_takes_too_long_is_ended(site, tmp_path, monkeypatch):
    mad(tmp_path, monkeypatch, "import time\ntime.sleep(60)")

    async def work(planner):
        await planner.start()
        pid = planner.pid
        return pid, await planner.plan(REQUEST), planner.pid

    pid, answer, later = with_planner(site, work, deadline_s=0.3)
    assert answer.failure == "no answer within 0.3 s; the planner was ended"
    assert later is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("print('hello', flush=True)\nimport time; time.sleep(9)", "cannot be read"),
        ("print('{\"course\": null', end='', flush=True)", "cannot be read"),
        ("raise SystemExit(3)", "died (exit 3)"),
        ("print('x' * 70_000_000, flush=True)\nimport time; time.sleep(9)", "cannot be reached"),
    ],
    ids=["nonsense", "half_a_line", "dies", "endless_line"],
)
def test_a_mad_planner_is_a_failure_with_a_reason(site, tmp_path, monkeypatch, script, words):
    mad(tmp_path, monkeypatch, script)
    answer = with_planner(site, lambda planner: planner.plan(REQUEST), deadline_s=20.0)
    assert answer.course is None
    assert words in answer.failure


def test_a_planner_that_cannot_be_started_is_a_failure(site, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    async def work(planner):
        await planner.start()
        return await planner.plan(REQUEST)

    assert "cannot be reached" in with_planner(site, work).failure


def test_a_plan_that_cannot_be_made_is_a_failure_in_words_and_the_process_goes_on(site):
    async def work(planner):
        site_text = site.read_text("utf-8")
        site.write_text("schema_version: 1\n", "utf-8")
        failed = await planner.plan(REQUEST)
        pid = planner.pid
        site.write_text(site_text, "utf-8")
        return failed, await planner.plan(REQUEST), pid == planner.pid

    failed, answer, is_same = with_planner(site, work)
    assert failed.course is None
    assert "site.yaml" in failed.failure
    assert answer.course is not None
    assert is_same


def test_pain_2_an_infeasible_site_names_the_limits_in_the_way(site):
    text = site.read_text("utf-8").replace("import_limit_kw: 300", "import_limit_kw: 1")
    site.write_text(text, "utf-8")
    request = PlanRequest(START, {}, {}, ("bess1",))
    answer = with_planner(site, lambda planner: planner.plan(request))
    limits = "grid connection: import limit; bess1: discharge power; base: critical load"
    assert answer.failure == f"no plan keeps every limit: {limits}"


def test_a_planner_ends_when_its_dispatcher_is_gone(site):
    async def work(planner):
        await planner.plan(REQUEST)
        process = planner._process
        process.stdin.close()
        return await asyncio.wait_for(process.wait(), 10.0)

    assert with_planner(site, work) == 0


def test_a_store_that_is_not_heard_is_planned_at_rest(site):
    request = PlanRequest(START, {"bess1": Stored(100.0)}, {}, ("bess1",))
    answer = with_planner(site, lambda planner: planner.plan(request))
    assert set(answer.course.export_kw["bess1"]) == {0.0}


def test_a_course_covers_a_day_from_the_instant_of_planning(site):
    now = START + timedelta(hours=2, minutes=7, seconds=30)
    answer = with_planner(site, lambda planner: planner.plan(PlanRequest(now, {}, {})))
    made = answer.course
    assert (made.start, made.first_step_s, made.step_s, made.count) == (now, 52 * 60 + 30, 3600, 25)
    assert made.step_at(now) == 0
    assert made.step_at(made.end - timedelta(seconds=1)) == 24
    assert made.import_price_per_mwh[0] == P24[2]


def test_a_plan_prices_the_rest_of_a_cycle_by_what_was_stored_before(tmp_path):
    law = {"replacement_cost_per_kwh": 100, "cycle_life_count": 4000, "depth_exponent": 2, "segment_count": 4}
    ageing = changed((("assets", 0, "ageing"), law), (("assets", 0, "throughput_cost_per_mwh"), MISSING))
    path = write_site(tmp_path, ageing, prices=hourly("price_per_mwh", ([1000.0] * 2 + [100.0] * 22) * 2))
    fresh, begun = (
        Replanner(path).plan(PlanRequest(START, {"bess1": Stored(100.0, stored_before_kwh=before)}, {})).course.net
        for before in ((), (200.0,))
    )
    # 100 kWh are sold in the first two hours: the shallower half of the store, or the deeper one.
    assert fresh - begun == pytest.approx(100 * 200 / 4000 * ((1 - 0.5**2) - 0.5**2))
