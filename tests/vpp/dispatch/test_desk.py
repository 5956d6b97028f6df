"""Every request is answered with what becomes of it: accepted, clipped and why, or rejected with its code."""

import asyncio
import json
from datetime import timedelta

import pytest

from tests.snapshots import battery, course, limits, load, override, solar
from tests.vpp.dispatch.stage import TOPICS, Shelf, Stage
from vpp.domain.override import Action
from vpp.domain.unit import Connection
from vpp.journal import Journal
from vpp.journal_writer import JournalWriter
from vpp.records import Answered, OverrideEnded, Received
from vpp.recovery import KINDS, active_overrides, used_requests


@pytest.fixture
def stage():
    return Stage(battery(), load()).started()


def asked(stage, *args, **fields):
    """What is answered to a request."""
    stage.tell_again()
    request = stage.ask(*args, **fields)
    stage.turn()
    own = [a for a in stage.documents(TOPICS.response(request.operator)) if a["id"] == request.id]
    return next((a["status"], a["code"]) for a in reversed(own) if a["status"] != "ended")


def document(stage, **changes):
    """A request as JSON, so that anything can be left out or put wrong."""
    given = {
        "id": "j1",
        "operator": "ada",
        "site": "tiny",
        "asset": "bess1",
        "action": "set_export_kw",
        "value": 50.0,
        "at": stage.now.isoformat(),
        "expires": (stage.now + timedelta(seconds=30)).isoformat(),
        "duration_s": 600,
        "reason": "a test",
        "seq": 1,
    }
    return {key: value for key, value in (given | changes).items() if value is not ...}


REJECTED = {
    "past_expiry": ({"expires_s": -1}, "expired"),
    "expires_now": ({"expires_s": 1}, "expired"),
    "more_than_four_hours": ({"duration_s": 14_401.0}, "too_long"),
    "no_time_at_all": ({"duration_s": 0.0}, "no_duration"),
    "another_site": ({"site": "elsewhere"}, "wrong_site"),
    "unknown_asset": ({"asset": "bess9"}, "unknown_asset"),
    "retained": ({"is_retained": True}, "retained"),
    "no_power": ({"value": None}, "bad_value"),
    "power_in_words": ({"value": "full"}, "bad_value"),
    "a_load": ({"asset": "load1"}, "not_controllable"),
}


@pytest.mark.parametrize(("changes", "code"), REJECTED.values(), ids=REJECTED)
def test_a_request_that_cannot_be_accepted_is_rejected_with_its_code(stage, changes, code):
    if "expires_s" in changes:
        changes = {"expires": stage.now + timedelta(seconds=changes["expires_s"])}
    if code == "retained":  # a retained message is one that lay at the broker when the dispatcher came
        stage.link.drop()
        stage.ask("set_export_kw", 50.0, is_retained=True)
        stage.link.connect()
        stage.turn()
        status = stage.answers()[-1]
    else:
        status = asked(stage, "set_export_kw", **{"value": 50.0} | changes)
    assert status == ("rejected", code)
    assert stage.dispatcher.desk.overrides == ()
    assert stage.answer()["effective"] is None


MALFORMED = {
    "no_expiry": ({"expires": ...}, "missing"),
    "no_duration": ({"duration_s": ...}, "missing"),
    "no_reason": ({"reason": ...}, "missing"),
    "unknown_action": ({"action": "self_destruct"}, "value"),
    "unknown_key": ({"colour": "red"}, "unknown_key"),
    "negative_duration": ({"duration_s": -5}, "value"),
    "local_time": ({"expires": "2026-11-23T12:00:00"}, "value"),
    "another_operators_name": ({"operator": "eve"}, "value"),
}


