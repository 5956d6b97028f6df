"""What a plan takes of its stores' lives, counted after the plan is made."""

import pytest

from optimizer.ageing.schema import Ageing
from optimizer.planner import compare, plan
from tests.sites import CREATED, P24, battery, problem, station
from vpp.domain.efficiency import round_trip, round_trips

LFP = {"replacement_cost_per_kwh": 700.0, "cycle_life_count": 8000.0, "depth_exponent": 1.4}


def accounts(site):
    return compare(site, plan(site, CREATED)).ageing


def test_a_plan_says_what_its_cycles_take_by_rainflow_beside_what_it_paid():
    (wear,) = accounts(station(0.1, ageing=Ageing(**LFP)))
    assert wear.asset_id == "bess1"
    assert wear.rainflow_cost == pytest.approx(13_501.2, abs=0.05)
    assert wear.cycling_cost == pytest.approx(13_501.2, abs=0.05)
    assert wear.resting_cost == 0.0
    assert wear.life_used_fraction == pytest.approx(13_501.2 / (700 * 200_000), rel=1e-5)
    assert wear.full_cycle_count == pytest.approx(171 / 0.95 / 200)


def test_too_few_segments_price_a_cycle_above_what_is_counted():
    (wear,) = accounts(station(0.1, ageing=Ageing(**LFP, segment_count=4)))
    assert wear.cycling_cost == pytest.approx(12_858.7, abs=0.5)
    assert wear.rainflow_cost == pytest.approx(12_804, abs=1)


def test_rest_is_no_cycle_and_counts_apart():
    ageing = Ageing(**LFP, calendar=[{"above_soc_fraction": 0.5, "price_per_mwh_h": 2.0}])
    lossless = {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    store = battery(initial_soc_fraction=0.0, ageing=ageing, **lossless)
    site = problem([store, battery("plain")], [10, 10, 10, 10, 10, 10, 500, 500])
    (wear,) = accounts(site)  # the other one has no law
    assert wear.resting_cost == pytest.approx(2.0 * 0.1)
    assert wear.cycling_cost == pytest.approx(700 * 200 / 8000)
    assert wear.rainflow_cost == pytest.approx(700 * 200 / 8000)
    assert wear.full_cycle_count == pytest.approx(1.0)


def test_a_store_without_a_law_has_no_account():
    assert accounts(station(0.1, throughput_cost_per_mwh=20.0)) == ()


def test_the_efficiency_of_a_fleet_is_that_of_its_statistics():
    """First quarter of 2024, all of China: energy at the batteries, and at the grid, in GWh."""
    assert 100 * round_trip(1681, 1889) == pytest.approx(89.0, abs=0.05)
    assert 100 * round_trip(857, 1034) == pytest.approx(82.9, abs=0.05)
    assert round_trip(1.0, 0.0) is None


def test_own_consumption_lowers_the_efficiency_of_a_round_trip():
    site = problem([battery(standing_load_kw=1.0, initial_soc_fraction=0.0)], P24)
    made = plan(site, CREATED)
    at_terminals, overall = round_trips(made.schedules[0], site.horizon.step_hours)
    assert at_terminals == pytest.approx(0.95 * 0.95)
    (schedule,) = made.schedules
    out = sum(kw for kw in schedule.export_kw if kw > 0)
    into = -sum(kw for kw in schedule.export_kw if kw < 0)
    assert overall == pytest.approx(out / into)
    assert overall < at_terminals - 0.02


def test_a_store_that_ends_otherwise_than_it_began_has_no_round_trip():
    made = plan(problem([battery(initial_soc_fraction=0.0, final_soc_fraction=0.5)], P24), CREATED)
    assert round_trips(made.schedules[0], (1.0,) * 24) is None
