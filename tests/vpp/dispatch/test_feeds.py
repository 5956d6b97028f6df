"""A feed is kept if its series is known, its values possible and its time near; else it is told why not."""

from datetime import timedelta

import pytest

from tests.snapshots import NOW
from vpp.dispatch.feeds import MOST_FEEDS, Bounds, FeedShelf, end_of
from vpp.domain.feed import Feed

BOUNDS = {"pv1": Bounds(0.0, 1000.0), "energy_day_ahead": Bounds()}


def feed(series="pv1", values=(5.0,) * 8, *, start_h=0.0, issued_s=0.0):
    return Feed(series, NOW + timedelta(hours=start_h), 900, values, NOW + timedelta(seconds=issued_s))


def code(shelf, one):
    return shelf.judge(one, NOW)[1].code


def kept(*feeds):
    shelf = FeedShelf(BOUNDS)
    for one in feeds:
        shelf.keep(one)
    return shelf


def test_a_good_feed_is_accepted_and_only_kept_when_told_to():
    shelf = kept()
    record, answer = shelf.judge(feed(), NOW)
    assert (record.is_accepted, record.why, answer.is_accepted, answer.code) == (True, "", True, "ok")
    assert answer.message == "8 values from 2026-11-23T12:00:00+00:00"
    assert shelf.feeds() == {}
    shelf.keep(feed())
    assert shelf.feeds() == {"pv1": (feed(),)}


REFUSED = {
    "unknown_series": feed("pv9"),
    "past": feed(start_h=-2.0),
    "implausible": feed(values=(5.0, 1000.1)),
    "too_far": feed(start_h=24 * 63),
    "not_yet": feed(issued_s=301),
}


@pytest.mark.parametrize(("expected", "one"), REFUSED.items(), ids=REFUSED)
def test_a_feed_that_cannot_be_used_is_refused_with_its_code(expected, one):
    record, answer = kept().judge(one, NOW)
    assert (answer.is_accepted, answer.code) == (False, expected)
    assert record.is_accepted is False
    assert record.why == answer.message


def test_negative_prices_are_prices_and_negative_sun_is_not():
    assert code(kept(), feed("energy_day_ahead", (-500.0, 3000.0))) == "ok"
    assert code(kept(), feed("pv1", (-0.1,))) == "implausible"


def test_a_feed_issued_before_the_latest_is_older_and_one_at_the_same_instant_is_not():
    shelf = kept(feed(issued_s=-10))
    assert code(shelf, feed(issued_s=-11)) == "older"
    assert code(shelf, feed(issued_s=-10)) == "ok"
    assert code(shelf, feed("energy_day_ahead", issued_s=-11)) == "ok"


@pytest.mark.parametrize("year", [2200, 9999])
def test_a_wrong_year_keeps_nothing_out_and_drives_nothing_away(year):
    shelf = kept(feed())
    far = Feed("pv1", NOW.replace(year=year, month=12, day=31), 86_400, (1.0,) * 1500, NOW)
    assert code(shelf, far) == "too_far"
    late = Feed("pv1", NOW, 900, (1.0,), NOW.replace(year=year))
    assert code(shelf, late) == "not_yet"
    assert code(shelf, feed()) == "ok"


def test_feeds_stand_in_the_order_of_their_issue_and_restart_with_it():
    newer, older = feed(issued_s=-1), feed(issued_s=-5)
    assert kept(newer, older).feeds()["pv1"] == (older, newer)
    assert FeedShelf(BOUNDS, [newer, older, feed("gone")]).feeds() == {"pv1": (older, newer)}


def test_only_so_many_feeds_of_a_series_are_kept_and_old_ones_go():
    shelf = kept(*(feed(issued_s=second - 100) for second in range(MOST_FEEDS + 10)))
    assert len(shelf.feeds()["pv1"]) == MOST_FEEDS
    assert shelf.feeds()["pv1"][-1].issued_at == NOW + timedelta(seconds=MOST_FEEDS + 9 - 100)
    last_week = feed(start_h=-24 * 8, issued_s=-1e5)
    shelf = kept(last_week, feed(start_h=24.0))
    assert [end_of(one) for one in shelf.feeds()["pv1"]] == [end_of(feed(start_h=24.0))]