@pytest.mark.parametrize(("changes", "code"), MALFORMED.values(), ids=MALFORMED)
def test_a_request_that_cannot_be_read_is_answered_by_its_id_and_written_down(stage, changes, code):
    stage.publish(TOPICS.request("ada"), json.dumps(document(stage, **changes)).encode())
    stage.turn()
    assert (stage.answer()["id"], *stage.answers()[-1]) == ("j1", "rejected", code)
    assert stage.recorder.bodies(Received)[-1].request is None
    assert stage.dispatcher.desk.overrides == ()


def test_what_could_not_be_read_uses_up_no_id(stage):
    stage.publish(TOPICS.request("ada"), json.dumps(document(stage, reason=...)).encode())
    stage.publish(TOPICS.request("ada"), json.dumps(document(stage)).encode())
    stage.turn()
    assert stage.answers() == [("rejected", "missing"), ("accepted", "ok")]


def test_a_used_id_and_a_used_sequence_number_are_rejected(stage):
    assert asked(stage, "set_export_kw", 50.0) == ("accepted", "ok")
    assert asked(stage, "set_export_kw", 60.0, id="r1", seq=7) == ("rejected", "used_id")
    assert asked(stage, "set_export_kw", 60.0, seq=1) == ("rejected", "used_seq")
    assert asked(stage, "set_export_kw", 60.0, seq=0) == ("rejected", "used_seq")
    assert [o.value for o in stage.dispatcher.desk.overrides] == [50.0]


def test_a_replay_is_refused_although_the_first_one_is_over(stage):
    first = stage.ask("set_export_kw", 50.0, duration_s=5.0)
    stage.run(7)
    stage.ask("set_export_kw", 50.0, id=first.id, seq=first.seq)
    stage.turn()
    assert stage.answers()[-1] == ("rejected", "used_id")


def test_a_rejected_request_uses_up_its_id(stage):
    assert asked(stage, "set_export_kw", None) == ("rejected", "bad_value")
    assert asked(stage, "set_export_kw", 50.0, id="r1", seq=9) == ("rejected", "used_id")


def test_in_open_mode_every_operator_name_is_accepted_and_each_counts_for_itself(stage):
    for name in ("ada", "bob", "night-shift_7"):
        assert asked(stage, "set_export_kw", 50.0, operator=name, id=f"of-{name}", seq=1) == ("accepted", "ok")


def test_a_request_beyond_the_device_is_clipped_to_what_it_can_do_and_says_so(stage):
    assert asked(stage, "set_export_kw", 150.0) == ("clipped", "clipped")
    answer = stage.answer()
    assert answer["effective"]["export_kw"] == 100.0
    assert answer["message"] == "from 150 to 100 kW (discharge power)"
    stage.run(1)
    assert stage.commands("bess1")[-1].export_kw == 100.0


def test_an_override_of_five_megawatts_on_a_block_limited_to_half_gets_half_and_the_reason():
    # ACC-31, with the device's own limits
    stage = Stage(battery(power_kw=5000.0, energy_kwh=1e5))
    stage.born()
    stage.tell("bess1", 0.0, 5e4, limits=limits(2500.0, 2500.0))
    stage.turn()
    assert asked(stage, "set_export_kw", 5000.0) == ("clipped", "clipped")
    assert stage.answer()["effective"]["export_kw"] == 2500.0
    assert stage.answer()["message"] == "from 5,000 to 2,500 kW (discharge power now)"


def test_a_request_that_would_leave_the_stores_window_is_clipped(stage):
    stage.born(boot_id="b2")
    stage.tell("bess1", 0.0, 20.5)  # half a kWh above the floor lasts a minute at 30 kW
    stage.turn()
    assert asked(stage, "set_export_kw", 80.0) == ("clipped", "clipped")
    assert stage.answer()["message"] == "from 80 to 30 kW (lowest stored energy)"


def test_a_ramp_does_not_clip_because_the_request_is_reached_in_time():
    stage = Stage(battery(ramp_kw_per_s=1.0)).started()
    assert asked(stage, "set_export_kw", 80.0) == ("accepted", "ok")
    assert stage.answer()["effective"]["export_kw"] == 80.0
    assert stage.commands("bess1")[-1].export_kw == 1.0


