"""Messages as the interface writes them, read back as they were meant."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from adapters.device_messages import (
    ack_bytes,
    birth_bytes,
    command_bytes,
    read_ack,
    read_birth,
    read_command,
    read_state,
    read_telemetry,
    state_bytes,
    telemetry_bytes,
)
from adapters.market_messages import (
    award_bytes,
    feed_answer_bytes,
    feed_bytes,
    read_award,
    read_feed,
    read_feed_answer,
    read_signal,
    signal_bytes,
)
from adapters.messages import MessageError, json_bytes, one_line
from adapters.operator_messages import (
    alarm_bytes,
    answer_bytes,
    dispatcher_state_bytes,
    read_alarm,
    read_answer,
    read_dispatcher_state,
    read_request,
    request_bytes,
    request_id,
)
from tests.adapters import strategies
from vpp.domain.command import Command, GridForming, Lookahead, Presence
from vpp.domain.telemetry import Birth, Lease, LiveLimits, Quality, Telemetry
from vpp.domain.unit import Fallback, Mode

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
COMMAND = Command(
    asset_id="bess1",
    id="7-42",
    epoch=7,
    seq=42,
    issued_at=NOON,
    not_before=NOON,
    valid_until=NOON.replace(minute=1),
    ttl_ms=60_000,
    mode=Mode.GFL,
    export_kw=-250.5,
    ramp_kw_per_s=None,
    reason="cheapest hour",
)


def test_a_command_has_exactly_the_fields_of_the_interface():
    assert json.loads(command_bytes(COMMAND)) == {
        "v": 1,
        "id": "7-42",
        "epoch": 7,
        "seq": 42,
        "issued_at": "2026-06-01T12:00:00Z",
        "not_before": "2026-06-01T12:00:00Z",
        "valid_until": "2026-06-01T12:01:00Z",
        "ttl_ms": 60000,
        "mode": "gfl",
        "export_kw": -250.5,
        "reactive_kvar": None,
        "ramp_kw_per_s": None,
        "gfm": None,
        "lookahead": [],
        "reason": "cheapest hour",
    }


def test_a_grid_forming_section_is_written_whole():
    gfm = GridForming(10, 2, 50, 1, 0.02, 0.05, 4, 30, -100, 100, 0.02)
    steps = (Lookahead(NOON, 5.0),)
    command = Command(
        **{**{name: getattr(COMMAND, name) for name in COMMAND.__slots__}, "gfm": gfm, "lookahead": steps}
    )
    written = json.loads(command_bytes(command))
    assert list(written["gfm"]) == [
        "p0_kw",
        "q0_kvar",
        "f_ref_hz",
        "v_ref_pu",
        "droop_fraction",
        "voltage_droop_fraction",
        "inertia_s",
        "damping_pu",
        "p_min_kw",
        "p_max_kw",
        "power_filter_s",
    ]
    assert written["lookahead"] == [{"at": "2026-06-01T12:00:00Z", "export_kw": 5.0}]
    del written["gfm"]["damping_pu"]
    with pytest.raises(MessageError, match=r"gfm\.damping_pu is missing"):
        read_command("bess1", json_bytes(written))


def test_a_birth_has_exactly_the_fields_of_the_interface():
    birth = Birth("bess1", "b7", NOON, 1000, 900, 2000, (Mode.GFL,), Fallback.RAMP_TO_ZERO, True, "Acme", "Box", "1.2")
    assert json.loads(birth_bytes(birth)) == {
        "v": 1,
        "asset": "bess1",
        "boot_id": "b7",
        "at": "2026-06-01T12:00:00Z",
        "device": {"vendor": "Acme", "model": "Box", "firmware": "1.2"},
        "capabilities": {"charge_kw": 1000, "discharge_kw": 900, "energy_kwh": 2000, "modes": ["gfl"]},
        "clock": "synced",
        "fallback": "ramp_to_zero",
    }


def test_telemetry_leaves_out_what_is_not_measured():
    least = Telemetry("bess1", NOON, "b7", 3, 12.5, Mode.STANDBY)
    assert json.loads(telemetry_bytes(least)) == {
        "at": "2026-06-01T12:00:00Z",
        "boot_id": "b7",
        "seq": 3,
        "export_kw": 12.5,
        "mode": "standby",
        "quality": "good",
    }


def test_telemetry_by_hand_is_read():
    said = read_telemetry(
        "bess1",
        b"""{"at": "2026-06-01T12:00:00.250+00:00", "boot_id": "b7", "seq": 3, "export_kw": -12, "soc_fraction": 0.5,
        "mode": "gfl", "quality": "suspect", "limits": {"charge_kw": 100, "discharge_kw": 0},
        "firmware_note": {"x": [1]},
        "lease": {"epoch": 1, "seq": 2, "remaining_ms": 30000}}""",
    )
    assert said == Telemetry(
        asset_id="bess1",
        at=NOON.replace(microsecond=250_000),
        boot_id="b7",
        seq=3,
        export_kw=-12.0,
        mode=Mode.GFL,
        quality=Quality.SUSPECT,
        soc_fraction=0.5,
        limits=LiveLimits(100.0, 0.0),
        lease=Lease(1, 2, 30_000),
    )
    assert said.stored_kwh is None


def test_presence_of_a_dispatcher_names_instance_and_epoch():
    presence = Presence("dispatcher", is_online=False, at=NOON, boot_id="i1", epoch=9)
    assert json.loads(dispatcher_state_bytes(presence)) == {
        "online": False,
        "at": "2026-06-01T12:00:00Z",
        "instance": "i1",
        "epoch": 9,
    }


@given(strategies.births)
def test_a_birth_comes_back(birth):
    assert read_birth(birth.asset_id, birth_bytes(birth)) == birth


@given(strategies.device_presences)
def test_a_presence_comes_back(presence):
    assert read_state(presence.owner, state_bytes(presence)) == presence


@given(strategies.telemetry)
def test_telemetry_comes_back(telemetry):
    assert read_telemetry(telemetry.asset_id, telemetry_bytes(telemetry)) == telemetry


@given(strategies.commands)
def test_a_command_comes_back(command):
    assert read_command(command.asset_id, command_bytes(command)) == command


@given(strategies.acks)
def test_an_ack_comes_back(ack):
    assert read_ack(ack.asset_id, ack_bytes(ack)) == ack


@given(strategies.dispatcher_presences)
def test_a_dispatcher_comes_back(presence):
    assert read_dispatcher_state(dispatcher_state_bytes(presence)) == presence


@given(strategies.requests)
def test_a_request_comes_back(request):
    payload = request_bytes(request)
    assert read_request(request.operator, payload) == request
    assert request_id(payload) == request.id


@given(strategies.answers)
def test_an_answer_comes_back(answer):
    assert read_answer(answer.operator, answer_bytes(answer)) == answer


@given(strategies.alarms, strategies.instants)
def test_an_alarm_comes_back(alarm, at):
    assert read_alarm(alarm.code, alarm.asset, alarm_bytes(alarm, at)) == alarm


@given(strategies.feeds)
def test_a_feed_comes_back(feed):
    assert read_feed(feed.series, feed_bytes(feed)) == feed


@given(strategies.feed_answers)
def test_an_answer_to_a_feed_comes_back(answer):
    assert read_feed_answer(answer.series, feed_answer_bytes(answer)) == answer


@given(strategies.awards)
def test_an_award_comes_back(award):
    assert read_award(award.product, award_bytes(award)) == award


@given(strategies.signals)
def test_a_signal_comes_back(signal):
    assert read_signal(signal.product, signal_bytes(signal)) == signal


def test_an_empty_alarm_is_a_cleared_one():
    assert read_alarm("stale", "bess1", b"") is None


def test_words_for_people_stay_on_one_line():
    assert one_line("a\nb\x1b[31mc\u2028d") == "a b [31mc d"
    assert len(one_line("x" * 600)) == 500


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_number_leaves_that_is_none(number):
    with pytest.raises(MessageError):
        json_bytes({"export_kw": number})


def test_an_instant_without_a_zone_does_not_leave():
    with pytest.raises(MessageError, match="time zone"):
        json_bytes({"at": datetime(2026, 1, 1)})  # noqa: DTZ001
