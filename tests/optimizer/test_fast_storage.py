"""Flywheels and supercapacitors: reserve from the energy on either side of rest, and a standing load."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optimizer.assets.fast_storage import check
from optimizer.assets.fast_storage.schema import FastStorage
from optimizer.planner import plan
from optimizer.problem import Reserve, State
from tests.optimizer.test_every_device import device
from tests.sites import CREATED, battery, hours, problem

QUARTER = {"energy_up_h": 0.25, "energy_down_h": 0.25, "includes_losses": True}


def flywheel(**fields: Any) -> FastStorage:
    """A flywheel of 20 MW for 18 seconds, at rest half full."""
    given: dict[str, Any] = {
        "energy_capacity_kwh": 100.0,
        "charge_power_kw": 20_000.0,
        "discharge_power_kw": 20_000.0,
        "charge_efficiency": 0.95,
        "discharge_efficiency": 0.95,
    }
    return FastStorage(id="fly1", type="fast_storage", **given | fields)


def reserve(hold_kw, direction="up", **fields):
    return Reserve("regulation", direction, tuple(map(float, hold_kw)), **fields)


def schedules(made):
    return {schedule.asset_id: schedule for schedule in made.schedules}


@settings(max_examples=40, deadline=None)
@given(
    prices=st.lists(st.floats(-10_000, 10_000), min_size=8, max_size=8),
    held_kw=st.floats(0, 20_000),
    has_battery=st.booleans(),
)
@example(prices=[-10_000, 10_000] * 4, held_kw=0, has_battery=False)
def test_a_flywheel_of_20_mw_and_a_tenth_of_a_mwh_has_no_position_in_energy_above_that_whatever_the_prices(
    prices, held_kw, has_battery
):
    wheel = flywheel(technology="flywheel")
    stores = [wheel, battery(energy_capacity_kwh=8000.0)] if has_battery else [wheel]
    called_for_9_s = reserve([held_kw] * 8, "symmetric", energy_up_h=9 / 3600, energy_down_h=9 / 3600)
    made = plan(problem(stores, prices, horizon=hours(8, 15), reserves=(called_for_9_s,)), CREATED)
    energy_kwh = [kw / 4 for kw in schedules(made)["fly1"].export_kw]
    assert max(map(abs, energy_kwh)) <= 100
    assert energy_kwh == [-5.0] * 8  # the standing load of 20 kW, for a quarter of an hour


@pytest.mark.parametrize(
    ("direction", "efficiency", "most_kw"),
    [("up", True, 50 * 0.95 / 0.25), ("down", True, 50 / 0.95 / 0.25), ("up", False, 200.0), ("down", False, 200.0)],
)
def test_a_reserve_for_a_quarter_of_an_hour_is_limited_by_the_energy_on_its_side_of_rest(
    direction, efficiency, most_kw
):
    # The battery holds what the flywheel cannot, and it would rather move with all its power in the second hour.
    held_kw = 1000.0
    rules = QUARTER | {"includes_losses": efficiency}
    prices = [0.0, 500.0] if direction == "up" else [0.0, -500.0]
    store = battery(
        energy_capacity_kwh=100_000.0,
        charge_power_kw=1000.0,
        discharge_power_kw=1000.0,
        charge_efficiency=1.0,
        discharge_efficiency=1.0,
        final_soc_fraction=0.0,
        final_soc_max_fraction=1.0,
    )
    site = problem([store, flywheel()], prices, reserves=(reserve([held_kw] * 2, direction, **rules),))
    made = schedules(plan(site, CREATED))
    moved_kw = made["bess1"].export_kw[1] * (1 if direction == "up" else -1)
    assert moved_kw == pytest.approx(1000 - (held_kw - most_kw), abs=1e-5)
    held_by_wheel = made["fly1"].up_kw if direction == "up" else made["fly1"].down_kw
    assert held_by_wheel["regulation"][1] == pytest.approx(most_kw, abs=1e-5)


def test_a_flywheel_that_rests_nearly_full_gives_more_upwards_than_downwards():
    up = reserve([360.0], "up", energy_up_h=0.25)
    down = replace(reserve([40.0], "down", energy_down_h=0.25), product="other")
    site = problem([flywheel(rest_soc_fraction=0.9)], [10.0], reserves=(up, down))
    wheel = plan(site, CREATED).schedules[0]
    assert wheel.up_kw["regulation"] == pytest.approx((360,))
    assert wheel.down_kw["other"] == pytest.approx((40,))


def test_a_reserve_for_an_instant_is_limited_by_power():
    site = problem([flywheel()], [10.0], reserves=(reserve([20_000.0], "symmetric"),))
    wheel = plan(site, CREATED).schedules[0]
    assert wheel.up_kw["regulation"] == wheel.down_kw["regulation"] == pytest.approx((20_000,))


def test_a_battery_hands_its_reserve_over_and_earns_with_the_power_it_gets_back():
    # Alone, 100 kW held both ways is all its power: it stands still. Beside the flywheel it buys 100 kWh at 10 and
    # sells them at 110, and the flywheel draws 2 kW in both hours: 100 · 0.1 − 2 · 0.12.
    store = battery(charge_efficiency=1.0, discharge_efficiency=1.0)
    called_for_18_s = reserve([100.0, 100.0], "symmetric", energy_up_h=0.005, energy_down_h=0.005)
    wheel = flywheel(energy_capacity_kwh=1.0, charge_power_kw=100.0, discharge_power_kw=100.0, standing_load_kw=2.0)
    alone = plan(problem([store], [10.0, 110.0], reserves=(called_for_18_s,)), CREATED)
    both = plan(problem([store, wheel], [10.0, 110.0], reserves=(called_for_18_s,)), CREATED)
    assert alone.money.net == pytest.approx(0, abs=1e-6)
    assert both.money.net == pytest.approx(10 - 0.24, abs=1e-6)
    assert schedules(both)["fly1"].up_kw["regulation"] == pytest.approx((100, 100))
    assert schedules(both)["bess1"].export_kw == pytest.approx((-100, 100))


def test_a_flywheel_holds_all_that_is_asked_for_and_no_more_where_a_battery_could_hold_it_at_no_cost_too():
    held = reserve([500.0] * 2, "up")
    store = battery(charge_power_kw=500.0, discharge_power_kw=500.0)
    made = schedules(plan(problem([store, flywheel()], [10.0, 10.0], reserves=(held,)), CREATED))
    assert made["fly1"].up_kw["regulation"] == pytest.approx((500, 500))
    assert made["fly1"].down_kw["regulation"] == pytest.approx((0, 0))
    assert made["bess1"].up_kw["regulation"] == pytest.approx((0, 0))


def test_a_standing_load_costs_what_it_draws_and_a_cycle_nothing():
    made = plan(problem([flywheel(standing_load_kw=20.0)], [50.0, 100.0]), CREATED)
    assert made.money.energy == pytest.approx(-20 * 0.15)
    assert made.money.wear == 0


def test_a_measured_energy_changes_nothing():
    held = reserve([200.0], energy_up_h=0.25)
    site = problem([flywheel()], [10.0], reserves=(held,), states={"fly1": State(stored_kwh=0.0)})
    assert plan(site, CREATED).schedules[0].up_kw["regulation"] == pytest.approx((200,))


def test_no_reserve_is_counted_of_a_flywheel_that_does_not_answer():
    store = battery(charge_efficiency=1.0, discharge_efficiency=1.0)
    site = problem([store, flywheel()], [10.0, 110.0], reserves=(reserve([100.0, 100.0], "symmetric"),))
    made = schedules(plan(replace(site, resting=frozenset({"fly1"})), CREATED))
    assert made["fly1"].up_kw["regulation"] == pytest.approx((0, 0))
    assert made["bess1"].up_kw["regulation"] == pytest.approx((100, 100))


@pytest.mark.parametrize(
    ("field", "values", "broken"),
    [
        ("export_kw", (-1.0,), "rest but for the standing load"),
        ("up_kw", {"regulation": (204.0,)}, "energy for upward reserve"),
        ("down_kw", {"regulation": (204.0,)}, "room for downward reserve"),
        ("up_kw", {"regulation": (20_001.0,)}, "power for upward reserve"),
        ("down_kw", {"regulation": (20_001.0,)}, "power for downward reserve"),
        ("up_kw", {"regulation": (-1.0,)}, "upward reserve"),
    ],
)
def test_the_check_finds_what_is_wrong(field, values, broken):
    wheel = flywheel()
    site = problem([wheel], [10.0], reserves=(reserve([200.0], "symmetric", energy_up_h=0.25, energy_down_h=0.25),))
    right = plan(site, CREATED).schedules[0]
    found = dict(check.violations(wheel, site.inputs_of(wheel), replace(right, **{field: values})))
    assert found[broken] == pytest.approx(1.0)
    assert max(amount for _, amount in check.violations(wheel, site.inputs_of(wheel), right)) <= 1e-6


def test_a_device_left_to_itself_goes_back_to_rest_and_then_draws_its_standing_load():
    physics = device(flywheel(standing_load_kw=20.0))
    physics.advance(10_000.0, None, 9.0)
    assert physics.stored_kwh == pytest.approx(50 - 10_020 * 9 / 3600 / 0.95, abs=0.2)
    for _ in range(300):
        physics.advance(None, None, 1.0)
    assert physics.stored_kwh == pytest.approx(50, abs=0.01)
    assert physics.export_kw == pytest.approx(-20, abs=0.5)


def test_a_device_that_is_empty_gives_nothing_more():
    physics = device(flywheel())
    for _ in range(30):
        physics.advance(20_000.0, None, 1.0)
    assert physics.stored_kwh == pytest.approx(0, abs=0.1)
    assert physics.export_kw == pytest.approx(0, abs=100)
    assert physics.live_limits.charge_kw == 20_000