def test_an_operators_own_limit_clips_another_order_and_is_named(stage):
    asked(stage, "limit_kw", 30.0)
    assert asked(stage, "set_export_kw", 80.0) == ("clipped", "clipped")
    assert stage.answer()["message"] == "from 80 to 30 kW (operator ada: a test)"


def test_a_site_asked_beyond_its_assets_is_clipped_to_what_they_can_do():
    stage = Stage(battery(), battery("bess2")).started()
    assert asked(stage, "set_export_kw", 500.0, "site") == ("clipped", "clipped")
    assert stage.answer()["effective"]["export_kw"] == 200.0
    assert "can do no more" in stage.answer()["message"]


def test_a_site_asked_beyond_its_connection_is_clipped_to_its_limit():
    stage = Stage(battery(), battery("bess2"), connection=Connection(1e6, 120.0)).started()
    assert asked(stage, "set_export_kw", 180.0, "site") == ("clipped", "clipped")
    assert stage.answer()["effective"]["export_kw"] == pytest.approx(120.0)
    assert stage.answer()["message"] == "from 180 to 120 kW (export limit of the site)"


def test_a_site_within_its_means_is_told_what_it_goes_to(stage):
    assert asked(stage, "set_export_kw", 60.0, "site") == ("accepted", "ok")
    assert stage.answer()["effective"]["export_kw"] == 60.0


def test_an_asset_that_is_not_heard_is_told_when_it_can():
    stage = Stage(battery())
    stage.turn()
    assert asked(stage, "set_export_kw", 50.0) == ("accepted", "not_heard")
    stage.born()
    stage.tell("bess1")
    stage.turn()
    assert stage.commands("bess1")[-1].export_kw == 50.0


def test_one_word_stops_the_site_and_one_gives_it_back():
    stage = Stage(battery(), battery("bess2"))
    stage.dispatcher.adopt(course({"bess1": [40.0] * 8, "bess2": [-40.0] * 8}), stage.now)
    stage.started()
    assert [stage.commands(name)[-1].export_kw for name in ("bess1", "bess2")] == [40.0, -40.0]
    assert asked(stage, "stop", asset="site") == ("accepted", "ok")
    assert [stage.commands(name)[-1].export_kw for name in ("bess1", "bess2")] == [0.0, 0.0]
    assert stage.retained(TOPICS.dispatcher_status)["in_control"] == "override"
    assert asked(stage, "release", asset="site") == ("accepted", "ok")
    assert stage.answers()[-1] == ("ended", "replaced")
    assert [stage.commands(name)[-1].export_kw for name in ("bess1", "bess2")] == [40.0, -40.0]
    assert stage.retained(TOPICS.dispatcher_status)["in_control"] == "plan"


def test_of_two_orders_on_an_asset_the_latest_wins_and_the_other_operator_is_told(stage):
    asked(stage, "set_export_kw", 50.0)
    stage.ask("stop", operator="bob", id="b1", seq=1)
    stage.turn()
    assert stage.answers("bob") == [("accepted", "ok")]
    assert stage.answers()[-1] == ("ended", "replaced")
    assert [o.action for o in stage.dispatcher.desk.overrides] == [Action.STOP]
    assert stage.recorder.bodies(OverrideEnded)[-1].request_id == "r1"


def test_a_limit_stands_beside_an_order_and_a_new_limit_replaces_the_old(stage):
    asked(stage, "limit_kw", 30.0)
    asked(stage, "set_export_kw", 20.0)
    asked(stage, "limit_kw", 10.0)
    assert [(o.action, o.value) for o in stage.dispatcher.desk.overrides] == [
        (Action.SET_EXPORT_KW, 20.0),
        (Action.LIMIT_KW, 10.0),
    ]


