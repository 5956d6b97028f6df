"""Directions of one store, against every possible choice of directions."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from optimizer.planner import plan
from optimizer.search import search
from optimizer.single_store import Store, best_directions
from tests.optimizer.test_against_oracle import numbers
from tests.oracle import Rows
from tests.shared import shared_data
from tests.sites import CREATED, battery, problem


def least_cost(store: Store, directions) -> float:
    """The cheapest schedule with given directions, by a linear program of its own; infinite if there is none."""
    rows, before = Rows(), None
    for t, direction in enumerate(directions):
        charge = rows.column(0.0, store.charge_limit[t] if direction > 0 else 0.0, cost=store.charge_cost[t])
        discharge = rows.column(0.0, store.discharge_limit[t] if direction <= 0 else 0.0, cost=store.discharge_cost[t])
        stored = rows.column(store.lowest[t], store.highest[t])
        flow = {stored: 1.0, charge: -store.stored_per_charge[t], discharge: store.taken_per_discharge[t]}
        if before is None:
            rows.row(flow, store.carried_kwh, store.carried_kwh)
        else:
            rows.row({**flow, before: -store.keep[t]}, 0.0, 0.0)
        before = stored
    cost = rows.lowest_cost()
    return np.inf if cost is None else cost


@st.composite
def stores(draw):
    steps = draw(st.integers(1, 6))

    def series(low, high):
        return np.array(draw(st.lists(numbers(low, high, 1), min_size=steps, max_size=steps)))

    capacity = draw(numbers(5, 100, 1))
    price = series(-60, 60)
    lowest, highest = np.zeros(steps), np.full(steps, capacity)
    lowest[-1] = draw(numbers(0, capacity, 1))
    keep = np.full(steps, draw(st.sampled_from([1.0, 0.98])))
    return Store(
        carried_kwh=draw(numbers(0, capacity, 1)),
        keep=keep,
        stored_per_charge=np.full(steps, draw(numbers(0.2, 1.0))),
        taken_per_discharge=np.full(steps, draw(numbers(1.0, 2.0))),
        charge_limit=series(0, 50),
        discharge_limit=series(0, 50),
        charge_cost=price,
        discharge_cost=-price + draw(st.sampled_from([0.0, 3.0])),
        lowest=lowest,
        highest=highest,
    )


def test_a_window_that_is_just_as_long_as_a_slope_keeps_the_point_between_two_slopes():
    """Room for a paid charge is made by discharging for nothing. Selling 0.1 kW first leaves as much of it."""
    limits = {"charge_limit": [0.1, 0.0, 35.3, 0.0], "discharge_limit": [0.1, 12.9, 0.0, 28.6]}
    costs = {"charge_cost": [0.1, 0.0, -0.2, 0.3], "discharge_cost": [-0.1, 0.0, 0.2, -0.3]}
    store = Store(
        carried_kwh=31.1,
        keep=np.ones(4),
        stored_per_charge=np.full(4, 0.72),
        taken_per_discharge=np.full(4, 1.68),
        lowest=np.zeros(4),
        highest=np.full(4, 47.9),
        **{name: np.array(values) for name, values in (limits | costs).items()},
    )
    assert best_directions(store).way.tolist() == [-1, -1, 1, -1]


@settings(deadline=None, max_examples=120)
@given(stores())
def test_no_other_choice_of_directions_is_cheaper(store):
    directions = best_directions(store)
    choices = itertools.product((1, -1), repeat=store.keep.size)
    cheapest = min(least_cost(store, choice) for choice in choices)
    if directions is None:
        assert cheapest == np.inf
    else:
        assert directions.error < 1e-6
        assert least_cost(store, directions.way) <= cheapest + 1e-6 * max(1.0, abs(cheapest))


def province_day(day: str) -> list[float]:
    lines = shared_data("price_cn_province_2022_15min.csv").read_text().splitlines()[1:]
    rows = [line.split(",") for line in lines]
    first = next(k for k, row in enumerate(rows) if row[0] == f"{day}T16:00:00Z")
    return [float(row[2]) for row in rows[first : first + 96]]


def test_a_day_with_56_quarter_hours_at_one_negative_price_is_solved_to_its_optimum():
    # 159.0697146 was proven by branch and bound in a separate, tightened formulation.
    prices = province_day("2022-01-30")
    assert sum(price < 0 for price in prices) == 56
    found = search(problem([battery()], prices, step_minutes=15))
    assert not found.assembly.is_integer.any()
    made = plan(problem([battery()], prices, step_minutes=15), CREATED)
    assert made.money.net == pytest.approx(159.0697146, abs=1e-6)


def test_a_curve_stays_small_over_a_month_of_negative_prices():
    rng = np.random.default_rng(3)
    prices = np.round(rng.choice([-80.0, -80.0, -35.5, 40.0, 210.0], 96 * 30), 2)
    made = plan(problem([battery(energy_capacity_kwh=55.0)], prices, step_minutes=15), CREATED)
    assert made.verification.passed
    assert made.gap_fraction == 0.0
