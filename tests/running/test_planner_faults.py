"""Planners that die or hang, and inputs that vanish: the plan before goes on, and what happened is named."""

import os
import signal
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.running.ear import utc
from tests.running.processes import Site, alarms
from tests.running.site_copy import AFTER, BEFORE, FULL_KW, TICK_S, falling_prices, quarters, write_prices

FEED = "energy_day_ahead"
RENEWED_S = 1.0
"""A third of a lease."""


def publish_prices(site: Site, values: list[float], since: int) -> dict:
    """Publish prices from now on; returns the answer."""
    feed = {"start_utc": utc(quarters()[BEFORE]), "step_s": 900, "values": values, "issued_at": utc_now()}
    site.ear.publish(f"feed/{FEED}", feed)
    return site.ear.wait(f"feed/{FEED}/ack", seconds=5, since=since).document


def utc_now() -> str:
    return utc(datetime.now(UTC))


def set_points_go_on(site: Site, since: int) -> None:
    """No gap between set-points is longer than a renewal and a period (ACC-36)."""
    times_s = [heard.at_s for heard in site.ear.all("bess1/cmd", since)]
    assert len(times_s) > 1
    gaps_s = [b - a for a, b in pairwise(times_s)]
    assert max(gaps_s) < RENEWED_S + 2 * TICK_S + 0.5


def test_a_planner_killed_in_mid_run_leaves_the_plan_before_in_force(site):
    site.simulate()
    daemon = site.run_to_plan()
    (planner,) = daemon.children()
    os.kill(planner, signal.SIGSTOP)
    since = site.ear.now()
    assert publish_prices(site, falling_prices()[BEFORE:], since)["status"] == "accepted"
    time.sleep(1.0)
    os.kill(planner, signal.SIGKILL)
    status = site.wait_status(lambda s: s["rung"] == 2, 5, since)
    assert ("planner_failed", "site") in alarms(status)
    assert status["planner"] == "the planner died (exit -9)"
    assert status["assets"]["bess1"]["permitted_kw"] == pytest.approx(FULL_KW)
    plan_id = status["plan"]["id"]
    time.sleep(2.0)
    set_points_go_on(site, since)
    assert publish_prices(site, falling_prices()[BEFORE:], site.ear.now())["status"] == "accepted"
    status = site.wait_status(lambda s: s["rung"] == 1 and s["plan"]["id"] != plan_id, 20)
    assert ("planner_failed", "site") not in alarms(status)
    assert daemon.children() != [planner]


def test_a_planner_that_hangs_is_ended_at_its_deadline(site_at, embedded):
    site = site_at(embedded, planning="{time_limit_s: 3}")
    site.simulate()
    daemon = site.run_to_plan()
    (planner,) = daemon.children()
    os.kill(planner, signal.SIGSTOP)
    since, began_s = site.ear.now(), time.monotonic()
    publish_prices(site, falling_prices()[BEFORE:], since)
    site.wait_status(lambda s: s["rung"] == 2 and "no answer within 3 s" in s["planner"], 8, since)
    assert 2.5 < time.monotonic() - began_s < 5.0
    set_points_go_on(site, since)
    assert planner not in daemon.children()


def test_new_prices_change_the_plan_and_impossible_ones_are_refused(site):
    site.simulate()
    site.run_to_plan()
    feed = {"start_utc": utc(quarters()[BEFORE]), "step_s": 900, "values": [float("nan")] * 4, "issued_at": utc_now()}
    since = site.ear.now()
    site.ear.publish(f"feed/{FEED}", feed)
    assert site.ear.wait(f"feed/{FEED}/ack", seconds=5, since=since).document["status"] == "rejected"
    site.ear.publish("feed/nothing", feed | {"values": [1.0]})
    since = site.ear.now()
    rising = [100.0] * 8 + [2000.0] * (AFTER - 8)
    assert publish_prices(site, rising, since)["status"] == "accepted"
    site.wait_power("bess1", lambda kw: kw < 20, 20, since)


def test_prices_that_are_no_numbers_are_replaced_by_those_of_the_day_before_and_named(site):
    write_prices(site.folder, [2000.0] * BEFORE + ["nan"] * AFTER)
    site.simulate()
    site.run()
    alarm = site.wait_alarm("input_substituted", "site", 15)
    assert "prices.csv" in alarm["message"]
    since = site.ear.now()
    write_prices(site.folder, falling_prices())
    site.wait_cleared("input_substituted", "site", 25, since)
    site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 10, since)


def test_a_file_that_vanishes_ends_nothing(site):
    site.simulate()
    daemon = site.run_to_plan()
    since = site.ear.now()
    (site.folder / "tiny" / "prices.csv").unlink()
    status = site.wait_status(lambda s: alarms(s) & {("planner_failed", "site"), ("input_substituted", "site")}, 25)
    assert status["assets"]["bess1"]["permitted_kw"] == pytest.approx(FULL_KW)
    set_points_go_on(site, since)
    assert daemon.is_alive()
