"""A new plan is made when its time has come, when something it rests on changed, and when reality strays from it."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.snapshots import battery, course, load
from tests.vpp.dispatch.stage import Stage
from vpp.dispatch.feeds import Bounds, FeedShelf
from vpp.dispatch.ledger import Ledger
from vpp.dispatch.meter import Meter
from vpp.domain.feed import Feed
from vpp.domain.telemetry import Quality
from vpp.planning import Stored
from vpp.replanning import Replanning

EVERY_S = 900.0


class Desk:
    """A stage, and whoever decides when to plan for it."""

    def __init__(self, tmp_path, *units):
        self.stage = Stage(*(units or (battery(), load())))
        self.file = tmp_path / "prices.csv"
        self.file.write_text("start_utc,price\n", "utf-8")
        self.ledger = Ledger("UTC", self.stage.units, self.stage.now, {}, {})
        self.shelf = FeedShelf({"base": Bounds(0.0)})
        meter = Meter("UTC", 900, [], self.stage.now, {})
        self.replanning = Replanning(
            self.stage.dispatcher, self.ledger, meter, self.shelf, every_s=EVERY_S, files=[self.file]
        )

    def due(self):
        return self.replanning.due(self.stage.now, self.stage.mono_s)

    def turn(self, seconds=1.0, **export_kw):
        """Everybody tells something, time passes, a turn is taken; the request, if a plan is due."""
        self.stage.tell_all(**export_kw)
        tick = self.stage.turn(seconds)
        self.ledger.add(tick, self.stage.dispatcher.course, self.stage.now, self.stage.mono_s)
        return self.due()

    def planned(self, stored_kwh=100.0):
        """A plan is made at once, and followed."""
        self.stage.born()
        request = self.turn()
        assert request is not None
        steps = 97
        made = replace(
            course({"bess1": [0.0] * steps}, start=self.stage.now), stored_kwh={"bess1": (stored_kwh,) * steps}
        )
        self.stage.dispatcher.adopt(made, self.stage.now)
        return request


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_the_first_plan_is_made_as_soon_as_every_store_is_heard(desk):
    assert desk.due() is None
    desk.stage.turn()
    assert desk.due() is None
    desk.stage.born()
    request = desk.turn()
    assert request.stores == {"bess1": Stored(100.0, 0.0, 0.0, (100.0,))}
    assert request.excluded == ()
    assert request.now == desk.stage.now


def test_a_plan_is_told_the_power_of_a_store_only_while_it_is_heard(desk):
    desk.planned()
    desk.replanning.ask("to see")
    assert desk.turn(bess1=-40.0).stores["bess1"].export_kw == -40
    for _ in range(30):
        desk.stage.tell("load1")
        desk.stage.turn()
    desk.replanning.ask("to see")
    assert desk.due().stores["bess1"] == Stored(100.0, 0.0, None, (100.0,))


def test_the_first_plan_waits_ten_seconds_for_a_store_and_then_leaves_it_at_rest(tmp_path):
    desk = Desk(tmp_path, battery(), battery("bess2"))
    desk.stage.born("bess1")
    for _ in range(10):
        desk.stage.tell("bess1")
        desk.stage.turn()
        assert desk.due() is None
    desk.stage.tell("bess1")
    desk.stage.turn()
    request = desk.due()
    assert request.excluded == ("bess2",)
    assert set(request.stores) == {"bess1"}


def test_a_plan_is_made_every_quarter_of_an_hour(desk):
    desk.planned()
    desk.stage.turn(898.0)
    assert desk.turn() is None
    assert desk.turn() is not None
    assert desk.turn() is None


def test_after_a_failure_it_is_tried_again_after_a_minute(desk):
    desk.planned()
    desk.stage.dispatcher.planning_failed("a test", desk.stage.now)
    assert desk.turn(58.0) is None
    assert desk.turn(2.0) is not None
    assert desk.turn(58.0) is None


def test_a_file_that_changed_is_noticed_within_ten_seconds(desk):
    desk.planned()
    os.utime(desk.file, ns=(1, 1))
    seconds = 0
    while desk.turn() is None:
        seconds += 1
        assert seconds <= 10
    assert desk.turn(11.0) is None


def test_a_file_that_comes_or_goes_has_changed(desk):
    desk.planned()
    desk.file.unlink()
    assert desk.turn(10.0) is not None
    desk.file.write_text("x", "utf-8")
    assert desk.turn(10.0) is not None


def test_what_was_asked_for_is_planned_at_once_and_once(desk):
    desk.planned()
    desk.replanning.ask("new values of base")
    desk.replanning.ask("new values of pv1")
    assert desk.turn() is not None
    assert desk.turn() is None


def test_a_store_that_strays_from_its_plan_by_a_twentieth_calls_for_another_once_a_minute(desk):
    # 5 % of 200 kWh are 10 kWh.
    desk.planned(stored_kwh=109.0)
    desk.stage.turn(900.0)  # past the first step, whose begin is not known
    desk.replanning.ask("now")
    assert desk.turn() is not None
    assert desk.turn(60.0) is None
    desk.stage.dispatcher.course = replace(desk.stage.dispatcher.course, stored_kwh={"bess1": (111.0,) * 97})
    assert desk.turn() is not None
    assert desk.stage.dispatcher.deviation(desk.stage.now) == "bess1 holds 100 kWh, planned 111"
    assert desk.turn(58.0) is None
    assert desk.turn(2.0) is not None


def test_planned_energy_lies_on_the_line_between_the_ends_of_a_step(desk):
    desk.planned()
    rising = tuple(100.0 + 20.0 * step for step in range(97))
    desk.stage.dispatcher.course = replace(desk.stage.dispatcher.course, stored_kwh={"bess1": rising})
    start = desk.stage.dispatcher.course.start
    for minutes, planned in ((15, 100), (22.5, 110), (30, 120), (37.5, 130)):
        told = desk.stage.dispatcher.deviation(start + timedelta(minutes=minutes))
        assert told == (None if planned <= 110 else f"bess1 holds 100 kWh, planned {planned}")


def test_a_store_that_is_not_believed_is_left_at_rest_and_its_last_word_kept_inside_the_store(desk):
    desk.planned()
    desk.stage.tell("bess1", 0.0, 5000.0, quality=Quality.BAD)
    desk.stage.turn()
    desk.replanning.ask("now")
    request = desk.due()
    assert request.excluded == ("bess1",)
    assert request.stores["bess1"].stored_kwh == 200.0


def test_energy_discharged_today_is_counted_from_local_midnight_and_only_from_believed_values(desk):
    desk.planned()
    for second in range(36):
        desk.turn(bess1=100.0 + second / 1000)
    desk.stage.tell("bess1", 1e6)
    desk.ledger.add(desk.stage.turn(), None, desk.stage.now, desk.stage.mono_s)
    desk.replanning.ask("now")
    assert desk.due().stores["bess1"].discharged_today_kwh == pytest.approx(1.0, abs=1e-3)
    desk.stage.now += timedelta(hours=12)
    desk.turn()
    desk.replanning.ask("now")
    assert desk.due().stores["bess1"].discharged_today_kwh == 0.0


def test_a_plan_is_told_where_stored_energy_turned_before(desk):
    desk.planned()
    for stored_kwh in (101.0, 103.0, 102.0, 100.0, 101.5, 101.0, 101.5, 101.2):
        desk.stage.tell_all()
        desk.stage.tell("bess1", 0.0, stored_kwh)
        desk.ledger.add(desk.stage.turn(), None, desk.stage.now, desk.stage.mono_s)
    desk.replanning.ask("now")
    assert desk.due().stores["bess1"].stored_before_kwh == (103.0, 100.0, 101.5, 101.2)


def test_feeds_go_with_the_request(desk):
    feed = Feed("base", desk.stage.now, 900, (1.0,) * 8, desk.stage.now)
    desk.shelf.keep(feed)
    assert desk.planned().feeds == {"base": (feed,)}
