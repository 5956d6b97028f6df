"""Devices that are silent, stuck, deaf or lie: each fault has its own battery at one site, and one battery is well."""

import json
from contextlib import ExitStack
from itertools import pairwise

import pytest

from tests.brokers import Embedded
from tests.running.ear import Ear
from tests.running.invariants import check
from tests.running.processes import Site, alarms
from tests.running.site_copy import FULL_KW, write_copy

BEGINS_S = 15
"""Faults begin so long after the devices come up; by then the plan is followed."""
FAULTS = {
    "silent": "fault: silent, for_s: 10",
    "stuck": "fault: stuck",
    "garbage": "fault: garbage",
    "refuse": "fault: refuse",
    "ignore": "fault: ignore",
    "half": "fault: gain, factor: 0.5",
    "reboot": "fault: reboot, for_s: 3",
    "watts": "fault: wrong_unit",
    "jump": "fault: soc_jump, by_fraction: 0.3",
    "twice": "fault: duplicated",
    "mixed": "fault: out_of_order",
}
BATTERIES = ("bess1", *FAULTS)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """A site whose devices are about to fail, each in its own way; the plan is followed."""
    folder = tmp_path_factory.mktemp("troubled")
    faults = "\n".join(f"  - {{asset: {name}, at_s: {BEGINS_S}, {fault}}}" for name, fault in FAULTS.items())
    with ExitStack() as stack:
        broker = stack.enter_context(Embedded())
        ear = stack.enter_context(Ear(broker.port))
        site = Site(write_copy(folder, broker.url, batteries=BATTERIES, lease_s=6.0), ear, BATTERIES)
        stack.callback(lambda: check(ear.heard, site.state, disorderly=("twice", "mixed")))
        stack.callback(site.end)
        site.daemon = site.start("run")
        site.simulate(f"faults:\n{faults}")
        for name in BATTERIES:
            site.wait_power(name, lambda kw: kw > FULL_KW - 20, BEGINS_S, since=0)
        site.well = ear.now()
        yield site


def test_a_silent_device_is_named_and_nothing_more_is_sent_to_it(troubled):
    troubled.wait_alarm("silent", "silent", 30)
    since = troubled.ear.now()
    status = troubled.wait_status(lambda s: s["assets"]["silent"]["permitted_kw"] is None)
    assert status["assets"]["silent"]["verdict"] == "stale"
    assert status["assets"]["bess1"]["permitted_kw"] == pytest.approx(FULL_KW)
    troubled.wait_cleared("silent", "silent", 20)
    heard = troubled.ear.heard[since:]
    back = next(i for i, h in enumerate(heard) if h.topic.endswith("/silent/tele"))
    assert not [h for h in heard[:back] if h.topic.endswith("/silent/cmd")]
    troubled.wait_power("silent", lambda kw: kw > FULL_KW - 20, 10)


def test_a_stuck_value_is_doubted_once_the_device_should_have_moved(troubled):
    faults_have_begun(troubled)
    assert troubled.ear.ask(troubled.ear.request("stuck", "set_export_kw", 100))["status"] == "accepted"
    alarm = troubled.wait_alarm("suspect", "stuck", 15)
    assert "the same values" in alarm["message"]


def test_what_is_no_telemetry_is_refused_and_counted_and_never_shown(troubled):
    alarm = troubled.wait_alarm("bad_messages", "garbage", 30)
    assert alarm["message"].startswith("garbage sends bad messages")
    troubled.wait_alarm("silent", "garbage", 15)
    status = troubled.latest()
    assert status["refused_messages"]["garbage"]["malformed"] > 3
    assert status["assets"]["garbage"]["permitted_kw"] is None
    assert status["assets"]["garbage"]["export_kw"] == pytest.approx(FULL_KW, abs=20), "the last good value"


def test_a_device_that_refuses_is_asked_again_only_when_its_lease_would_be_renewed(troubled):
    alarm = troubled.wait_alarm("refused", "refuse", 30)
    assert "takes no commands now" in alarm["message"]
    rejected = [h for h in troubled.ear.all("refuse/ack", troubled.well) if h.document["status"] == "rejected"]
    between_s = [b.at_s - a.at_s for a, b in pairwise(rejected)]
    assert all(seconds > 0.8 * 6.0 / 3 for seconds in between_s)


def test_a_device_that_ignores_its_set_points_is_named(troubled):
    faults_have_begun(troubled)
    assert troubled.ear.ask(troubled.ear.request("ignore", "set_export_kw", 100))["status"] == "accepted"
    troubled.wait_alarm("not_following", "ignore", 15)


def test_a_device_that_obeys_by_half_is_named(troubled):
    troubled.wait_alarm("not_following", "half", 30)
    troubled.wait_status(lambda s: not s["assets"]["half"]["follows"])


def test_a_device_that_reboots_is_led_again_from_its_new_birth(troubled):
    births = [h for h in troubled.ear.all("reboot/birth") if not h.is_retained]
    old = births[0].document["boot_id"]
    birth = troubled.ear.wait("reboot/birth", lambda h: h.document["boot_id"] != old, 30)
    since = troubled.ear.heard.index(birth)
    told = troubled.ear.wait("reboot/tele", seconds=5, since=since)
    assert told.document.get("lease") is None
    assert told.document["boot_id"] == birth.document["boot_id"]
    troubled.ear.wait("reboot/ack", lambda h: h.document["status"] == "accepted", 5, since)
    troubled.wait_power("reboot", lambda kw: kw > FULL_KW - 20, 10, since)


def test_power_in_watts_and_energy_that_jumps_are_not_believed(troubled):
    assert "beyond its rating" in troubled.wait_alarm("suspect", "watts", 30)["message"]
    assert "jumped" in troubled.wait_alarm("suspect", "jump", 30)["message"]


def test_messages_that_come_twice_or_out_of_order_change_nothing(troubled):
    faults_have_begun(troubled)
    status = troubled.wait_status(lambda s: s["refused_messages"].get("twice", {}).get("old_seq", 0) > 3, 15)
    assert status["assets"]["twice"]["verdict"] == "fresh"
    status = troubled.wait_status(lambda s: s["refused_messages"].get("mixed", {}).get("old_seq", 0) > 3, 15)
    assert not {code for code, asset in alarms(status) if asset in ("twice", "mixed", "bess1")}


def test_the_plan_is_followed_all_the_time_and_the_daemon_lives(troubled):
    statuses = [json.loads(h.payload) for h in troubled.ear.all("dispatcher/status", troubled.well)]
    assert {status["rung"] for status in statuses} == {1}
    assert troubled.daemon.is_alive()
    assert troubled.ear.all("bess1/tele")[-1].document["export_kw"] > FULL_KW - 20
    assert all(status["assets"]["bess1"]["lease_s"] for status in statuses)


def faults_have_begun(site: Site) -> None:
    site.wait_alarm("suspect", "watts", 30)
