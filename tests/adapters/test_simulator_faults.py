"""Each fault of a simulated device does what it says, for as long as it says, and nothing else."""

from datetime import timedelta

import pytest

from adapters.device_messages import read_birth, read_state, read_telemetry
from adapters.messages import MessageError
from optimizer.assets import device_of
from tests.adapters.bench import ACCEPTED, EXPIRED, REACHED, REJECTED, START, TOPICS, Bench
from tests.sites import battery, load, solar
from vpp.domain.unit import Mode

BIRTH, STATE = TOPICS.birth("bess1"), TOPICS.state("bess1")
TELE = TOPICS.tele("bess1")


def working(*faults, **options):
    """A device that was told to deliver 40 kW for an hour."""
    bench = Bench(*faults, **options)
    bench.tell(bench.command(40.0, ttl_s=3600))
    return bench


def real(*faults, asset=None):
    """A device with the physics of a battery, or another asset."""
    asset = asset or battery()
    made = device_of(asset).make(asset, lambda _: 50.0, 0.0, 1)
    return Bench(*faults, unit=asset.unit(), physics=made)


def test_without_a_fault_telemetry_comes_each_second_with_a_rising_seq():
    bench = real()
    bench.tell(bench.command(40.0))
    bench.pass_time(30, step_s=0.1)
    told = bench.telemetry()
    assert [one.seq for one in told] == list(range(1, 32))
    assert [(one.at - START).total_seconds() for one in told] == pytest.approx([0.1, *range(1, 31)])
    assert told[-1].export_kw == pytest.approx(40, rel=0.01)
    assert told[-1].soc_fraction == pytest.approx(told[-1].stored_kwh / 200, abs=1e-6)
    assert told[-1].limits.charge_kw == 100


def test_a_long_step_of_time_brings_one_message_and_no_backlog():
    bench = working()
    bench.pass_time(60, step_s=60)
    bench.pass_time(2.95, step_s=0.1)
    assert len(bench.telemetry()) == 3


def test_the_ramp_of_a_command_is_kept():
    bench = real()
    bench.tell(bench.command(40.0, ramp_kw_per_s=10.0))
    bench.pass_time(3)
    assert bench.device.export_kw == pytest.approx(28, abs=0.5)


def test_a_ceiling_above_what_there_is_counts_as_reached():
    bench = real(asset=solar())
    command = bench.command(200_000.0)
    bench.tell(command)
    bench.pass_time(2)
    assert bench.statuses(command) == [ACCEPTED, REACHED]
    assert bench.device.export_kw == pytest.approx(50, rel=0.05)


def test_a_greeting_is_a_retained_birth_and_a_retained_state():
    bench = Bench()
    birth, state = bench.device.greeting()
    assert birth.is_retained
    assert state.is_retained
    told = read_birth("bess1", birth.payload)
    assert (told.charge_kw, told.discharge_kw, told.energy_kwh) == (100, 100, 100)
    assert (told.fallback, told.is_clock_synced, told.modes) == ("ramp_to_zero", True, (Mode.GFL, Mode.STANDBY))
    assert read_state("bess1", state.payload).is_online
    will = bench.device.will()
    assert will.is_retained
    assert not read_state("bess1", will.payload).is_online


def test_a_load_of_unknown_rating_has_a_valid_birth():
    bench = real(asset=load())
    birth, _ = bench.device.greeting()
    assert read_birth("load1", birth.payload).charge_kw > 1e6


