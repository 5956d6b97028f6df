"""What a reader sees of days on which clocks change."""

from datetime import date, timedelta

import pytest

from tests.zones import HOURS, TRANSITIONS
from vpp.domain.horizon import Horizon
from vpp.report.sparkline import Columns
from vpp.report.wording import Calendar

AUTUMN, SPRING = date(2026, 10, 25), date(2026, 3, 29)


def berlin(first, last=None, minutes=60):
    return Horizon.of_local_days(first, last or first, "Europe/Berlin", minutes * 60)


@pytest.mark.parametrize(("zone", "of_the_change"), TRANSITIONS)
@pytest.mark.parametrize("most", [24, 60, 100])
def test_columns_share_out_the_time_of_any_day(zone, of_the_change, most):
    horizon = Horizon.of_local_days(of_the_change, of_the_change, zone, 900)
    columns = Columns(horizon, most)
    averages = columns.averages(range(horizon.count))
    assert len(averages) == columns.count <= most + 1
    assert averages == sorted(averages)
    assert columns.count >= HOURS[zone, of_the_change] / columns.hours_each


def test_a_column_per_hour_shows_23_and_25_hours():
    assert Columns(berlin(SPRING), 30).averages(range(23)) == list(range(23))
    assert Columns(berlin(AUTUMN), 30).averages(range(25)) == list(range(25))


def test_hours_above_the_columns_skip_and_repeat_with_the_clock():
    """On the long day 03:00 is the fifth hour; on the short one it is the third, where it has no room."""
    assert Columns(berlin(date(2026, 3, 30)), 30).scale() == "00 03 06 09 12 15 18 21"
    assert Columns(berlin(AUTUMN), 30).scale() == "00  03 06 09 12 15 18 21"
    assert Columns(berlin(SPRING), 30).scale() == "00   06 09 12 15 18 21"


def test_the_hour_that_comes_twice_is_told_apart():
    calendar = Calendar(berlin(AUTUMN))
    assert calendar.span(1, 2) == "01:00–02:00A"
    assert calendar.span(2, 3) == "02:00A–02:00B"
    assert calendar.span(3, 4) == "02:00B–03:00"
    assert calendar.span(0, 25) == "00:00–24:00"


def test_the_hour_that_is_left_out_is_left_out():
    calendar = Calendar(berlin(SPRING))
    assert calendar.span(1, 2) == "01:00–03:00"
    assert calendar.steps() == "23 × 60 min"


def test_a_day_that_begins_at_one_is_told_from_one():
    """In Santiago clocks skip midnight."""
    day = date(2026, 9, 6)
    assert Calendar(Horizon.of_local_days(day, day, "America/Santiago", 3600)).span(0, 1) == "01:00–02:00"


def test_spans_of_several_days_name_the_day():
    calendar = Calendar(berlin(SPRING, SPRING + timedelta(days=1)))
    assert calendar.span(0, 1) == "29 Mar 00:00–01:00"
    assert calendar.span(22, 23) == "29 Mar 23:00–24:00"
    assert calendar.span(22, 24) == "29 Mar 23:00–30 Mar 01:00"
    assert calendar.title() == "Sun 29 Mar 2026 – Mon 30 Mar 2026"
