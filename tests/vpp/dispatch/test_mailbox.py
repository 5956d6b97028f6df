"""What devices say is believed only as far as it agrees with physics, with itself and with their births."""

import pytest

from adapters.device_messages import telemetry_bytes
from tests.snapshots import NOW, battery, load, solar, telemetry
from tests.vpp.dispatch.stage import TOPICS, Stage
from vpp.domain.telemetry import Quality, Verdict
from vpp.domain.unit import Mode


@pytest.fixture
def stage():
    return Stage(battery())


def verdict(stage, name="bess1"):
    return stage.reading(name).verdict


def test_nothing_is_known_of_a_device_before_its_birth_and_its_first_values(stage):
    assert stage.reading("bess1").why == "has not announced itself"
    stage.born()
    assert (verdict(stage), stage.reading("bess1").why) == (Verdict.MISSING, "has sent nothing since it came up")
    stage.tell("bess1")
    assert verdict(stage) is Verdict.FRESH


def test_a_value_is_stale_after_three_periods(stage):
    stage.started()
    stage.turn(2.0)  # three seconds after the telemetry
    assert verdict(stage) is Verdict.FRESH
    stage.turn(0.1)
    assert verdict(stage) is Verdict.STALE
    stage.tell("bess1")
    assert verdict(stage) is Verdict.FRESH


def test_telemetry_of_a_boot_that_was_never_announced_is_refused_and_does_not_end_the_known_one(stage):
    stage.started()
    stage.tell("bess1", 77.0, boot_id="stranger", seq=999)
    assert stage.reading("bess1").telemetry.export_kw == 0.0
    assert stage.dispatcher.mailbox.refusals() == {"bess1": {"unknown_boot": 1}}
    stage.tell("bess1", 5.0, seq=2)
    assert stage.reading("bess1").fresh.export_kw == 5.0


def test_an_old_or_repeated_sequence_number_is_dropped(stage):
    stage.born()
    stage.tell("bess1", 5.0, seq=10)
    for seq in (9, 10):
        stage.tell("bess1", 70.0, seq=seq)
    assert stage.reading("bess1").fresh.export_kw == 5.0
    assert stage.dispatcher.mailbox.refusals() == {"bess1": {"old_seq": 2}}


def test_a_new_boot_drops_the_values_and_the_lease_of_the_one_before(stage):
    stage.started()
    assert stage.dispatcher.leases.remaining_s("bess1", stage.mono_s) == 60.0
    stage.born(boot_id="b2")
    assert verdict(stage) is Verdict.MISSING
    assert stage.dispatcher.leases.remaining_s("bess1", stage.mono_s) is None
    stage.tell("bess1")
    stage.turn()
    assert len(stage.commands("bess1")) == 2


def test_the_same_birth_again_changes_nothing(stage):
    stage.started()
    stage.publish(TOPICS.birth("bess1"), stage.broker.retained(TOPICS.birth("bess1")))
    assert verdict(stage) is Verdict.FRESH
    assert stage.dispatcher.leases.remaining_s("bess1", stage.mono_s) == 60.0


def test_a_will_takes_a_device_offline_at_once_and_its_return_brings_it_back(stage):
    stage.started()
    stage.present("bess1", is_online=False)
    assert (verdict(stage), stage.reading("bess1").why) == (Verdict.STALE, "went offline")
    stage.present("bess1")
    assert verdict(stage) is Verdict.FRESH


def test_the_will_of_an_earlier_life_says_nothing_of_this_one(stage):
    stage.started()
    stage.born(boot_id="b2")
    stage.tell("bess1")
    stage.present("bess1", is_online=False, boot_id="b1")
    assert verdict(stage) is Verdict.FRESH


@pytest.mark.parametrize("quality", [Quality.SUSPECT, Quality.BAD, Quality.STALE])
def test_values_that_a_device_itself_doubts_are_not_used(stage, quality):
    stage.born()
    stage.tell("bess1", quality=quality)
    assert verdict(stage) is Verdict.SUSPECT


def test_trust_comes_back_after_ten_values_in_a_row_that_agree(stage):
    stage.born()
    stage.tell("bess1", quality=Quality.BAD)
    for _ in range(9):
        stage.tell("bess1")
        assert verdict(stage) is Verdict.SUSPECT
    stage.tell("bess1")
    assert verdict(stage) is Verdict.FRESH


def test_an_operator_brings_trust_back_at_once(stage):
    stage.born()
    stage.tell("bess1", quality=Quality.BAD)
    stage.turn()
    stage.ask("reset_trip")
    stage.turn()
    assert verdict(stage) is Verdict.FRESH


@pytest.mark.parametrize(
    ("export_kw", "expected"), [(105.9, Verdict.FRESH), (107.0, Verdict.SUSPECT), (-1e5, Verdict.SUSPECT)]
)
def test_power_beyond_the_rating_is_not_believed(stage, export_kw, expected):
    stage.born()
    stage.tell("bess1", export_kw)
    assert verdict(stage) is expected


def test_a_load_of_any_size_is_believed_and_one_that_generates_too():
    stage = Stage(load(power_kw=float("inf")))
    stage.born()
    stage.tell("load1", -1e6, None)
    assert verdict(stage, "load1") is Verdict.FRESH


def test_a_jump_of_stored_energy_beyond_power_and_time_is_not_believed(stage):
    # 200 kWh of capacity: 2 % are 4 kWh, and a second at 100 kW explains 0.03 kWh.
    stage.started()
    stage.tell("bess1", 0.0, 104.0)
    assert verdict(stage) is Verdict.FRESH
    stage.turn()
    stage.tell("bess1", 0.0, 108.1)
    assert verdict(stage) is Verdict.SUSPECT
    assert "jumped by 4.1 kWh" in stage.reading("bess1").why


def test_a_long_silence_explains_a_larger_jump(stage):
    stage.started()
    stage.turn(600.0)  # 100 kW for ten minutes are 16.7 kWh
    stage.tell("bess1", 0.0, 120.0)
    assert verdict(stage) is Verdict.FRESH


def test_more_energy_than_a_store_can_hold_is_not_believed(stage):
    stage.born()
    stage.tell("bess1", 0.0, 205.0)
    assert verdict(stage) is Verdict.SUSPECT


def test_values_that_stay_the_same_while_the_device_should_move_are_stuck(stage):
    stage.started()
    stage.ask("set_export_kw", 80.0)
    stage.run(5)
    assert verdict(stage) is Verdict.FRESH
    stage.run(10)
    assert verdict(stage) is Verdict.SUSPECT
    assert "although it should have moved" in stage.reading("bess1").why


def test_values_that_stay_the_same_at_rest_are_not_stuck(stage):
    stage.started()
    stage.run(40)
    assert verdict(stage) is Verdict.FRESH


def test_sun_that_gives_nothing_at_night_is_not_stuck():
    stage = Stage(solar())
    stage.born()
    for _ in range(40):
        stage.tell("pv1", 0.0, None)
        stage.turn()
    assert verdict(stage, "pv1") is Verdict.FRESH


def test_a_device_that_starts_to_tell_again_after_a_reboot_may_begin_its_numbers_anew(stage):
    stage.born()
    stage.tell("bess1", seq=500)
    stage.born(boot_id="b2")
    payload = telemetry_bytes(telemetry("bess1", 1.0, at=NOW, boot_id="b2", seq=1, mode=Mode.GFL))
    stage.publish(TOPICS.tele("bess1"), payload)
    assert stage.reading("bess1").fresh.export_kw == 1.0