def test_a_silent_device_says_nothing_and_still_does_what_it_is_told():
    bench = Bench({"fault": "silent", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    before = len(bench.sent)
    bench.tell(bench.command(40.0))
    bench.pass_time(14)
    assert len(bench.sent) == before
    assert bench.device.export_kw == 40
    bench.pass_time(5)
    assert bench.telemetry()[-1].export_kw == 40


def test_stuck_telemetry_repeats_its_values_under_fresh_time_stamps():
    bench = real({"fault": "stuck", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    bench.tell(bench.command(40.0))
    bench.pass_time(14)
    stuck = bench.telemetry()[-14:]
    assert len({(one.export_kw, one.stored_kwh, one.temperature_c) for one in stuck}) == 1
    assert [one.seq for one in stuck] == list(range(16, 30))
    assert stuck[-1].at == bench.now
    assert bench.device.export_kw == pytest.approx(40, rel=0.01)
    bench.pass_time(5)
    assert bench.telemetry()[-1].export_kw == pytest.approx(40, rel=0.01)


def test_a_device_that_refuses_rejects_and_keeps_the_command_in_force():
    bench = working({"fault": "refuse", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    assert bench.tell(bench.command(5.0, seq=2)) == [REJECTED]
    assert bench.acks()[-1].reason.startswith("refused:")
    assert bench.device.export_kw == 40
    bench.pass_time(20)
    assert bench.tell(bench.command(5.0, seq=3))[0] is ACCEPTED


def test_a_device_that_ignores_set_points_accepts_and_stays_where_it_is():
    bench = working({"fault": "ignore", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    command = bench.command(-40.0, seq=2)
    bench.tell(command)
    bench.pass_time(14)
    assert bench.device.export_kw == 40
    assert REACHED not in bench.statuses(command)
    bench.pass_time(5)
    assert bench.device.export_kw == -40
    assert REACHED in bench.statuses(command)


def test_half_a_gain_gives_half_the_power():
    bench = working({"fault": "gain", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    assert bench.device.export_kw == 20
    bench.pass_time(20)
    assert bench.device.export_kw == 40


def test_a_reboot_drops_the_lease_and_comes_back_under_a_new_boot_id():
    bench = working({"fault": "reboot", "at_s": 10})
    boot_id = read_birth("bess1", bench.device.greeting()[0].payload).boot_id
    bench.pass_time(12)
    assert bench.device.export_kw == 0
    assert not read_state("bess1", bench.said(STATE)[-1]).is_online
    assert bench.tell(bench.command(5.0, seq=2)) == []
    assert bench.device.greeting() == ()
    bench.pass_time(8)
    reborn = read_birth("bess1", bench.said(BIRTH)[-1])
    assert reborn.boot_id != boot_id
    assert read_state("bess1", bench.said(STATE)[-1]).is_online
    told = bench.telemetry()[-1]
    assert (told.boot_id, told.lease, told.export_kw) == (reborn.boot_id, None, 0)
    assert told.seq == 6


def test_garbage_is_refused_by_every_reader_and_ends():
    bench = working({"fault": "garbage", "at_s": 10, "for_s": 20})
    bench.pass_time(29)
    for payload in bench.said(TELE)[9:]:
        with pytest.raises(MessageError):
            read_telemetry("bess1", payload)
    assert len(set(bench.said(TELE)[9:])) > 10
    bench.pass_time(1)
    assert read_telemetry("bess1", bench.said(TELE)[-1]).export_kw == 40


def test_garbage_of_a_device_without_a_store_is_refused_too():
    bench = real({"fault": "garbage"}, asset=load())
    bench.pass_time(20)
    assert len(bench.said(TOPICS.tele("load1"))) == 20
    assert bench.telemetry() == []


def test_a_wrong_unit_is_a_thousand_times_the_power():
    bench = working({"fault": "wrong_unit", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    told = bench.telemetry()[-1]
    assert (told.export_kw, told.limits.charge_kw, told.stored_kwh) == (40_000, 100_000, 50)
    assert bench.device.export_kw == 40


@pytest.mark.parametrize(("by_fraction", "stored_kwh"), [(-0.3, 20), (0.3, 80), (-0.9, 0), (0.9, 100)])
def test_a_jump_of_the_state_of_charge_is_told_and_not_real(by_fraction, stored_kwh):
    bench = working({"fault": "soc_jump", "at_s": 10, "for_s": 20, "by_fraction": by_fraction})
    bench.pass_time(15)
    told = bench.telemetry()[-1]
    assert told.stored_kwh == pytest.approx(stored_kwh)
    assert told.soc_fraction == pytest.approx(stored_kwh / 100)
    assert bench.device.stored_kwh == 50
    bench.pass_time(20)
    assert bench.telemetry()[-1].stored_kwh == 50


def test_duplicated_messages_come_twice():
    bench = working({"fault": "duplicated", "at_s": 10, "for_s": 20})
    bench.pass_time(15)
    assert [one.seq for one in bench.telemetry()[-6:]] == [13, 13, 14, 14, 15, 15]


def test_late_messages_come_with_their_old_time_stamps():
    bench = working({"fault": "late", "at_s": 10, "for_s": 20, "delay_s": 5})
    bench.pass_time(14)
    assert bench.telemetry()[-1].seq == 9
    bench.pass_time(4)
    told = bench.telemetry()[-1]
    assert told.seq == 13
    assert bench.now - told.at == timedelta(seconds=5)


def test_messages_out_of_order_come_in_swapped_pairs_and_none_is_lost():
    bench = working({"fault": "out_of_order", "at_s": 10, "for_s": 5})
    bench.pass_time(20)
    seqs = [one.seq for one in bench.telemetry()]
    assert seqs[9:14] == [11, 10, 13, 12, 15]
    assert sorted(seqs) == list(range(1, 21))


def test_a_wrong_clock_shows_in_time_stamps_and_refuses_what_seems_late():
    bench = working({"fault": "clock_offset", "at_s": 10, "for_s": 20, "offset_s": 3600})
    bench.pass_time(15)
    assert bench.telemetry()[-1].at - bench.now == timedelta(hours=1)
    assert bench.tell(bench.command(5.0, seq=2)) == [REJECTED]
    assert bench.acks()[-1].reason.startswith("late:")


def test_a_tripped_device_carries_no_power_loses_its_lease_and_takes_no_command():
    bench = working({"fault": "trip", "at_s": 10, "for_s": 20})
    first = bench.command(40.0)
    bench.pass_time(15)
    told = bench.telemetry()[-1]
    assert bench.device.export_kw == told.export_kw == bench.physics.told[-1][0] == 0
    assert (told.mode, told.limits.discharge_kw, told.lease) == (Mode.STANDBY, 0, None)
    assert bench.statuses(first)[-1] is EXPIRED
    assert bench.tell(bench.command(5.0, seq=2)) == [REJECTED]
    bench.pass_time(20)
    assert bench.device.export_kw == 0
    assert bench.tell(bench.command(5.0, seq=3)) == [ACCEPTED]


def test_a_tripped_load_draws_nothing():
    bench = real({"fault": "trip", "at_s": 10, "for_s": 10}, asset=load())
    bench.pass_time(15)
    assert bench.telemetry()[-1].export_kw == 0
    bench.pass_time(10)
    assert bench.telemetry()[-1].export_kw == pytest.approx(-50, rel=0.05)


def test_a_disconnected_device_leaves_its_will_and_its_lease_runs_on():
    bench = Bench({"fault": "disconnect", "at_s": 10, "for_s": 20})
    bench.tell(bench.command(40.0, ttl_s=15))
    boot_id = read_birth("bess1", bench.device.greeting()[0].payload).boot_id
    bench.pass_time(12)
    assert bench.device.export_kw == 40
    assert not read_state("bess1", bench.said(STATE)[-1]).is_online
    assert bench.tell(bench.command(5.0, seq=2)) == []
    before = len(bench.sent)
    bench.pass_time(17)
    assert bench.device.export_kw == 0
    assert len(bench.sent) == before
    bench.pass_time(3)
    assert read_state("bess1", bench.said(STATE)[-1]).is_online
    assert read_birth("bess1", bench.said(BIRTH)[-1]).boot_id == boot_id


def test_what_is_on_its_way_is_lost_with_the_connection():
    bench = working({"fault": "late", "delay_s": 5, "for_s": 10}, {"fault": "disconnect", "at_s": 10, "for_s": 2})
    bench.pass_time(30)
    assert [one.seq for one in bench.telemetry()] == [1, 2, 3, 4, *range(12, 31)]


def test_what_waits_to_be_swapped_is_lost_with_the_connection():
    bench = working({"fault": "out_of_order", "at_s": 5, "for_s": 5}, {"fault": "disconnect", "at_s": 8, "for_s": 2})
    bench.pass_time(12)
    assert [one.seq for one in bench.telemetry()] == [1, 2, 3, 4, 6, 5, 10, 11, 12]


def test_two_faults_at_a_time_add_up():
    bench = working({"fault": "gain", "factor": 0.25}, {"fault": "wrong_unit"})
    bench.pass_time(5)
    assert bench.telemetry()[-1].export_kw == 10_000


def test_what_the_broker_does_not_take_is_not_kept():
    bench = working()
    bench.takes = False
    bench.pass_time(10)
    bench.takes = True
    bench.pass_time(1)
    assert [one.seq for one in bench.telemetry()] == [11]


def test_the_same_seed_and_faults_give_the_same_messages_byte_for_byte():
    def said():
        bench = real({"fault": "garbage", "at_s": 10, "for_s": 20}, {"fault": "reboot", "at_s": 40})
        bench.tell(bench.command(40.0, ttl_s=30))
        bench.pass_time(60, step_s=0.5)
        return bench.sent

    assert said() == said()