def test_automatic_operation_comes_back_when_the_time_is_over_and_that_is_announced(stage):
    asked(stage, "set_export_kw", 50.0, duration_s=10.0)
    stage.run(9, bess1=50.0)
    assert stage.commands("bess1")[-1].export_kw == 50.0
    stage.run(1, bess1=50.0)
    assert stage.answers()[-1] == ("ended", "over")
    assert stage.answer()["message"] == "its time is over; automatic operation is back"
    assert stage.commands("bess1")[-1].export_kw == 0.0
    assert stage.recorder.bodies(OverrideEnded)[-1].request_id == "r1"


def test_a_limit_of_the_site_narrows_its_connection():
    stage = Stage(battery(), battery("bess2")).started()
    asked(stage, "limit_kw", 80.0, "site")
    asked(stage, "set_export_kw", 100.0)
    assert stage.answer()["message"] == "from 100 to 80 kW (export limit of the site)"
    assert stage.retained(TOPICS.dispatcher_status)["site"]["export_limit_kw"] == 80.0


def test_trading_pauses_and_resumes_by_word():
    stage = Stage(battery())
    stage.dispatcher.adopt(course({"bess1": [40.0] * 8}), stage.now)
    stage.started()
    assert asked(stage, "pause_market", asset="bess1") == ("rejected", "site_only")
    assert asked(stage, "pause_market", asset="site") == ("accepted", "ok")
    assert stage.commands("bess1")[-1].export_kw == 0.0
    asked(stage, "resume_market", asset="site")
    assert stage.commands("bess1")[-1].export_kw == 40.0


@pytest.mark.parametrize("action", ["island", "reconnect", "black_start"])
def test_a_site_that_forms_no_island_says_so(stage, action):
    assert asked(stage, action, asset="site") == ("rejected", "no_island")


def test_a_mode_that_needs_more_than_a_word_is_rejected(stage):
    assert asked(stage, "set_mode", "gfm_droop") == ("rejected", "bad_value")
    assert asked(stage, "set_mode", "standby", "site") == ("rejected", "bad_value")
    assert asked(stage, "set_mode", "standby") == ("accepted", "ok")
    assert stage.commands("bess1")[-1].mode == "standby"


def test_an_alarm_is_acknowledged_by_name_and_one_that_does_not_stand_is_not(stage):
    stage.turn(20.0)
    for _ in range(12):
        stage.turn()
    assert ("silent", "bess1") in stage.alarms()
    assert asked(stage, "ack_alarm", "suspect") == ("rejected", "no_alarm")
    assert asked(stage, "ack_alarm", "silent") == ("accepted", "ok")
    assert stage.retained(TOPICS.alarm("silent", "bess1"))["acknowledged_by"] == "ada"


def test_a_shelved_alarm_is_not_shown_until_its_time_is_over():
    stage = Stage(battery()).started()
    stage.turn(20.0)
    for _ in range(12):
        stage.turn()
    assert asked(stage, "shelve_alarm", "silent", duration_s=60.0) == ("accepted", "ok")
    assert stage.retained(TOPICS.alarm("silent", "bess1")) is None
    assert ("silent", "bess1") not in stage.alarms()
    assert stage.retained(TOPICS.dispatcher_status)["in_control"] != "override"
    stage.turn(61.0)
    stage.turn()
    assert stage.answers()[-1] == ("ended", "over")
    assert stage.retained(TOPICS.alarm("silent", "bess1"))["message"] == "bess1 is silent"


def test_nothing_is_in_force_before_it_is_enacted(stage):
    request = stage.ask("set_export_kw", 50.0)
    judgement = stage.dispatcher.judge(request, is_retained=False, now=stage.now, mono_s=stage.mono_s)
    assert judgement.answer.status == "accepted"
    assert stage.dispatcher.desk.overrides == ()
    again = stage.dispatcher.judge(request, is_retained=False, now=stage.now, mono_s=stage.mono_s)
    assert again.answer.status == "accepted"
    stage.dispatcher.enact(judgement)
    assert [o.value for o in stage.dispatcher.desk.overrides] == [50.0]


