"""A condition that demands a response is told once, with its severity and what to do, and cleared when it is over."""

from datetime import timedelta

import pytest

from adapters.operator_messages import read_alarm
from tests.snapshots import battery, course, load, solar
from tests.vpp.dispatch.stage import EPOCH, TOPICS, Stage, led
from vpp.dispatch.alarms import RULES, AlarmBoard
from vpp.domain.command import AckStatus
from vpp.domain.override import SITE
from vpp.domain.unit import Connection, Mode
from vpp.records import AlarmChanged


@pytest.fixture
def stage():
    stage = Stage(battery())
    stage.dispatcher.adopt(course({"bess1": [0.0] * 96}), stage.now)
    return stage.started()


def told(stage, code, asset="bess1"):
    """How often an alarm was told, and whether it stands at the broker."""
    documents = stage.documents(TOPICS.alarm(code, asset))
    return len([d for d in documents if d is not None]), stage.broker.retained(TOPICS.alarm(code, asset)) is not None


def test_a_silent_device_is_told_once_and_cleared_when_it_is_heard(stage):
    for _ in range(40):
        stage.turn()
    assert told(stage, "silent") == (1, True)
    assert stage.retained(TOPICS.alarm("silent", "bess1"))["severity"] == 2
    assert stage.commands("bess1")[1:] == []
    stage.run(1)
    assert told(stage, "silent") == (1, False)
    assert [c.is_cleared for c in stage.recorder.bodies(AlarmChanged)] == [False, True]


def test_nothing_is_said_of_devices_in_the_first_ten_ticks():
    stage = Stage(battery())
    for _ in range(10):
        stage.turn()
    assert stage.alarms() == {}
    stage.turn()
    assert ("silent", "bess1") in stage.alarms()


def test_an_alarm_that_goes_on_differently_is_told_anew_and_keeps_its_beginning(stage):
    for _ in range(15):
        stage.turn()
    began = stage.alarms()["silent", "bess1"].since
    stage.present("bess1", is_online=False)
    stage.turn()
    assert stage.alarms()["silent", "bess1"].message == "bess1 went offline"
    assert stage.alarms()["silent", "bess1"].since == began
    assert told(stage, "silent") == (2, True)


def test_a_device_that_does_not_follow_is_named_and_cleared_when_it_does(stage):
    stage.ask("set_export_kw", 80.0)
    stage.run(8)
    assert told(stage, "not_following") == (1, True)
    assert stage.retained(TOPICS.dispatcher_status)["assets"]["bess1"]["follows"] is False
    stage.run(40, bess1=80.0)
    assert told(stage, "not_following") == (1, False)


def test_a_device_that_is_not_believed_is_sent_nothing_and_named(stage):
    stage.tell("bess1", 5000.0)
    stage.turn()
    assert stage.alarms()["suspect", "bess1"].message == "bess1 is not believed: 5,000 kW is beyond its rating"
    stage.ask("set_export_kw", 80.0)
    stage.run(9)
    assert len(stage.commands("bess1")) == 1
    stage.run(1)
    assert stage.commands("bess1")[-1].export_kw == 80.0
    assert told(stage, "suspect")[1] is False


def test_a_refusal_is_told_with_its_reason_and_cleared_when_a_command_is_taken(stage):
    stage.ack("bess1", AckStatus.REJECTED, "door open")
    stage.run(20)
    assert stage.alarms()["refused", "bess1"].message == "bess1 refuses its set-point: door open"
    stage.ack("bess1")
    stage.turn()
    assert told(stage, "refused") == (1, False)


def test_bad_messages_are_told_until_a_minute_is_quiet(stage):
    stage.publish(TOPICS.tele("bess1"), b"{}")
    stage.run(1)
    assert stage.alarms()["bad_messages", "bess1"].severity == 3
    stage.run(59)
    assert ("bad_messages", "bess1") in stage.alarms()
    stage.run(1)
    assert told(stage, "bad_messages") == (1, False)


def test_a_retained_command_is_cleared_at_the_broker_and_its_asset_named():
    stage = Stage(battery())
    stage.link.drop()
    stage.publish(TOPICS.cmd("bess1"), b'{"export_kw": 100}', is_retained=True)
    stage.link.connect()
    stage.started()
    assert stage.broker.retained(TOPICS.cmd("bess1")) is None
    alarm = stage.alarms()["retained_command", "bess1"]
    assert (alarm.severity, alarm.message) == (1, "a set-point for bess1 was retained at the broker; it was cleared")
    stage.run(61)
    assert told(stage, "retained_command") == (1, False)


