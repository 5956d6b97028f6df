"""What of a trace of stored energy is kept, and that nothing else matters for where the energy lies."""

from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.assets.battery.segments import _initial_kwh
from vpp.domain.reversals import extended

CAPACITY = 12


def reversals(*trace):
    return reduce(extended, map(float, trace), ())


@pytest.mark.parametrize(
    ("trace", "kept"),
    [
        ([5], [5]),
        ([5, 5, 5], [5]),
        ([5, 6, 7], [5, 7]),  # on and on
        ([0, 9, 4], [0, 9, 4]),
        ([9, 2, 6], [9, 2, 6]),  # a charge within a deep discharge
        ([9, 2, 6, 4], [9, 2, 6, 4]),
        ([9, 2, 6, 4, 6], [9, 2, 6]),  # closed
        ([9, 2, 6, 1], [9, 1]),  # the deep discharge goes on
        ([9, 2, 6, 4, 5, 4, 6, 1], [9, 1]),
        ([9, 2, 10], [2, 10]),  # above where it began: all of it was charged since
    ],
)
def test_swings_that_are_closed_are_forgotten(trace, kept):
    assert reversals(*trace) == tuple(map(float, kept))


@given(st.lists(st.integers(0, CAPACITY), min_size=1, max_size=40))
def test_energy_lies_where_the_whole_trace_would_have_put_it(trace):
    whole = _initial_kwh([float(kwh) for kwh in trace], 2.0, 1.0, CAPACITY)
    assert _initial_kwh(reversals(*trace), 2.0, 1.0, CAPACITY).tolist() == whole.tolist()
    assert whole.sum() == trace[-1]


@given(st.lists(st.floats(0, CAPACITY), min_size=1, max_size=60))
def test_swings_become_smaller_and_smaller(trace):
    kept = reversals(*trace)
    swings = [after - before for before, after in pairwise(kept)]
    assert kept[-1] == trace[-1]
    assert all(abs(b) < abs(a) and a * b < 0 for a, b in pairwise(swings))
