"""A gap in a series is filled from the same hours of an earlier week, else of an earlier day, and says so."""

from datetime import UTC, datetime
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.feeds import Series
from adapters.substitutes import averages, filled

HOUR, DAY = 3600, 86_400
NOW_S = 20_000 * DAY
CHANGED = datetime(2026, 1, 1, tzinfo=UTC)


def series(values, start_s=NOW_S, step_s=HOUR):
    """Rows of equal length from an instant on."""
    starts = start_s + step_s * np.arange(len(values), dtype=np.int64)
    return Series(starts, np.array(values, dtype=float), {}, CHANGED)


def edges(count, start_s=NOW_S, step_s=HOUR):
    return start_s + step_s * np.arange(count + 1, dtype=float)


def test_a_series_that_covers_the_horizon_is_taken_as_it_is():
    found = filled([series([1, 2, 3])], edges(3), -inf, inf)
    assert (found.values, found.is_known, found.days_back) == ((1.0, 2.0, 3.0), (True,) * 3, ())


def test_rows_shorter_than_a_step_are_averaged_and_longer_ones_held():
    assert filled([series([1, 3, 5, 7], step_s=1800)], edges(2), -inf, inf).values == (2.0, 6.0)
    assert filled([series([1, 3])], edges(4, step_s=1800), -inf, inf).values == (1.0, 1.0, 3.0, 3.0)


def test_a_short_first_step_takes_its_part_of_a_row():
    cut = np.array([NOW_S + 1800.0, NOW_S + 3600.0, NOW_S + 7200.0])
    assert filled([series([1, 3])], cut, -inf, inf).values == (1.0, 3.0)


def test_what_is_missing_comes_from_the_same_hours_a_week_before():
    week = series(range(100, 124), NOW_S - 7 * DAY)
    found = filled([series([1, 2]), week], edges(4), -inf, inf)
    assert found.values == (1.0, 2.0, 102.0, 103.0)
    assert found.is_known == (True, True, False, False)
    assert found.days_back == (7,)


def test_an_earlier_week_comes_before_yesterday_and_yesterday_before_nothing():
    yesterday, fortnight = series([5] * 24, NOW_S - DAY), series([9] * 24, NOW_S - 14 * DAY)
    assert filled([yesterday, fortnight], edges(2), -inf, inf).values == (9.0, 9.0)
    found = filled([yesterday], edges(2), -inf, inf)
    assert (found.values, found.days_back) == ((5.0, 5.0), (1,))


def test_the_first_source_counts_and_the_second_fills_its_gaps():
    assert filled([series([1, nan, 3]), series([7, 8, 9])], edges(3), -inf, inf).values == (1.0, 8.0, 3.0)


@pytest.mark.parametrize("wrong", [nan, inf, -inf, 1e6, -1.0])
def test_a_value_that_is_none_or_implausible_is_replaced(wrong):
    found = filled([series([1, wrong, 3]), series([5] * 24, NOW_S - 7 * DAY)], edges(3), 0.0, 1000.0)
    assert found.values == (1.0, 5.0, 3.0)
    assert found.is_known == (True, False, True)


def test_an_implausible_row_within_a_longer_step_is_not_averaged_in():
    week = series([5] * 48, NOW_S - 7 * DAY, 1800)
    found = filled([series([100, -100, 8, 8], step_s=1800), week], edges(2), 0.0, 1000.0)
    assert found.values == (5.0, 8.0)


def test_a_series_that_never_has_a_plausible_value_gives_nothing():
    assert filled([series([-5.0] * 48)], edges(2), 0.0, inf) is None
    assert filled([], edges(2), -inf, inf) is None
    assert filled([series([])], edges(2), -inf, inf) is None


def test_a_row_counts_no_longer_than_rows_usually_do():
    # After the last row nothing is known, although no later row ends it.
    _, is_covered = averages(series([1, 2, 3]), edges(5))
    assert is_covered.tolist() == [True, True, True, False, False]


def test_a_hole_between_rows_is_not_stretched_over():
    rows = Series(np.array([NOW_S, NOW_S + HOUR, NOW_S + 4 * HOUR]), np.array([1.0, 2.0, 5.0]), {}, CHANGED)
    _, is_covered = averages(rows, edges(5))
    assert is_covered.tolist() == [True, True, False, False, True]


def test_of_two_rows_at_one_instant_one_counts():
    rows = Series(np.array([NOW_S, NOW_S, NOW_S + HOUR]), np.array([1.0, 50.0, 2.0]), {}, CHANGED)
    assert filled([rows], edges(2), -inf, inf).values == (1.0, 2.0)


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=8),
    cut=st.integers(1, 7),
    step_s=st.sampled_from([900, 1800, 3600, 7200]),
)
def test_averages_keep_the_integral(values, cut, step_s):
    rows, end_s = series(values, step_s=3600), 8 * HOUR
    found, is_covered = averages(rows, np.arange(NOW_S, NOW_S + end_s + 1, step_s, dtype=float))
    assert is_covered.all()
    assert float(np.sum(found) * step_s) == pytest.approx(float(np.sum(values) * 3600), abs=1e-3)
    two, _ = averages(rows, np.array([NOW_S, NOW_S + cut * HOUR, NOW_S + end_s], dtype=float))
    assert two[0] == pytest.approx(float(np.mean(values[:cut])), abs=1e-6)
