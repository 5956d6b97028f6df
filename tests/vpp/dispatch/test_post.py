"""A message that is malformed, oversized or impossible is refused, counted and named, and never reaches a decision."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.device_messages import telemetry_bytes
from tests.snapshots import NOW, battery, course, solar, telemetry
from tests.vpp.dispatch.stage import TOPICS, Stage
from vpp.domain.override import SITE
from vpp.records import Decided

GOOD = json.loads(telemetry_bytes(telemetry("bess1", 5.0, seq=2)))
BAD = {
    "nan": b'{"export_kw": NaN}',
    "nothing": b"",
    "no_json": b"hello",
    "no_utf8": b"\xff\xfe\x00",
    "a_list": b"[]",
    "deep": b"[" * 19_000,
    "too_long": b" " * 30_000 + json.dumps(GOOD).encode(),
    "key_twice": json.dumps(GOOD).encode()[:-1] + b', "seq": 3}',
    **{
        f"{key}={value!r}": json.dumps(GOOD | {key: value}).encode()
        for key, value in {
            "export_kw": "12 kW",
            "soc_fraction": -0.5,
            "stored_kwh": -1.0,
            "frequency_hz": 500.0,
            "mode": "turbo",
            "quality": None,
            "seq": -1,
            "at": "yesterday",
        }.items()
    },
    "export_kw=1e308": json.dumps(GOOD).replace("5.0", "1e308").encode(),
    "export_kw=Infinity": json.dumps(GOOD).replace("5.0", "Infinity").encode(),
}


@pytest.fixture
def stage():
    return Stage(battery()).started()


@pytest.mark.parametrize("payload", BAD.values(), ids=BAD)
def test_a_bad_message_is_refused_and_counted_and_the_last_good_value_stays(stage, payload):
    refused = stage.link.counters.refused
    stage.publish(TOPICS.tele("bess1"), payload)
    stage.turn()
    assert stage.link.counters.refused == refused + 1
    assert stage.reading("bess1").telemetry.seq == 1
    assert stage.reading("bess1").age_s == 2.0
    if len(payload) < 20_000:  # what is longer, the connection itself refuses
        assert stage.retained(TOPICS.dispatcher_status)["refused_messages"] == {"bess1": {"malformed": 1}}
        assert ("bad_messages", "bess1") in stage.alarms()


def test_bad_messages_alone_make_a_device_stale(stage):
    for _ in range(4):
        stage.publish(TOPICS.tele("bess1"), b"{}")
        stage.turn()
    assert stage.reading("bess1").why == "silent for 5 s"


KINDS = ["tele", "birth", "state", "ack"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NEARLY = st.dictionaries(st.sampled_from(sorted(GOOD)), JSON, max_size=3).map(
    lambda changes: json.dumps(GOOD | {"seq": 50} | changes).encode()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(KINDS), payload=st.binary(max_size=40) | JSON.map(lambda j: json.dumps(j).encode()) | NEARLY
)
def test_whatever_a_device_sends_every_tick_is_taken_and_stays_within_limits(kind, payload):
    stage = Stage(battery())
    stage.dispatcher.adopt(course({"bess1": [40.0] * 8}), NOW)
    stage.started()
    stage.publish(f"{TOPICS.root}bess1/{kind}", payload)
    stage.turn()
    for decided in stage.recorder.bodies(Decided):
        told = decided.snapshot.readings["bess1"].fresh
        assert told is None or -106.0 <= told.export_kw <= 106.0
    assert all(-100.0 <= command.export_kw <= 100.0 for command in stage.commands("bess1"))


@settings(max_examples=100, deadline=None)
@given(
    topic=st.sampled_from(["op/ada/req", "feed/pv1", "market/regulation/signal", "alarm/x/y", "bess1/cmd"]),
    payload=st.binary(max_size=60) | JSON.map(lambda j: json.dumps(j).encode()),
)
def test_whatever_anybody_else_sends_a_turn_is_taken(topic, payload):
    stage = Stage(battery()).started()
    stage.publish(f"{TOPICS.root}{topic}", payload)
    stage.turn()
    assert stage.dispatcher.desk.overrides == ()
    assert stage.dispatcher.latest.snapshot.signal is None


def test_a_flood_of_telemetry_is_dropped_by_its_numbers(stage):
    for _ in range(1000):
        stage.tell("bess1", 3.0, seq=5)
    assert stage.dispatcher.mailbox.refusals() == {"bess1": {"old_seq": 999}}
    assert stage.reading("bess1").fresh.export_kw == 3.0


# Signals of a market


def led_by_plan():
    stage = Stage(battery(), battery("bess2"))
    stage.dispatcher.adopt(course({"bess1": [20.0] * 8, "bess2": [0.0] * 8}), stage.now)
    stage.started()
    stage.run(1, bess1=20.0)
    return stage


def commanded(stage):
    return [stage.commands(name)[-1].export_kw for name in ("bess1", "bess2")]


def test_a_signal_moves_the_site_by_its_share_of_what_is_held():
    stage = led_by_plan()
    assert commanded(stage) == [20.0, 0.0]
    stage.signal(0.6)  # of 50 kW
    stage.run(1, bess1=20.0)
    assert sum(commanded(stage)) == pytest.approx(50.0)
    assert stage.retained(TOPICS.dispatcher_status)["site"]["target_kw"] == 50.0
    stage.signal(-1.0)
    stage.run(1, bess1=20.0)
    assert sum(commanded(stage)) == pytest.approx(-30.0)


def test_a_signal_holds_ten_seconds_without_a_new_one():
    stage = led_by_plan()
    stage.signal(0.6)
    stage.run(10, bess1=35.0, bess2=15.0)
    assert sum(commanded(stage)) == pytest.approx(50.0)
    stage.run(1, bess1=35.0, bess2=15.0)
    assert commanded(stage) == [20.0, 0.0]


@pytest.mark.parametrize(
    ("value", "fields"),
    [(1.01, {}), (-5.0, {}), (0.5, {"age_s": 11.0}), (0.5, {"age_s": -11.0}), (0.5, {"product": "unknown"})],
    ids=["above_one", "below_minus_one", "late", "from_the_future", "unknown_product"],
)
def test_a_signal_that_cannot_be_meant_is_refused(value, fields):
    stage = led_by_plan()
    refused = stage.link.counters.refused
    stage.signal(value, **fields)
    stage.run(1, bess1=20.0)
    assert stage.link.counters.refused == refused + 1
    assert commanded(stage) == [20.0, 0.0]


def test_of_two_signals_the_later_one_counts_in_whatever_order_they_come():
    stage = led_by_plan()
    stage.signal(0.6)
    stage.signal(-0.6, age_s=4.0)
    stage.run(1, bess1=20.0)
    assert sum(commanded(stage)) == pytest.approx(50.0)


def test_a_retained_signal_is_refused():
    stage = led_by_plan()
    stage.link.drop()
    payload = json.dumps({"at": stage.now.isoformat(), "value": 1.0}).encode()
    stage.publish(TOPICS.signal("regulation"), payload, is_retained=True)
    stage.link.connect()
    stage.run(1, bess1=20.0)
    assert stage.dispatcher.latest.snapshot.signal is None


def test_what_one_asset_cannot_deliver_goes_to_the_others_in_the_next_tick():
    # ACC-10 at full load: 12 MW of 15; the 4 MW asset stops answering: 11 MW and a shortfall of 1 MW, then 12 again.
    names = {f"a{size}": size * 1000.0 for size in (5, 4, 3, 2, 1)}
    stage = Stage(*(battery(name, kw, 1e6) for name, kw in names.items()))
    stage.born()

    def run(count, silent=()):
        for _ in range(count):
            for name in names:
                done = stage.commands(name)[-1].export_kw if stage.commands(name) else 0.0
                if name not in silent:
                    stage.tell(name, done, 5e5)
            stage.turn()

    def carried(without=()):
        return sum(stage.commands(name)[-1].export_kw for name in names if name not in without)

    run(1)
    stage.ask("set_export_kw", 12_000.0, "site")
    run(3)
    assert carried() == pytest.approx(12_000.0)
    run(4, silent=["a4"])  # a value counts for three periods
    assert carried(without=["a4"]) == pytest.approx(11_000.0)
    assert stage.retained(TOPICS.dispatcher_status)["site"]["residual_kw"] == pytest.approx(1000.0)
    run(1, silent=["a4"])
    assert stage.alarms()["shortfall", SITE].message == "1,000 kW of 12,000 kW cannot be delivered"
    run(2)
    assert carried() == pytest.approx(12_000.0)
    assert stage.retained(TOPICS.dispatcher_status)["site"]["residual_kw"] == pytest.approx(0.0)


def test_a_message_of_an_asset_that_is_not_of_this_site_is_passed_over(stage):
    stage.post.receive(replace(stage.heard[0], topic=f"{TOPICS.root}ghost/tele"), stage.now, stage.mono_s)
    assert "ghost" not in stage.dispatcher.mailbox.readings(stage.mono_s)


def test_a_dispatcher_says_that_it_is_there_and_its_will_that_it_has_gone(stage):
    state = stage.retained(TOPICS.dispatcher_state)
    assert (state["online"], state["epoch"], state["instance"]) == (True, 3, "instance1")
    stage.link.drop()
    assert stage.retained(TOPICS.dispatcher_state)["online"] is False


def test_the_plan_in_force_is_told_again_on_every_connection():
    stage = Stage(solar())
    stage.dispatcher.adopt(course({"pv1": [10.0] * 8}, curtailed={"pv1": [False] * 8}), stage.now)
    stage.link.drop()
    stage.link.connect()
    assert stage.retained(TOPICS.plan)["id"] == "plan1"
    assert stage.retained(TOPICS.plan)["export_kw"] == {"pv1": [10.0] * 8}
