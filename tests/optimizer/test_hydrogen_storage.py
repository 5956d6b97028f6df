"""Hydrogen: a tank in kg at the lower heating value, an electrolyser that stands by, and a fuel cell."""

from typing import Any

import pytest
from pydantic import ValidationError

from optimizer.assets.hydrogen_storage.schema import HydrogenStorage
from optimizer.planner import explained, plan
from optimizer.problem import State
from tests.optimizer.test_every_device import device
from tests.sites import CREATED, problem
from vpp.report.why import Because, reasons


def hydrogen(**fields: Any) -> HydrogenStorage:
    """Electrolyser and fuel cell of 100 kW on 30 kg, 1,000 kWh, without losses."""
    given: dict[str, Any] = {
        "tank_capacity_kg": 1000 / 33.33,
        "electrolyser_power_kw": 100.0,
        "fuel_cell_power_kw": 100.0,
        "electrolyser_efficiency": 1.0,
        "fuel_cell_efficiency": 1.0,
        "initial_soc_fraction": 0.0,
    }
    return HydrogenStorage(id="h2", type="hydrogen_storage", **given | fields)


def only(made):
    return made.schedules[0]


def test_three_kg_hold_a_hundred_kwh():
    assert hydrogen(tank_capacity_kg=3.0).energy_capacity_kwh == pytest.approx(99.99)


def test_an_electrolyser_of_50_kwh_per_kg_makes_two_kg_an_hour_from_100_kw():
    """Its efficiency is 33.33/50; two kg are 66.66 kWh, which a fuel cell of one half turns into 33.33 kWh."""
    asset = hydrogen(electrolyser_efficiency=33.33 / 50, fuel_cell_efficiency=0.5)
    made = only(plan(problem([asset], [10, 90]), CREATED))
    assert made.stored_kwh == pytest.approx((66.66, 0))
    assert made.stored_kwh[0] / 33.33 == pytest.approx(2)
    assert made.export_kw == pytest.approx((-100, 33.33))


def test_the_electrolyser_is_kept_warm_whenever_it_does_not_run():
    """5 kW at rest and while the fuel cell runs, none while it runs itself; 2 kW all the time."""
    asset = hydrogen(electrolyser_standby_load_kw=5.0, min_electrolyser_power_kw=10.0, standing_load_kw=2.0)
    made = only(plan(problem([asset], [10, 40, 90]), CREATED))
    assert made.export_kw == pytest.approx((-102, -7, 93))


def test_standing_by_is_paid_even_where_nothing_is_worth_making():
    losses = {"electrolyser_efficiency": 0.6, "fuel_cell_efficiency": 0.5}
    asset = hydrogen(electrolyser_standby_load_kw=5.0, min_electrolyser_power_kw=10.0, **losses)
    made = plan(problem([asset], [50, 60]), CREATED)
    assert only(made).export_kw == (-5, -5)
    assert made.money.net == pytest.approx(-0.005 * 110)


@pytest.mark.parametrize(("cost", "expected"), [(3.9, (-100, 100, -100, 100)), (4.1, (0, 0, 0, 0))])
def test_a_start_of_the_electrolyser_is_paid_by_the_spread_of_its_hour(cost, expected):
    asset = hydrogen(electrolyser_cost_per_start=cost, tank_capacity_kg=100 / 33.33)
    assert only(plan(problem([asset], [20, 60, 20, 60]), CREATED)).export_kw == pytest.approx(expected)


def test_an_electrolyser_that_ran_when_the_plan_begins_needs_no_start():
    asset = hydrogen(electrolyser_cost_per_start=4.1, fuel_cell_cost_per_start=0.0)
    under_way = {"h2": State(0.0, export_kw=-80.0)}
    assert plan(problem([asset], [20, 60], states=under_way), CREATED).money.net == pytest.approx(4.0)
    assert plan(problem([asset], [20, 60]), CREATED).money.net == 0


def test_the_electrolyser_runs_above_its_minimum_load_or_not_at_all():
    asset = hydrogen(min_electrolyser_power_kw=30.0)
    assert only(plan(problem([asset], [10, 90], import_limit_kw=29), CREATED)).export_kw == (0, 0)
    assert only(plan(problem([asset], [10, 90], import_limit_kw=31), CREATED)).export_kw == (-31, 31)


def test_an_electrolyser_that_runs_to_save_its_standby_is_said_to_run_for_that():
    """10 kW for an hour at 51 make 10 kWh worth 50 each MWh, which loses a cent, and save 5 kW of standby."""
    asset = hydrogen(electrolyser_standby_load_kw=5.0, min_electrolyser_power_kw=10.0, final_soc_fraction=0.0)
    made = explained(problem([asset], [51, 50]), CREATED)
    assert only(made).export_kw == pytest.approx((-10, 5))
    first = reasons(made, only(made))[0]
    assert (first.verb, first.because) == ("charges", Because.ON)


def test_a_device_on_standby_draws_its_standby_load_and_not_while_it_makes_hydrogen():
    physics = device(hydrogen(electrolyser_standby_load_kw=5.0, min_electrolyser_power_kw=10.0), None)
    physics.advance(None, None, 1.0)
    assert physics.export_kw == -5
    physics.advance(-100.0, None, 60.0)
    physics.advance(-100.0, None, 1.0)
    assert physics.export_kw == pytest.approx(-100, rel=0.002)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"min_electrolyser_power_kw": 101.0}, "must be at most electrolyser_power_kw, which is 100"),
        ({"min_fuel_cell_power_kw": 101.0}, "must be at most fuel_cell_power_kw, which is 100"),
        ({"electrolyser_standby_load_kw": 5.0}, "is 5 and must be at most min_electrolyser_power_kw"),
        ({"tank_capacity_kg": 0.0}, "greater than 0"),
        ({"electrolyser_efficiency": 52.0}, "must be above 0 and at most 1"),
        ({"electrolyser_efficiency": 0.0}, "greater than 0"),
    ],
)
def test_a_store_that_cannot_be_is_refused(fields, told):
    with pytest.raises(ValidationError, match=told):
        hydrogen(**fields)
