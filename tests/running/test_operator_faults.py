"""Requests that must not be obeyed: each is answered with its code, and none survives a restart to act again."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.brokers import Embedded
from tests.running.ear import Ear, utc
from tests.running.invariants import check
from tests.running.processes import Site
from tests.running.site_copy import FULL_KW, write_copy


@pytest.fixture(scope="module")
def led(tmp_path_factory):
    """One site that follows its plan."""
    folder = tmp_path_factory.mktemp("operators")
    with Embedded() as broker, Ear(broker.port) as ear:
        site = Site(write_copy(folder, broker.url), ear)
        try:
            site.simulate()
            site.run_to_plan()
            yield site
        finally:
            site.end()
        check(ear.heard, site.state)


LONG_AGO = utc(datetime.now(UTC) - timedelta(hours=1))
REFUSED = [
    ({"site": "other"}, "wrong_site"),
    ({"asset": "bess9"}, "unknown_asset"),
    ({"asset": "base"}, "not_controllable"),
    ({"expires": LONG_AGO}, "expired"),
    ({"expires": None}, None),
    ({"duration_s": None}, None),
    ({"duration_s": 5 * 3600}, None),
    ({"duration_s": 0}, None),
    ({"action": "explode"}, None),
    ({"operator": "boris"}, None),
    ({"value": "much"}, "bad_value"),
    ({"value": 1e300}, None),
    ({"value": float("nan")}, None),
    ({"seq": -1}, None),
    ({"more": "keys"}, None),
    ({"action": "island"}, "no_island"),
]


@pytest.mark.parametrize(("change", "code"), REFUSED, ids=[json.dumps(change)[1:-1] for change, _ in REFUSED])
def test_a_poisoned_request_is_refused_with_its_code(led, change, code):
    request = led.ear.request("bess1", "set_export_kw", -1000) | change
    request = {key: value for key, value in request.items() if value is not None}
    since = led.ear.now()
    led.ear.publish("op/anna/req", request)
    answer = led.ear.wait("op/anna/resp", lambda h: h.document["id"] in (request["id"], ""), 5, since).document
    assert answer["status"] == "rejected"
    assert answer["code"] == code or code is None
    assert answer["code"]
    assert answer["message"]
    assert led.latest()["overrides"] == []


def test_a_replayed_override_is_refused_also_after_kill_9(site):
    site.simulate()
    daemon = site.run_to_plan()
    first = site.ear.request("bess1", "set_export_kw", -500, duration_s=2)
    assert site.ear.ask(first)["status"] == "accepted"
    time.sleep(2.5)
    second = site.ear.request("bess1", "set_export_kw", 250, duration_s=60)
    assert site.ear.ask(second)["status"] == "accepted"
    daemon.kill()
    since = site.ear.now()
    site.run()
    assert site.ear.ask(first)["code"] == "used_id"
    assert site.ear.ask(second)["code"] == "used_id"
    assert site.ear.ask(second | {"id": "another"})["code"] == "used_seq"
    status = site.wait_status(lambda s: s["in_control"] == "override", 10, since)
    assert [(o["id"], o["value"]) for o in status["overrides"]] == [(second["id"], 250)]
    site.wait_power("bess1", lambda kw: abs(kw - 250) < 20, 10, since)


def test_a_request_retained_before_the_dispatcher_came_is_refused(site):
    request = site.ear.request("bess1", "stop")
    site.ear.publish("op/anna/req", request, is_retained=True)
    site.simulate()
    since = site.ear.now()
    site.run_to_plan()
    answer = site.ear.wait("op/anna/resp", lambda h: h.document["id"] == request["id"], 5, since).document
    assert (answer["status"], answer["code"]) == ("rejected", "retained")
    site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 10, since)