def test_our_own_commands_are_not_taken_for_retained_ones(stage):
    stage.run(40)
    assert stage.alarms() == {}
    assert stage.broker.retained(TOPICS.cmd("bess1")) is None


@pytest.mark.parametrize(("jump_s", "words"), [(3600.0, "+3,600 s"), (-3600.0, "-3,600 s")])
def test_a_clock_that_is_set_is_told_and_leases_go_on(stage, jump_s, words):
    stage.now += timedelta(seconds=jump_s)
    stage.run(1)
    assert stage.alarms()["clock_jump", SITE].message == f"the clock was moved by {words}"
    assert stage.dispatcher.leases.remaining_s("bess1", stage.mono_s) == 59.0
    stage.run(30)
    assert told(stage, "clock_jump", SITE) == (1, True)


def test_a_clock_that_drifts_by_less_than_two_seconds_is_not_told(stage):
    stage.now += timedelta(seconds=1.9)
    stage.run(1)
    assert stage.alarms() == {}


def test_an_hour_after_its_last_jump_a_clock_is_good_again(stage):
    stage.now += timedelta(hours=1)
    stage.run(1)
    stage.turn(3601.0)
    assert told(stage, "clock_jump", SITE) == (1, False)


def test_a_device_that_follows_a_later_term_silences_this_dispatcher(stage):
    stage.tell("bess1", lease=led(epoch=EPOCH + 1))
    stage.ask("stop", asset="site")
    stage.run(60)
    assert len(stage.commands("bess1")) == 1
    assert stage.alarms()["fenced", SITE].message == f"bess1 follows term {EPOCH + 1}, ours is {EPOCH}"
    assert stage.alarms()["fenced", SITE].severity == 1


def test_a_device_that_accepts_a_later_term_silences_this_dispatcher(stage):
    stage.ack("bess1", AckStatus.ACCEPTED, epoch=EPOCH + 1, seq=1)
    stage.run(60)
    assert len(stage.commands("bess1")) == 1


def test_a_later_term_that_a_device_refused_silences_nobody(stage):
    stage.ack("bess1", AckStatus.REJECTED, epoch=10**9, seq=1)
    stage.run(60)
    assert len(stage.commands("bess1")) == 4
    assert ("fenced", SITE) not in stage.alarms()


def test_an_earlier_term_is_simply_taken_over():
    stage = Stage(battery())
    stage.born()
    stage.tell("bess1", 60.0, lease=led(epoch=EPOCH - 1))
    stage.turn()
    assert stage.alarms() == {}
    assert stage.commands("bess1")[0].epoch == EPOCH


def reclaimed(export_kw=60.0, **fields):
    stage = Stage(battery())
    stage.dispatcher.adopt(course({"bess1": [40.0] * 8}), stage.now)
    stage.born()
    stage.tell("bess1", export_kw, **fields)
    stage.turn()
    return stage


def test_a_store_found_running_without_a_lease_is_brought_to_rest_before_the_plan():
    stage = reclaimed()
    assert [command.export_kw for command in stage.commands("bess1")] == [0.0]
    assert stage.alarms()["unowned", "bess1"].message == "bess1 was found in gfl at 60 kW, led by nobody"
    stage.tell("bess1", 30.0, lease=led())
    stage.turn()
    assert [command.export_kw for command in stage.commands("bess1")] == [0.0]
    stage.tell("bess1", 0.0, lease=led())
    stage.turn()
    assert [command.export_kw for command in stage.commands("bess1")] == [0.0, 40.0]
    assert told(stage, "unowned") == (1, False)


def test_a_store_that_comes_up_at_rest_follows_the_plan_at_once():
    stage = reclaimed(1.0)
    assert [command.export_kw for command in stage.commands("bess1")] == [40.0]
    assert stage.alarms() == {}


def test_a_store_that_does_not_come_to_rest_is_led_by_the_plan_after_thirty_ticks():
    stage = reclaimed()
    for second in range(31):
        stage.tell("bess1", 60.0 + second / 100, lease=led())
        stage.turn()
    assert stage.commands("bess1")[-1].export_kw == 40.0
    assert told(stage, "unowned") == (1, False)


def test_a_store_found_running_after_a_reboot_is_looked_at_again(stage):
    stage.born(boot_id="b2")
    stage.tell("bess1", 60.0)
    stage.turn()
    assert ("unowned", "bess1") in stage.alarms()


def test_a_unit_found_forming_the_grid_is_named_and_never_told_to_follow():
    stage = reclaimed(10.0, mode=Mode.GFM_DROOP)
    for _ in range(60):
        stage.tell("bess1", 10.0, mode=Mode.GFM_DROOP)
        stage.turn()
    assert stage.commands("bess1") == []
    assert ("unowned", "bess1") in stage.alarms()


