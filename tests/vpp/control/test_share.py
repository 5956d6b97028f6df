"""A total, split over assets by cost and room."""

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vpp.control.share import Range, share


def test_a_target_that_is_met_already_moves_nobody():
    assert share(30.0, {"a": Range(0.0, 10.0, 50.0, 1.0), "b": Range(0.0, 20.0, 50.0, 2.0)}) == {"a": 10.0, "b": 20.0}


def test_assets_of_equal_cost_move_in_proportion_to_their_room():
    ranges = {"a": Range(-100.0, 0.0, 100.0, 0.0), "b": Range(-100.0, 0.0, 50.0, 0.0)}
    assert share(60.0, ranges) == {"a": 40.0, "b": 20.0}
    assert share(-60.0, ranges) == {"a": -30.0, "b": -30.0}


def test_more_comes_from_the_cheapest_first():
    ranges = {"dear": Range(0.0, 0.0, 100.0, 20.0), "cheap": Range(0.0, 0.0, 40.0, 5.0)}
    assert share(30.0, ranges) == {"dear": 0.0, "cheap": 30.0}
    assert share(70.0, ranges) == {"dear": 30.0, "cheap": 40.0}


def test_less_comes_from_the_dearest_first():
    ranges = {"dear": Range(0.0, 50.0, 100.0, 20.0), "cheap": Range(0.0, 40.0, 40.0, 5.0)}
    assert share(60.0, ranges) == {"dear": 20.0, "cheap": 40.0}
    assert share(30.0, ranges) == {"dear": 0.0, "cheap": 30.0}


def test_what_nobody_can_deliver_is_left_over():
    ranges = {"a": Range(-10.0, 0.0, 10.0, 0.0), "b": Range(-5.0, 0.0, 20.0, 1.0)}
    assert share(100.0, ranges) == {"a": 10.0, "b": 20.0}
    assert share(-100.0, ranges) == {"a": -10.0, "b": -5.0}


def test_without_assets_nothing_is_shared():
    assert share(100.0, {}) == {}


@st.composite
def random_ranges(draw):
    made = {}
    for name in "abcdef"[: draw(st.integers(1, 6))]:
        low, start, high = sorted(draw(st.lists(st.integers(-1000, 1000), min_size=3, max_size=3)))
        made[name] = Range(float(low), float(start), float(high), float(draw(st.integers(0, 4)) * 10))
    return made


@settings(derandomize=True, deadline=None, max_examples=150)
@given(random_ranges(), st.integers(-4000, 4000))
def test_the_split_is_the_optimum_of_a_linear_program(ranges, total):
    shared = share(float(total), ranges)
    starts = {name: reach.start_kw for name, reach in ranges.items()}
    is_more = total >= sum(starts.values())
    ends = {n: (starts[n], r.high_kw) if is_more else (r.low_kw, starts[n]) for n, r in ranges.items()}
    reachable_kw = np.clip(float(total), sum(low for low, _ in ends.values()), sum(high for _, high in ends.values()))
    assert sum(shared.values()) == pytest.approx(reachable_kw, abs=1e-6)
    for name, (low_kw, high_kw) in ends.items():
        assert low_kw - 1e-6 <= shared[name] <= high_kw + 1e-6
    cost = sum(ranges[name].cost_per_mwh * kw for name, kw in shared.items())
    assert cost == pytest.approx(least_cost(ranges, ends, reachable_kw), rel=1e-7, abs=1e-3)


def least_cost(ranges, ends, total_kw):
    """min Σ cost·export with Σ export = total, each between its ends."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    for name, (low_kw, high_kw) in ends.items():
        model.addCol(ranges[name].cost_per_mwh, low_kw, high_kw, 0, np.array([], dtype=np.int32), np.array([]))
    count = len(ranges)
    model.addRow(total_kw, total_kw, count, np.arange(count, dtype=np.int32), np.ones(count))
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return model.getInfo().objective_function_value
