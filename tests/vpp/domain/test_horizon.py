"""Which steps a local day has, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zones import HOURS, TRANSITIONS
from vpp.domain.horizon import Horizon, local_midnight

ZONES = sorted({zone for zone, _ in TRANSITIONS} | {"UTC", "Pacific/Apia", "Africa/Monrovia", "Europe/Dublin"})
DAYS = st.dates(date(2012, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(("zone", "of_the_change"), TRANSITIONS)
def test_a_day_of_a_clock_change_is_as_long_as_it_is(zone, of_the_change):
    horizon = Horizon.of_local_days(of_the_change, of_the_change, zone, 900)
    assert horizon.count == 4 * HOURS[zone, of_the_change]
    assert sum(horizon.step_hours) == HOURS[zone, of_the_change]
    assert {start.date() for start in horizon.local_starts} == {of_the_change}


def test_a_day_that_a_zone_left_out_is_refused():
    """Samoa went from 29 to 31 December 2011."""
    with pytest.raises(ValueError, match="clocks in Pacific/Apia left out 2011-12-30"):
        Horizon.of_local_days(date(2011, 12, 30), date(2011, 12, 30), "Pacific/Apia", 900)


@given(zone=st.sampled_from(ZONES), first=DAYS, more=st.integers(0, 2), step_minutes=st.sampled_from([15, 30]))
def test_steps_follow_one_another_from_midnight_to_midnight(zone, first, more, step_minutes):
    last = first + timedelta(days=more)
    horizon = Horizon.of_local_days(first, last, zone, step_minutes * 60)
    assert horizon.start == local_midnight(first, zone)
    assert horizon.end == local_midnight(last + timedelta(days=1), zone)
    assert horizon.starts[1:] == horizon.ends[:-1]
    assert {end - start for start, end in zip(horizon.starts, horizon.ends, strict=True)} <= {
        timedelta(minutes=step_minutes)
    }
    assert len(horizon.starts) == len(horizon.step_hours) == len(horizon.local_starts) == horizon.count
    assert all(first <= start.date() <= last for start in horizon.local_starts)
    assert [start.utcoffset() for start in horizon.starts] == [timedelta(0)] * horizon.count


@given(zone=st.sampled_from(ZONES), first=DAYS)
def test_days_follow_one_another_without_gap_or_overlap(zone, first):
    second = first + timedelta(days=1)
    assert Horizon.of_local_days(first, first, zone, 900).end == Horizon.of_local_days(second, second, zone, 900).start


@given(zone=st.sampled_from(ZONES), first=DAYS)
def test_a_new_day_begins_exactly_at_each_later_midnight(zone, first):
    last = first + timedelta(days=2)
    horizon = Horizon.of_local_days(first, last, zone, 900)
    begun = [start for start, begins in zip(horizon.starts, horizon.begins_local_day, strict=True) if begins]
    midnights = [local_midnight(first + timedelta(days=k), zone) for k in (1, 2)]
    assert begun == sorted(set(midnights) - {horizon.start, horizon.end})


@given(where=st.sampled_from(TRANSITIONS), second=st.integers(0, 25 * 3600), micro=st.integers(0, 999_999))
def test_the_rest_of_a_day_keeps_its_edges_and_its_end(where, second, micro):
    zone, of_the_change = where
    whole = Horizon.of_local_days(of_the_change, of_the_change, zone, 900)
    second %= 900 * whole.count
    now = whole.start + timedelta(seconds=second, microseconds=micro)
    rest = whole.starting_at(now.astimezone(ZoneInfo(zone)))
    assert rest.start == now.replace(microsecond=0)
    assert rest.start.utcoffset() == timedelta(0)
    assert rest.ends == whole.ends[second // 900 :]
    assert rest.first_step_s == 900 - second % 900
    assert rest.step_hours[0] == rest.first_step_s / 3600
    assert rest.step_hours[1:] == (0.25,) * (rest.count - 1)


def test_starting_at_its_start_changes_nothing():
    whole = Horizon.of_local_days(date(2026, 11, 23), date(2026, 11, 23), "Asia/Shanghai", 900)
    assert whole.starting_at(whole.start) == whole


@pytest.mark.parametrize("seconds", [-1, -0.5, 86_400, 90_000])
def test_an_instant_outside_is_refused(seconds):
    whole = Horizon.of_local_days(date(2026, 11, 23), date(2026, 11, 23), "UTC", 900)
    with pytest.raises(ValueError, match="is outside 2026-11-23T00:00:00"):
        whole.starting_at(whole.start + timedelta(seconds=seconds))


def test_an_instant_in_another_zone_is_the_same_instant():
    whole = Horizon.of_local_days(date(2026, 11, 23), date(2026, 11, 23), "UTC", 900)
    rest = whole.starting_at(datetime(2026, 11, 23, 14, 20, tzinfo=timezone(timedelta(hours=8))))
    assert rest.start == datetime(2026, 11, 23, 6, 20, tzinfo=UTC)
    assert f"{rest.starts[0]:%H:%M} {rest.starts[1]:%H:%M}" == "06:20 06:30"


@pytest.mark.parametrize(
    ("first", "last", "zone", "told"),
    [
        (date(2026, 11, 24), date(2026, 11, 23), "UTC", "ends on 2026-11-23, before it begins on 2026-11-24"),
        (date(2026, 4, 5), date(2026, 4, 5), "Australia/Lord_Howe", "lasts 24.5 h, which is no multiple of 60 minutes"),
        (date(1, 1, 1), date(1, 1, 1), "Asia/Shanghai", "years 1970 to 2999"),
        (date(9999, 12, 31), date(9999, 12, 31), "America/Chicago", "years 1970 to 2999"),
    ],
)
def test_a_span_without_whole_steps_is_refused(first, last, zone, told):
    with pytest.raises(ValueError, match=told):
        Horizon.of_local_days(first, last, zone, 3600)
