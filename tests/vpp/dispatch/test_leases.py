"""A set-point is a lease: renewed after a third of its time, sent at once when it changes, never out of order."""

from math import inf

import pytest

from tests.snapshots import battery, solar
from tests.vpp.dispatch.stage import Stage, led
from vpp.domain.command import AckStatus
from vpp.domain.unit import Connection


@pytest.fixture
def stage():
    return Stage(battery()).started()


def powers(stage, name="bess1"):
    return [command.export_kw for command in stage.commands(name)]


def test_a_lease_is_renewed_after_a_third_of_its_time(stage):
    assert len(stage.commands("bess1")) == 1
    stage.run(19)
    assert len(stage.commands("bess1")) == 1
    stage.run(1)
    assert len(stage.commands("bess1")) == 2


def test_a_command_holds_sixty_seconds_from_its_receipt_and_on_the_clock(stage):
    command = stage.commands("bess1")[0]
    assert command.ttl_ms == 60_000
    assert command.issued_at == stage.now
    assert (command.valid_until - command.issued_at).total_seconds() == 60
    assert command.not_before <= command.issued_at


def test_epoch_and_sequence_number_rise_with_every_command(stage):
    stage.run(61)
    orders = [(command.epoch, command.seq) for command in stage.commands("bess1")]
    assert orders == [(3, 1), (3, 2), (3, 3), (3, 4)]


def test_a_change_within_half_a_percent_of_the_rating_waits_and_a_larger_one_does_not(stage):
    stage.ask("set_export_kw", 50.0)
    stage.run(1)
    stage.ask("set_export_kw", 50.5)
    stage.run(1)
    assert powers(stage) == [0.0, 50.0]
    stage.ask("set_export_kw", 50.6)
    stage.run(1)
    assert powers(stage) == [0.0, 50.0, 50.6]


def test_a_stop_goes_out_at_once_however_small_the_change(stage):
    stage.ask("set_export_kw", 0.4)
    stage.run(20)
    assert powers(stage)[-1] == 0.4
    stage.ask("stop")
    stage.run(1)
    assert powers(stage)[-1] == 0.0


def test_a_limit_of_the_site_is_kept_at_once_however_small_the_change():
    stage = Stage(battery(), connection=Connection(100.0, 60.0)).started()
    stage.ask("set_export_kw", 100.0)
    stage.run(1)
    assert powers(stage)[-1] == 60.0
    stage.ask("limit_kw", 59.9, "site")
    stage.run(1)
    assert powers(stage)[-1] == 59.9


def test_a_slow_ramp_moves_every_second():
    # 0.2 kW a second is less than the dead band of 0.5 kW: it must not wait for the renewal each time.
    stage = Stage(battery(ramp_kw_per_s=0.2)).started()
    stage.ask("set_export_kw", 2.0)
    stage.turn()
    for _ in range(4):
        stage.tell("bess1", powers(stage)[-1])
        stage.turn()
    assert powers(stage) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_refused_command_is_not_tried_again_before_its_renewal(stage):
    stage.ask("set_export_kw", 50.0)
    stage.run(1)
    stage.ack("bess1", AckStatus.REJECTED, "door open")
    stage.run(18)
    assert powers(stage) == [0.0, 50.0]
    stage.run(2)
    assert powers(stage) == [0.0, 50.0, 50.0]


def test_a_device_that_refused_is_not_sent_each_new_value_but_every_stop(stage):
    stage.ask("set_export_kw", 50.0)
    stage.run(1)
    stage.ack("bess1", AckStatus.REJECTED, "door open")
    stage.ask("set_export_kw", 60.0)
    stage.run(1)
    assert powers(stage) == [0.0, 50.0]
    stage.ask("stop")
    stage.run(1)
    assert powers(stage) == [0.0, 50.0, 0.0]


def test_a_refused_command_is_not_in_force_and_its_device_not_blamed(stage):
    stage.ask("set_export_kw", 50.0)
    stage.run(1)
    stage.ack("bess1", AckStatus.REJECTED, "door open")
    assert stage.dispatcher.leases.in_force(stage.mono_s) == {}
    assert stage.alarms()["refused", "bess1"].message == "bess1 refuses its set-point: door open"
    stage.run(10)
    assert ("not_following", "bess1") not in stage.alarms()


def test_an_answer_to_an_older_command_says_nothing_of_the_latest(stage):
    stage.ask("set_export_kw", 50.0)
    stage.run(1)
    stage.ack("bess1", AckStatus.REJECTED, "late", seq=1)
    assert stage.dispatcher.leases.in_force(stage.mono_s)["bess1"].export_kw == 50.0
    assert ("refused", "bess1") not in stage.alarms()


def test_a_lease_that_is_not_renewed_ends():
    stage = Stage(battery()).started()
    stage.turn(59.0)  # the device is silent from here on, and so is not told anything
    assert "bess1" in stage.dispatcher.leases.in_force(stage.mono_s)
    stage.turn(1.0)
    assert stage.dispatcher.leases.in_force(stage.mono_s) == {}
    assert len(stage.commands("bess1")) == 1


def test_a_command_that_the_broker_did_not_take_is_due_again(stage):
    stage.link.drop()
    stage.ask("set_export_kw", 50.0)
    stage.run(25)
    assert powers(stage) == [0.0]
    assert stage.dispatcher.leases.in_force(stage.mono_s)["bess1"].export_kw == 0.0
    stage.link.connect()
    stage.run(1)
    assert len(powers(stage)) == 2


def test_commands_that_may_be_lost_with_a_connection_are_due_anew_and_in_force_until_then(stage):
    stage.run(5)
    assert len(powers(stage)) == 1
    stage.dispatcher.leases.doubt()
    assert "bess1" in stage.dispatcher.leases.in_force(stage.mono_s)
    stage.run(5)
    assert len(powers(stage)) == 2


def test_a_command_without_an_answer_is_sent_anew_ever_more_patiently_until_its_renewal():
    stage = Stage(battery())
    stage.are_deaf = True
    stage.started()
    began = stage.now
    stage.run(60)
    sent_after_s = [(command.issued_at - began).total_seconds() for command in stage.commands("bess1")]
    assert sent_after_s == [0, 3, 9, 21, 41]


def test_a_device_that_hears_again_is_sent_no_more_than_its_renewals():
    stage = Stage(battery())
    stage.are_deaf = True
    stage.started().run(2)
    stage.are_deaf = False
    stage.run(20)
    assert len(stage.commands("bess1")) == 2
    stage.run(1)
    assert len(stage.commands("bess1")) == 3


def test_ceilings_of_sun_are_renewed_too():
    stage = Stage(solar(ramp_kw_per_s=inf))
    stage.born()
    for _ in range(41):
        stage.tell("pv1", 30.0, None, lease=led())
        stage.turn()
    assert powers(stage, "pv1") == [100.0, 100.0, 100.0]
