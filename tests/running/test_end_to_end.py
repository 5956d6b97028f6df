"""A site from start to end, over both brokers: the plan is followed, operators are obeyed, and all is written down."""

import shutil
import signal
import subprocess

import pytest

from tests.running.ear import ROOT, Ear
from tests.running.processes import Site
from tests.running.site_copy import FULL_KW, LEASE_S, write_copy

NEAR_KW = 20.0


def is_near(wanted_kw: float):
    return lambda kw: abs(kw - wanted_kw) <= NEAR_KW


@pytest.fixture
def led(site_at, broker):
    """A site that follows its plan."""
    site = site_at(broker)
    site.simulate()
    site.daemon = site.run_to_plan()
    return site


def override(site: Site, *arguments: object):
    return site.vpp("override", *arguments, "--reason", "test", "--operator", "anna")


def test_a_site_is_led_from_its_first_plan_to_an_orderly_end(led):
    follows_its_plan_within_seconds(led)
    shows_its_status(led)
    an_override_is_accepted_and_ends(led)
    what_is_too_much_is_clipped(led)
    what_makes_no_sense_is_rejected(led)
    one_word_stops_the_site_and_another_releases_it(led)
    a_second_dispatcher_finds_the_state_folder_held(led)
    sigterm_ends_it_in_order(led)


def follows_its_plan_within_seconds(site):
    began_s = site.daemon.began_s
    heard = site.wait_power("bess1", is_near(FULL_KW), 15, since=0)
    assert heard.at_s - began_s < 15
    plan = site.ear.all("plan")[-1].document
    assert plan["status"] == "optimal"
    assert plan["export_kw"]["bess1"][0] == pytest.approx(FULL_KW)


def shows_its_status(site):
    text = site.vpp("status")
    assert text.code == 0
    assert "PLAN in control until" in text.out
    assert "bess1" in text.out
    document = site.vpp("status", "--json").document
    assert (document["in_control"], document["rung"]) == ("plan", 1)
    assert document["assets"]["bess1"]["export_kw"] == pytest.approx(FULL_KW, abs=NEAR_KW)
    assert 0 < document["assets"]["bess1"]["lease_s"] <= LEASE_S
    assert document["assets"]["base"]["permitted_kw"] is None


def an_override_is_accepted_and_ends(site):
    since = site.ear.now()
    ran = override(site, "bess1", "set_export_kw", "200", "--for", "3s")
    assert ran.code == 0
    assert "bess1 set_export_kw 200: ACCEPTED" in ran.out
    site.wait_power("bess1", is_near(200), 5, since)
    ended = site.ear.wait("op/anna/resp", lambda h: h.document["status"] == "ended", 6, since).document
    assert ended["code"] == "over"
    site.wait_power("bess1", is_near(FULL_KW), 5)


def what_is_too_much_is_clipped(site):
    ran = override(site, "bess1", "set_export_kw", "5000", "--for", "30s", "--json")
    assert ran.code == 0
    assert ran.document["status"] == "clipped"
    assert ran.document["effective"]["export_kw"] == FULL_KW
    assert "from 5,000 to 1,000 kW" in ran.document["message"]
    assert override(site, "bess1", "release").code == 0


def what_makes_no_sense_is_rejected(site):
    ran = override(site, "base", "set_export_kw", "1", "--for", "30s")
    assert ran.code == 2
    assert "not_controllable" in ran.err
    unknown = override(site, "bess9", "stop", "--for", "30s")
    assert unknown.code == 2
    assert "bess1" in unknown.err


def one_word_stops_the_site_and_another_releases_it(site):
    assert override(site, "site", "stop", "--for", "60s").code == 0
    site.wait_power("bess1", is_near(0), 5)
    status = site.wait_status(lambda s: s["in_control"] == "override")
    assert status["overrides"][0]["action"] == "stop"
    since = site.ear.now()
    released = override(site, "site", "release")
    assert released.code == 0
    assert "automatic operation is back" in released.out
    site.ear.wait("op/anna/resp", lambda h: h.document["status"] == "ended", 5, since)
    site.wait_power("bess1", is_near(FULL_KW), 5)


def a_second_dispatcher_finds_the_state_folder_held(site):
    second = site.vpp("run")
    assert second.code == 4
    assert f"process {site.daemon.pid} holds it" in second.err


def sigterm_ends_it_in_order(site):
    since = site.ear.now()
    assert site.daemon.signal(signal.SIGTERM) == 0
    said = site.ear.wait("dispatcher/state", lambda h: not h.document["online"], 5, since)
    assert said.document["epoch"] == 1
    assert "ended in order" in site.daemon.told
    assert site.vpp("status").code == 4
    assert override(site, "bess1", "stop").code == 4


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed")
def test_an_override_sent_with_mosquitto_pub_alone_acts_and_ends_by_itself(led):
    request = led.ear.request("bess1", "set_export_kw", -400, duration_s=3)
    since = led.ear.now()
    told = str(request).replace("'", '"')
    subprocess.run(
        ["mosquitto_pub", "-p", str(led.ear.port), "-q", "1", "-t", f"{ROOT}/op/anna/req", "-m", told],
        check=True, timeout=10,
    )  # fmt: skip
    answer = led.ear.wait("op/anna/resp", lambda h: h.document["id"] == request["id"], 3, since)
    assert answer.document["status"] == "accepted"
    assert answer.document["effective"]["export_kw"] == -400
    acts = led.wait_power("bess1", is_near(-400), 5, since)
    ended = led.ear.wait("op/anna/resp", lambda h: h.document["status"] == "ended", 6, since)
    assert ended.document["id"] == request["id"]
    assert ended.at_s - answer.at_s == pytest.approx(3.0, abs=0.75)
    back = led.wait_power("bess1", is_near(FULL_KW), 5, led.ear.now())
    assert acts.at_s < ended.at_s < back.at_s


def test_ctrl_c_ends_the_daemon_and_the_devices_with_130_and_0(site):
    devices = site.simulate()
    daemon = site.run()
    since = site.ear.now()
    assert daemon.signal(signal.SIGINT) == 130
    site.ear.wait("dispatcher/state", lambda h: not h.document["online"], 5, since)
    assert devices.signal(signal.SIGINT) == 0
    site.ear.wait("bess1/state", lambda h: not h.document["online"], 5, since)


def test_without_a_broker_every_command_ends_with_4(tmp_path):
    site = Site(write_copy(tmp_path, "mqtt://127.0.0.1:9"), Ear(9))
    for command in (("status",), ("simulate",), ("run",), ("override", "bess1", "stop", "--reason", "test")):
        ran = site.vpp(*command)
        assert ran.code == 4, ran.err
        assert "the broker at 127.0.0.1:9" in ran.err


def test_a_broker_inside_the_daemon_is_where_status_finds_it(tmp_path):
    site = Site(write_copy(tmp_path, "embedded"), Ear(9))
    daemon = site.start("run")
    try:
        for _ in range(40):
            ran = site.vpp("status", "--json")
            if ran.code == 0:
                break
        assert ran.document["in_control"] in ("idle", "fallback")
        assert daemon.signal(signal.SIGTERM) == 0
    finally:
        site.end()