def test_sun_that_shines_without_a_lease_is_nobodys_fault():
    stage = Stage(solar())
    stage.born()
    stage.tell("pv1", 80.0, None)
    stage.turn()
    assert stage.alarms() == {}


def test_no_plan_is_told_after_thirty_ticks_and_cleared_by_one():
    stage = Stage(battery()).started()
    stage.run(29)
    assert ("no_plan", SITE) not in stage.alarms()
    stage.run(1)
    assert stage.alarms()["no_plan", SITE].message == "no plan covers this instant"
    stage.dispatcher.adopt(course({"bess1": [0.0] * 8}), stage.now)
    stage.run(1)
    assert told(stage, "no_plan", SITE) == (1, False)


def test_a_shortfall_is_told_after_two_ticks_in_kilowatts():
    stage = Stage(battery(), battery("bess2")).started()
    stage.ask("set_export_kw", 150.0, "site")
    stage.run(1, bess1=75.0, bess2=75.0)
    assert ("shortfall", SITE) not in stage.alarms()
    stage.present("bess2", is_online=False)
    for _ in range(2):
        stage.tell("bess1", 100.0)
        stage.turn()
    assert stage.alarms()["shortfall", SITE].message == "50 kW of 150 kW cannot be delivered"
    assert stage.retained(TOPICS.dispatcher_status)["site"]["residual_kw"] == 50.0
    stage.present("bess2")
    stage.run(1, bess1=100.0, bess2=0.0)
    assert told(stage, "shortfall", SITE) == (1, False)


def test_a_site_over_its_limit_for_five_ticks_is_told():
    stage = Stage(battery(), load(), connection=Connection(50.0, 50.0)).started()
    for count in range(5):
        assert ("over_limit", SITE) not in stage.alarms(), count
        stage.run(1, load1=-200.0)
    assert stage.alarms()["over_limit", SITE].message == "the site imports 200 kW, allowed are 50"
    stage.run(1, load1=-40.0)
    assert told(stage, "over_limit", SITE) == (1, False)


def test_alarms_of_an_earlier_term_are_cleared_when_they_do_not_stand():
    stage = Stage(battery())
    stage.link.drop()
    stage.publish(TOPICS.alarm("over_limit", "site"), b'{"severity": 1}', is_retained=True)
    stage.link.connect()
    stage.started()
    assert stage.broker.retained(TOPICS.alarm("over_limit", "site")) is None


def test_an_alarm_that_ended_while_the_broker_was_away_is_cleared_there():
    stage = Stage(battery()).started()
    stage.run(30)
    stage.link.drop()
    stage.dispatcher.adopt(course({"bess1": [0.0] * 8}), stage.now)
    stage.turn()
    assert ("no_plan", SITE) not in stage.alarms()
    assert told(stage, "no_plan", SITE) == (1, True)
    stage.link.connect()
    stage.run(1)
    assert told(stage, "no_plan", SITE) == (1, False)


def test_an_alarm_that_stands_is_told_again_on_every_connection(stage):
    for _ in range(15):
        stage.turn()
    stage.link.drop()
    stage.publish(TOPICS.alarm("silent", "bess1"), b"", is_retained=True)
    stage.link.connect()
    assert stage.broker.retained(TOPICS.alarm("silent", "bess1")) is not None


@pytest.mark.parametrize("code", RULES)
def test_every_alarm_says_what_to_do_on_one_line(code):
    board, stage = AlarmBoard(), Stage(battery())
    board.set(code, "bess1", "something", stage.now)
    (alarm,) = board.standing()
    assert read_alarm(code, "bess1", stage.post.alarm(alarm, stage.now).payload) == alarm
    assert alarm.severity in (1, 2, 3)
    assert all((alarm.cause, alarm.consequence, alarm.remedy, alarm.cleared_when))


def test_the_most_urgent_alarm_stands_first_then_the_oldest():
    board, stage = AlarmBoard(), Stage(battery())
    for second, code in enumerate(["bad_messages", "silent", "suspect", "over_limit"]):
        board.set(code, "bess1", "x", stage.now + timedelta(seconds=second))
    assert [alarm.code for alarm in board.standing()] == ["over_limit", "silent", "suspect", "bad_messages"]


def test_an_alarm_raised_and_cleared_between_two_looks_is_told_as_cleared():
    board, stage = AlarmBoard(), Stage(battery())
    board.set("silent", "bess1", "x", stage.now)
    board.clear("silent", "bess1")
    assert [change.is_cleared for change in board.take_changes()] == [True]
    assert board.take_changes() == []