def test_a_request_that_could_not_be_written_down_is_rejected_and_may_come_again(stage):
    stage.recorder.is_full = True
    request = stage.ask("set_export_kw", 50.0)
    stage.turn()
    assert stage.answers() == [("rejected", "no_journal")]
    assert stage.answer()["effective"] is None
    assert stage.dispatcher.desk.overrides == ()
    stage.recorder.is_full = False
    stage.ask("set_export_kw", 50.0, id=request.id, seq=request.seq)
    stage.turn()
    assert stage.answers()[-1] == ("accepted", "ok")


def test_a_solar_plant_is_limited_by_an_operator():
    stage = Stage(solar())
    stage.born()
    stage.tell("pv1", 70.0, None)
    stage.turn()
    assert asked(stage, "limit_kw", 20.0, "pv1") == ("accepted", "ok")
    assert stage.commands("pv1")[-1].export_kw == 20.0


def test_overrides_ids_and_numbers_survive_a_restart(tmp_path):
    writer = JournalWriter(Journal(tmp_path / "journal.db"), 5.0)
    first = Stage(battery(), battery("bess2"), recorder=writer).started()
    asked(first, "set_export_kw", 50.0)
    asked(first, "set_export_kw", 20.0, "bess2", duration_s=2.0)
    asked(first, "limit_kw", 10.0, "bess2")
    asked(first, "release", asset="bess2")
    writer.close()

    journal = Journal(tmp_path / "journal.db")
    records = list(journal.records(KINDS))
    journal.close()
    used = used_requests(records)
    second = Stage(
        battery(),
        battery("bess2"),
        overrides=active_overrides(records, first.now),
        used_ids=used.ids,
        last_seq=used.last_seq,
    )
    second.now = first.now
    second.started()
    assert [o.asset for o in second.dispatcher.desk.overrides] == ["bess1"]
    assert [second.commands(name)[-1].export_kw for name in ("bess1", "bess2")] == [50.0, 0.0]
    assert asked(second, "set_export_kw", 70.0) == ("rejected", "used_id")
    assert asked(second, "set_export_kw", 70.0, id="new", seq=4) == ("rejected", "used_seq")
    assert asked(second, "set_export_kw", 70.0, id="newer", seq=5) == ("accepted", "ok")


def test_an_override_whose_time_ended_while_nobody_led_does_not_come_back():
    gone = override(Action.SET_EXPORT_KW, 50.0, "bess1")
    stage = Stage(battery(), overrides=[gone])
    stage.now = gone.until
    stage.started()
    assert stage.commands("bess1")[-1].export_kw == 0.0
    assert stage.answers() == [("ended", "over")]


def test_an_answer_is_written_down_together_with_what_comes_in_force(stage):
    asked(stage, "set_export_kw", 50.0)
    answered = stage.recorder.bodies(Answered)[-1]
    assert answered.answer.status == "accepted"
    assert answered.override.value == 50.0
    kinds = [type(entry.body) for entry in stage.recorder.entries]
    assert kinds.index(Received) == kinds.index(Answered) - 1


def test_the_answer_goes_out_only_after_the_journal_has_it():
    class Watching(Shelf):
        async def append(self, entries):
            before = len(stages[0].answers()) if stages else 0
            await asyncio.sleep(0)
            await super().append(entries)
            said.extend([before, len(stages[0].answers())] if stages else [])

    stages, said = [], []
    stages.append(Stage(battery(), recorder=Watching()).started())
    stages[0].ask("set_export_kw", 50.0)
    stages[0].turn()
    assert said[:2] == [0, 0]
    assert stages[0].answers() == [("accepted", "ok")]
