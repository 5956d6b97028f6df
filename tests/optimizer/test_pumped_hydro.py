"""Pumped hydro: whole pumps, a turbine with a lowest power, water in cubic metres, and water that comes by itself."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from optimizer.assets.pumped_hydro import check
from optimizer.assets.pumped_hydro.schema import PumpedHydro
from optimizer.contrast import contrast
from optimizer.planner import plan
from optimizer.problem import Problem, Reserve, State, Wanted
from tests.optimizer.test_every_device import START_S, device, follow
from tests.sites import CREATED, NOWHERE, problem
from vpp.domain.efficiency import round_trips
from vpp.report.story import trade

M3_OF_1000_KWH = 1000 * 3.6e6 / (1000 * 9.81 * 100)
"""Water that holds 1,000 kWh when it is 100 m up."""
M3_PER_S_OF_100_KW = M3_OF_1000_KWH / 10 / 3600


def hydro(**fields: Any) -> PumpedHydro:
    """Three pumps of 40 kW and a turbine of 100 kW on 1,000 kWh of water 100 m up, without losses."""
    given: dict[str, Any] = {
        "reservoir_volume_m3": M3_OF_1000_KWH,
        "head_m": 100.0,
        "pump_unit_count": 3,
        "pump_unit_power_kw": 40.0,
        "turbine_power_kw": 100.0,
        "pump_efficiency": 1.0,
        "turbine_efficiency": 1.0,
        "initial_soc_fraction": 0.0,
    }
    return PumpedHydro(id="hydro", type="pumped_hydro", **given | fields)


def site(asset: PumpedHydro, prices: list[float], inflow: list[float] | None = None, **fields: Any) -> Problem:
    """A site with one plant, and what flows into it in m³/s."""
    made = problem([asset], prices, **fields)
    return made if inflow is None else replace(made, series={("hydro", "inflow"): tuple(inflow)})


def only(made):
    return made.schedules[0]


def test_a_thousand_cubic_metres_a_hundred_metres_up_hold_272_and_a_half_kwh():
    """10⁶ kg · 9.81 m/s² · 100 m = 981 MJ."""
    asset = hydro(reservoir_volume_m3=1000.0)
    assert asset.energy_capacity_kwh == pytest.approx(272.5)
    assert asset.unit().energy_capacity_kwh == pytest.approx(272.5)


def test_a_cubic_metre_a_second_a_hundred_metres_up_is_981_kw():
    assert hydro().machines().kw_per_inflow == pytest.approx(981)


@pytest.mark.parametrize(("import_limit_kw", "drawn_kw"), [(119, 80), (120, 120), (39, 0), (500, 120)])
def test_so_many_pumps_run_as_the_connection_has_room_for(import_limit_kw, drawn_kw):
    made = plan(site(hydro(), [10, 90], import_limit_kw=import_limit_kw), CREATED)
    assert only(made).export_kw[0] == pytest.approx(-drawn_kw)
    assert only(made).flows["charging_units"][0] == drawn_kw / 40


def test_the_last_water_that_fits_no_pump_is_not_pumped():
    """Room for 100 kWh is two pumps for an hour and not two and a half."""
    made = plan(site(hydro(initial_soc_fraction=0.9), [-20]), CREATED)
    assert only(made).export_kw == (-80,)


def test_every_pump_pays_its_start_and_only_when_it_starts():
    """At 30 below the later price a pump of 40 kW earns 1.20 an hour; a start of 1.30 is paid by two hours on end."""
    asset = hydro(pump_cost_per_start=1.3)
    assert only(plan(site(asset, [60, 90]), CREATED)).export_kw == (0, 0)
    made = plan(site(asset, [60, 60, 90, 90, 90]), CREATED)
    assert only(made).flows["charging_units"] == (3, 3, 0, 0, 0)
    assert made.money.wear == pytest.approx(-3 * 1.3)


@pytest.mark.parametrize(("ran_kw", "starts"), [(0.0, 3), (-40.0, 2), (-81.0, 1), (-120.0, 0), (None, 3)])
def test_pumps_that_ran_when_the_plan_begins_need_no_start(ran_kw, starts):
    before = {"hydro": State(0.0, export_kw=ran_kw)}
    made = plan(site(hydro(pump_cost_per_start=0.5), [10, 90], states=before), CREATED)
    assert only(made).flows["charging_units"][0] == 3
    assert made.money.wear == pytest.approx(-0.5 * starts)


def test_inflow_fills_the_reservoir_and_only_what_does_not_fit_is_spilled():
    """100 kW for three hours into room for 250 kWh: 50 kWh are lost, in the hour in which it is full."""
    asset = hydro(initial_soc_fraction=0.75, inflow=NOWHERE, turbine_power_kw=0.0, pump_unit_power_kw=0.0)
    made = plan(site(asset, [50, 50, 50], [M3_PER_S_OF_100_KW] * 3), CREATED)
    assert only(made).stored_kwh == pytest.approx((850, 950, 1000))
    assert sum(only(made).flows["spill_kw"]) == pytest.approx(50)
    assert only(made).flows["spill_kw"][0] == pytest.approx(0)
    assert trade(made).endswith("It spills 50\xa0kWh, 02:00–03:00.")


def test_water_that_comes_by_itself_is_sold_in_the_dearest_hour_as_far_as_the_turbine_takes_it():
    """Two hours of 60 kW: 100 kWh go in the hour at 90, the other 20 in the hour at 70, and nothing is spilled."""
    asset = hydro(inflow=NOWHERE, final_soc_fraction=0.0)
    made = plan(site(asset, [20, 70, 90, 30], [0.6 * M3_PER_S_OF_100_KW] * 2 + [0.0] * 2, import_limit_kw=0), CREATED)
    assert only(made).export_kw == pytest.approx((0, 20, 100, 0))
    assert made.money.net == pytest.approx((20 * 70 + 100 * 90) / 1000)
    assert sum(only(made).flows["spill_kw"]) == pytest.approx(0)


def test_a_store_with_inflow_has_no_round_trip():
    """Of 100 kWh that come by themselves none were bought, so energy out over energy in says nothing."""
    asset = hydro(inflow=NOWHERE, initial_soc_fraction=0.5, pump_efficiency=0.8)
    made = plan(site(asset, [10, 90], [M3_PER_S_OF_100_KW, 0.0]), CREATED)
    assert only(made).stored_kwh[-1] == pytest.approx(500, abs=100)
    assert round_trips(only(made), (1.0, 1.0)) is None
    without = plan(site(hydro(initial_soc_fraction=0.5, pump_efficiency=0.8, turbine_power_kw=64.0), [10, 90]), CREATED)
    assert round_trips(only(without), (1.0, 1.0))[0] == pytest.approx(0.8)


def test_the_turbine_keeps_out_of_the_zone_below_its_lowest_power():
    asset = hydro(min_turbine_power_kw=60.0, initial_soc_fraction=0.05, final_soc_fraction=0.0)
    assert only(plan(site(asset, [50]), CREATED)).export_kw == (0,)
    fuller = hydro(min_turbine_power_kw=60.0, initial_soc_fraction=0.061, final_soc_fraction=0.0)
    assert only(plan(site(fuller, [50]), CREATED)).export_kw == pytest.approx((61,))


def test_pumps_hold_no_reserve_and_the_turbine_holds_what_its_range_leaves():
    """Pumping would earn more in both hours, but 30 kW upwards come only from a turbine that runs at 70 kW at most."""
    held = Reserve("fcr", "up", (30.0, 0.0), energy_up_h=0.25)
    asset = hydro(initial_soc_fraction=0.5, final_soc_fraction=0.0, min_turbine_power_kw=20.0)
    made = plan(site(asset, [-50, -50], reserves=(held,)), CREATED)
    assert only(made).export_kw == pytest.approx((20, -120))


def test_a_pump_at_rest_is_no_reserve_downwards():
    """Two pumps pay in the cheap hour; another 40 kW could be drawn, but only by a pump that would have to start."""
    held = Reserve("fcr", "down", (20.0, 0.0), energy_down_h=0.25)
    asset = hydro(initial_soc_fraction=0.5, min_turbine_power_kw=20.0)
    given = site(asset, [10, 90], reserves=(held,), import_limit_kw=100)
    made = plan(given, CREATED)
    assert only(plan(site(asset, [10, 90], import_limit_kw=100), CREATED)).export_kw == pytest.approx((-80, 80))
    assert only(made).flows["is_discharging"][0] == 1
    assert only(made).export_kw[0] >= 40 - 1e-6


def test_a_wanted_power_between_two_pumps_is_refused_and_the_nearest_is_a_whole_number_of_them():
    found = contrast(site(hydro(initial_soc_fraction=0.5), [20, 60, 30, 80]), Wanted("hydro", 0, -60.0), CREATED)
    assert found.plan is None
    assert found.nearest_kw in (-40, -80)
    assert "charge power" in " ".join(conflict.limit for conflict in found.conflicts)


@pytest.mark.parametrize(
    ("flow", "value", "violated"),
    [
        ("charging_units", 1.5, "units that charge"),
        ("charging_units", 4.0, "number of units"),
        ("charging_units", 2.0, "charge power"),
        ("is_charging", 0.0, "whether it charges"),
        ("spill_kw", 150.0, "spill"),
        ("spill_kw", -1.0, "spill"),
    ],
)
def test_a_plan_with_a_wrong_number_is_found_out(flow, value, violated):
    given = site(hydro(inflow=NOWHERE, turbine_power_kw=1000.0), [10, 90], [M3_PER_S_OF_100_KW] * 2)
    schedule = only(plan(given, CREATED))
    inputs = given.inputs_of(given.assets[0])
    assert max(amount for _, amount in check.violations(given.assets[0], inputs, schedule)) < 1e-6
    wrong = replace(schedule, flows=schedule.flows | {flow: (value, *schedule.flows[flow][1:])})
    amounts = dict(check.violations(given.assets[0], inputs, wrong))
    assert amounts[violated] > 0.4


@pytest.mark.parametrize(
    ("asked_kw", "drawn_kw"), [(-30, 0), (-40, 40), (-79, 40), (-100, 80), (-119.99999, 120), (-500, 120)]
)
def test_a_device_runs_as_many_whole_pumps_as_a_set_point_suffices_for(asked_kw, drawn_kw):
    physics = device(hydro(), None)
    physics.advance(asked_kw, None, 120.0)
    physics.advance(asked_kw, None, 1.0)
    assert physics.export_kw == pytest.approx(-drawn_kw, rel=0.002)


def test_pumps_run_at_their_rating_up_to_the_brim():
    physics = device(hydro(initial_soc_fraction=0.99), None)
    physics.advance(-120, None, 120.0)
    physics.advance(-120, None, 1.0)
    assert physics.export_kw == pytest.approx(-120, rel=0.002)
    follow(physics, [-120], 900)
    assert physics.export_kw == pytest.approx(0)
    assert physics.stored_kwh == pytest.approx(1000, abs=1)


def test_a_reservoir_rises_with_the_inflow_of_the_hour_and_runs_over_at_the_brim():
    """100 kW in the first hour and nothing in the second, into room for 150 kWh; then 100 kW again."""
    asset = hydro(inflow=NOWHERE, initial_soc_fraction=0.85)
    hour = [M3_PER_S_OF_100_KW, 0.0, M3_PER_S_OF_100_KW]
    physics = device(asset, lambda utc_s: hour[min(int((utc_s - START_S) // 3600), 2)])
    stored_kwh = []
    for _ in hour:
        follow(physics, [None] * 4, 900)
        stored_kwh.append(physics.stored_kwh)
    assert stored_kwh == pytest.approx([950, 950, 1000], abs=0.2)


def test_a_device_that_follows_its_plan_with_inflow_ends_near_the_planned_energy():
    asset = hydro(inflow=NOWHERE, initial_soc_fraction=0.3, pump_efficiency=0.88, turbine_efficiency=0.9)
    prices = [40.0 + 30 * np.sin(k / 3) for k in range(24)]
    made = only(plan(site(asset, prices, [0.2 * M3_PER_S_OF_100_KW] * 24), CREATED))
    physics = device(asset, lambda _utc_s: 0.2 * M3_PER_S_OF_100_KW)
    follow(physics, made.export_kw, 3600)
    assert max(made.stored_kwh) > 500
    assert physics.stored_kwh == pytest.approx(made.stored_kwh[-1], abs=0.03 * 1000)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"min_turbine_power_kw": 101.0}, "must be at most turbine_power_kw, which is 100"),
        ({"pump_unit_count": 0}, "greater than or equal to 1"),
        ({"pump_unit_count": 1.5}, "valid integer"),
        ({"reservoir_volume_m3": 0.0}, "greater than 0"),
        ({"head_m": -1.0}, "greater than 0"),
        ({"pump_efficiency": 1.1}, "less than or equal to 1"),
        ({"initial_soc_fraction": 0.1, "min_soc_fraction": 0.2}, "must be 0.2 to 1, the window"),
    ],
)
def test_a_plant_that_cannot_be_is_refused(fields, told):
    with pytest.raises(ValidationError, match=told):
        hydro(**fields)
