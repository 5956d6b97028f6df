"""A turn writes down before it sends, and goes on leading when nothing can be written down."""

import pytest

from adapters.device_messages import read_command
from tests.snapshots import battery, course
from tests.vpp.dispatch.stage import TOPICS, Shelf, Stage
from vpp.dispatch.post import MOST_WAITING
from vpp.dispatch.turn import MOST_REQUESTS
from vpp.domain.override import SITE
from vpp.records import AlarmChanged, Answered, Commanded, Decided


@pytest.fixture
def stage():
    return Stage(battery()).started()


def test_a_command_is_written_down_before_it_is_sent():
    class Watching(Shelf):
        async def append(self, entries):
            heard.append([m for m in stages[0].heard if m.topic == TOPICS.cmd("bess1")] if stages else [])
            await super().append(entries)

    stages, heard = [], []
    stages.append(Stage(battery(), recorder=Watching()))
    stages[0].started()
    assert heard == [[]]
    assert len(stages[0].commands("bess1")) == 1


def test_a_command_is_sent_exactly_as_it_was_written_down(stage):
    stage.ask("set_export_kw", 33.0)
    stage.run(25, bess1=33.0)
    written = [body.command for body in stage.recorder.bodies(Commanded)]
    assert written == stage.commands("bess1")
    assert [command.seq for command in written] == [1, 2, 3]


def test_a_decision_is_written_down_with_the_commands_that_come_of_it(stage):
    (decided,) = stage.recorder.bodies(Decided)
    assert decided.outcome["bess1"].export_kw == stage.commands("bess1")[0].export_kw
    assert decided.snapshot.now == stage.commands("bess1")[0].issued_at
    kinds = [type(entry.body) for entry in stage.recorder.entries]
    assert kinds.index(Decided) == kinds.index(Commanded) - 1


def test_set_points_go_on_when_nothing_can_be_written_and_are_counted():
    stage = Stage(battery())
    stage.dispatcher.adopt(course({"bess1": [40.0] * 8}), stage.now)
    stage.recorder.is_full = True
    stage.started()
    stage.run(40, bess1=40.0)
    assert [command.export_kw for command in stage.commands("bess1")] == [40.0, 40.0, 40.0]
    assert stage.turns.unrecorded_count == 3
    alarm = stage.alarms()["journal_failed", SITE]
    assert alarm.severity == 1
    assert "full" in alarm.message
    assert stage.retained(TOPICS.alarm("journal_failed", "site"))["severity"] == 1


def test_new_overrides_are_refused_while_nothing_can_be_written_and_those_in_force_go_on(stage):
    stage.ask("set_export_kw", 50.0)
    stage.run(1)
    stage.recorder.is_full = True
    stage.ask("set_export_kw", 70.0)
    stage.run(25, bess1=50.0)
    assert stage.answers()[-1] == ("rejected", "no_journal")
    assert stage.commands("bess1")[-1].export_kw == 50.0
    assert [o.value for o in stage.dispatcher.desk.overrides] == [50.0]


def test_an_override_ends_in_time_although_that_cannot_be_written(stage):
    stage.ask("set_export_kw", 50.0, duration_s=5.0)
    stage.run(1)
    stage.recorder.is_full = True
    stage.run(6, bess1=50.0)
    assert stage.answers()[-1] == ("ended", "over")
    assert stage.commands("bess1")[-1].export_kw == 0.0


def test_writing_resumes_by_itself_and_clears_the_alarm(stage):
    stage.recorder.is_full = True
    stage.run(25)
    stage.recorder.is_full = False
    stage.run(25)
    assert ("journal_failed", SITE) not in stage.alarms()
    assert stage.broker.retained(TOPICS.alarm("journal_failed", "site")) is None
    stage.ask("set_export_kw", 50.0)
    stage.turn()
    assert stage.answers()[-1] == ("accepted", "ok")
    assert stage.recorder.bodies(AlarmChanged)[-1].is_cleared


def test_a_flood_of_requests_does_not_hold_up_a_tick_and_all_are_answered(stage):
    for _ in range(50):
        stage.ask("set_export_kw", 50.0)
    stage.tell("bess1")
    stage.turn()
    assert stage.answers().count(("accepted", "ok")) == MOST_REQUESTS
    assert stage.commands("bess1")[-1].export_kw == 50.0
    stage.run(3)
    assert stage.answers().count(("accepted", "ok")) == 50
    assert len(stage.dispatcher.desk.overrides) == 1


def test_what_comes_beyond_two_hundred_waiting_requests_is_refused_and_counted(stage):
    refused = stage.link.counters.refused
    for _ in range(MOST_WAITING + 5):
        stage.ask("set_export_kw", 50.0)
    assert stage.link.counters.refused == refused + 5
    assert len(stage.post.requests) == MOST_WAITING


def test_a_disk_that_does_not_answer_is_waited_for_once_a_turn_not_once_a_request(stage):
    stage.recorder.is_full = True
    for _ in range(20):
        stage.ask("set_export_kw", 50.0)
    before = stage.recorder.tries
    stage.turn()
    assert stage.recorder.tries - before <= 3  # one request, one decision, one change of alarms
    assert stage.answers() == [("rejected", "no_journal")]


def test_a_request_that_cannot_be_read_is_answered_although_that_cannot_be_written(stage):
    stage.recorder.is_full = True
    stage.publish(TOPICS.request("ada"), b'{"id": "x1"}')
    stage.turn()
    assert (stage.answer()["id"], stage.answer()["status"]) == ("x1", "rejected")
    assert stage.recorder.bodies(Answered) == []


def test_the_status_is_told_each_second_and_at_once_when_control_changes(stage):
    def count():
        return len(stage.documents(TOPICS.dispatcher_status))

    before = count()
    for _ in range(10):
        stage.turn(0.1)
    assert count() == before + 1
    stage.tell("bess1")
    stage.ask("stop", asset="site")
    stage.turn(0.1)
    assert count() == before + 2
    assert stage.retained(TOPICS.dispatcher_status)["in_control"] == "override"


def test_the_status_says_who_what_and_why(stage):
    stage.ask("set_export_kw", 150.0)
    stage.run(2)
    status = stage.retained(TOPICS.dispatcher_status)
    asset = status["assets"]["bess1"]
    assert (status["in_control"], status["rung"], status["plan"]) == ("override", 3, None)
    assert (asset["export_kw"], asset["wanted_kw"], asset["permitted_kw"], asset["lease_s"]) == (
        0.0,
        150.0,
        100.0,
        59.0,
    )
    assert asset["why"] == "operator ada: a test (limit: discharge power)"
    assert status["overrides"][0]["until"] == "2026-11-23T12:10:02.000Z"


def test_a_command_holds_what_a_device_can_read(stage):
    message = next(m for m in stage.heard if m.topic == TOPICS.cmd("bess1"))
    assert not message.is_retained
    assert read_command("bess1", message.payload).reason == "rule: covers the net load"
