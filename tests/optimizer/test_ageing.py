import csv
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import numpy as np
import pytest
from pydantic import ValidationError

from optimizer.ageing.cycles import Cycle, cycles_of, full_cycles, life_used_fraction
from optimizer.ageing.schema import Ageing
from optimizer.assets.battery.segments import _initial_kwh, ageing_parameters
from optimizer.planner import plan
from optimizer.problem import State
from optimizer.rolling import Rolling
from tests.shared import shared_data
from tests.sites import CREATED, P24, battery, hours, problem, station

LFP = {"replacement_cost_per_kwh": 700.0, "cycle_life_count": 8000.0, "depth_exponent": 1.4}
NMC = {"replacement_cost_per_kwh": 900.0, "cycle_coefficient": 5.24e-4, "depth_exponent": 2.03}


def of_station(chemistry, segment_count, soc_fraction=0.1, **fields):
    return station(soc_fraction, ageing=Ageing(**chemistry, segment_count=segment_count, **fields))


def rainflow_cost(made, chemistry, capacity_kwh=200_000.0):
    (schedule,) = made.schedules
    trace = [schedule.initial_kwh / capacity_kwh, *schedule.soc_fraction]
    used = life_used_fraction(Ageing(**chemistry), cycles_of(trace))
    return chemistry["replacement_cost_per_kwh"] * capacity_kwh * used


@pytest.mark.parametrize(
    ("chemistry", "prices"),
    [(LFP, [52.90, 86.70, 106.68, 122.14]), (NMC, [119.05, 367.16, 621.14, 878.34])],
)
def test_the_price_of_a_segment_is_the_life_that_its_depth_adds(chemistry, prices):
    store = battery(energy_capacity_kwh=200_000.0, discharge_efficiency=0.95)
    numbers = ageing_parameters(store, Ageing(**chemistry, segment_count=4), 0.0, ())
    assert numbers["segment_price_per_mwh"] == pytest.approx(prices, abs=0.005)


def test_a_store_that_knows_its_wear_earns_more_after_wear():
    aware, blind = plan(of_station(LFP, 10), CREATED), plan(station(0.1), CREATED)
    assert aware.money.energy == pytest.approx(83_346.3, abs=0.05)
    assert -aware.money.wear == pytest.approx(13_501.2, abs=0.05)
    assert aware.money.net == pytest.approx(69_845.1, abs=0.05)
    assert rainflow_cost(aware, LFP) == pytest.approx(13_501.2, abs=0.05)
    assert blind.money.net == pytest.approx(88_706.3, abs=0.05)
    assert rainflow_cost(blind, LFP) == pytest.approx(25_609.1, abs=0.05)
    assert blind.money.net - rainflow_cost(blind, LFP) == pytest.approx(63_097.2, abs=0.1)


def test_a_store_that_hates_deep_cycles_must_know_its_wear():
    aware, blind = plan(of_station(NMC, 20), CREATED), plan(station(0.1), CREATED)
    assert blind.money.net - rainflow_cost(blind, NMC) == pytest.approx(-31_217.8, abs=0.1)
    assert aware.money.net == pytest.approx(30_144.5, abs=0.05)
    assert aware.money.energy - rainflow_cost(aware, NMC) == pytest.approx(30_204.8, abs=0.1)


def test_energy_below_the_floor_takes_no_room_from_cheap_cycles():
    made = plan(of_station(LFP, 4), CREATED)
    assert -made.money.wear == pytest.approx(12_858.7, abs=0.5)
    assert rainflow_cost(made, LFP) == pytest.approx(12_804, abs=1)


def test_the_floor_lies_in_the_deepest_segments_and_the_rest_in_the_shallowest():
    assert _initial_kwh([20.0], 20.0, 50.0, 4).tolist() == [0, 0, 0, 20]
    assert _initial_kwh([100.0], 20.0, 50.0, 4).tolist() == [50, 30, 0, 20]
    assert _initial_kwh([180.0], 20.0, 50.0, 4).tolist() == [50, 50, 50, 30]
    assert _initial_kwh([90.0], 70.0, 50.0, 4).tolist() == [20, 0, 20, 50]
    assert _initial_kwh([15.0], 20.0, 50.0, 4).tolist() == [0, 0, 0, 15]
    assert _initial_kwh([200.0], 20.0, 50.0, 4).tolist() == [50, 50, 50, 50]


def test_energy_lies_where_charging_and_discharging_before_have_put_it():
    assert _initial_kwh([200.0, 100.0], 0.0, 50.0, 4).tolist() == [0, 0, 50, 50]
    assert _initial_kwh([200.0, 100.0, 130.0], 0.0, 50.0, 4).tolist() == [30, 0, 50, 50]
    assert _initial_kwh([200.0, 100.0, 130.0, 110.0], 0.0, 50.0, 4).tolist() == [10, 0, 50, 50]
    assert _initial_kwh([200.0, 100.0, 130.0, 90.0], 0.0, 50.0, 4).tolist() == [0, 0, 40, 50]
    assert _initial_kwh([200.0, 60.0, 110.0], 20.0, 50.0, 4).tolist() == [50, 0, 10, 50]


def test_a_deep_cycle_that_has_begun_goes_on_at_the_price_of_its_depth():
    ageing = Ageing(replacement_cost_per_kwh=200.0, cycle_life_count=2000.0, depth_exponent=2.0, segment_count=4)
    store = battery(ageing=ageing, charge_efficiency=1.0, discharge_efficiency=1.0, final_soc_fraction=0.0)
    # Segments cost 25, 75, 125 and 175 per MWh. The store was full and holds 100 kWh, in the two deepest of them.
    cases = ((110, (), 100), (110, (200.0,), 0), (150, (200.0,), 50), (110, (200.0, 40.0), 60))
    for price, before_kwh, sold_kwh in cases:
        given = problem([store], [price], states={"bess1": State(100.0, stored_before_kwh=before_kwh)})
        made = plan(given, CREATED)
        assert -made.schedules[0].stored_kwh[-1] + 100 == pytest.approx(sold_kwh)


def after_wear(store, prices, hours_replanned, *, remembers):
    """Energy sold less what rainflow counts, of a store that is planned anew every hour at first, and then to the end.

    Each plan of the first hours looks a day ahead, the last one to the end of the prices.
    """
    trace, export_kw, rolling = [20_000.0], [], Rolling()
    for k in range(hours_replanned + 1):
        is_last = k == hours_replanned
        state = State(trace[-1], stored_before_kwh=tuple(trace) if remembers else ())
        first = hours(len(prices) - k if is_last else 24)
        horizon = replace(first, start=first.start + timedelta(hours=k))
        given = problem([store], prices[k : k + horizon.count], horizon=horizon, states={store.id: state})
        made = (plan(given, CREATED) if is_last else rolling.plan(given, CREATED)).schedules[0]
        followed = len(made.export_kw) if is_last else 1
        trace += made.stored_kwh[:followed]
        export_kw += made.export_kw[:followed]
    worn = life_used_fraction(store.ageing, cycles_of([kwh / store.energy_capacity_kwh for kwh in trace]))
    sold = sum(kw * price / 1000 for kw, price in zip(export_kw, prices, strict=True))
    return sold - store.ageing.replacement_cost_per_kwh * store.energy_capacity_kwh * worn


def test_a_store_planned_anew_every_hour_earns_what_one_plan_of_all_days_earns():
    """Eleven days of summer in California. That plan knows every price from the beginning, those of an hour one day."""
    with shared_data("price_us-cal-ciso_2023_hourly.csv").open(encoding="utf-8") as file:
        prices = [float(row["price_usd_per_mwh"]) for row in islice(csv.DictReader(file), 24 * 200, 24 * 211)]
    (store,) = of_station(NMC | {"replacement_cost_per_kwh": 100.0}, 10).assets
    at_once = after_wear(store, prices, 0, remembers=True)
    assert at_once == pytest.approx(55_374, abs=1)
    assert after_wear(store, prices, 240, remembers=True) == pytest.approx(54_717, abs=200)
    assert after_wear(store, prices, 240, remembers=False) == pytest.approx(41_222, abs=200)


def test_rainflow_counts_what_was_not_closed_as_half_cycles():
    cycles = cycles_of([0.5, 0.9, 0.1, 0.5])
    assert [(round(c.depth_fraction, 12), c.count) for c in cycles] == [(0.4, 0.5), (0.8, 0.5), (0.4, 0.5)]
    assert life_used_fraction(Ageing(**NMC), cycles) == pytest.approx(2.4813e-4, abs=5e-9)
    assert life_used_fraction(Ageing(**LFP), cycles) == pytest.approx(8.0388e-5, abs=5e-10)
    assert full_cycles(cycles) == pytest.approx(0.8)


def test_a_state_of_charge_that_stays_makes_no_cycle():
    assert cycles_of([0.5, 0.5, 0.5]) == ()
    assert cycles_of([0.5]) == ()
    assert cycles_of([0.5, 0.7]) == (Cycle(pytest.approx(0.2), 0.5),)


def test_a_law_without_depth_is_a_price_of_throughput():
    linear = {"replacement_cost_per_kwh": 700.0, "cycle_life_count": 8000.0, "depth_exponent": 1.0}
    by_segments = plan(of_station(linear, 7), CREATED)
    by_throughput = plan(station(0.1, throughput_cost_per_mwh=700 / 8000 / 0.95 * 1000), CREATED)
    assert by_segments.money.net == pytest.approx(by_throughput.money.net, rel=1e-9)


def test_a_cycle_that_pays_for_its_shallow_part_alone_is_made_shallow():
    ageing = Ageing(replacement_cost_per_kwh=200.0, cycle_life_count=2000.0, depth_exponent=2.0, segment_count=4)
    lossless = {"charge_efficiency": 1.0, "discharge_efficiency": 1.0, "initial_soc_fraction": 0.0}
    made = plan(problem([battery(ageing=ageing, **lossless)], [0, 0, 160, 160]), CREATED)
    # Segments cost 25, 75, 125 and 175 per MWh: three of them, of 50 kWh each, earn more than they cost.
    assert max(made.schedules[0].stored_kwh) == pytest.approx(150)
    assert made.money.wear == pytest.approx(-(25 + 75 + 125) * 0.05)


def test_a_price_on_rest_moves_charging_to_the_last_moment():
    ageing = Ageing(**LFP, calendar=[{"above_soc_fraction": 0.5, "price_per_mwh_h": 2.0}])
    store = battery(initial_soc_fraction=0.0, charge_efficiency=1.0, discharge_efficiency=1.0, ageing=ageing)
    made = plan(problem([store], [10, 10, 10, 10, 10, 10, 500, 500]), CREATED)
    assert max(made.schedules[0].stored_kwh[:4]) <= 100 + 1e-6
    assert made.schedules[0].stored_kwh[4:] == pytest.approx([100, 200, 100, 0])
    resting = 2.0 * 0.1  # 100 kWh above the middle, for the one hour that full power leaves
    assert -made.money.wear == pytest.approx(700 * 200 / 8000 + resting)


@pytest.mark.parametrize("seed", range(12))
def test_the_wear_of_any_plan_is_found_again_by_walking_through_it(seed):
    random = np.random.default_rng(seed)
    low, high = random.uniform(0, 0.3), random.uniform(0.6, 1.0)
    store = battery(
        min_soc_fraction=low,
        max_soc_fraction=high,
        initial_soc_fraction=random.uniform(low, high),
        self_discharge_fraction_per_h=random.choice([0.0, 0.01]),
        exclusive_charge_discharge=random.choice(["auto", "always", "never"]),
        ageing=Ageing(
            replacement_cost_per_kwh=random.uniform(0, 500),
            cycle_life_count=5000.0,
            depth_exponent=random.uniform(1, 2.5),
            segment_count=int(random.integers(1, 13)),
            calendar=[{"above_soc_fraction": 0.4, "price_per_mwh_h": 1.0}],
        ),
    )
    prices = random.uniform(-50, 200, 48)
    assert plan(problem([store], prices, horizon=hours(48, 30)), CREATED).verification.passed
    before_kwh = tuple(random.uniform(low, high, 5) * store.energy_capacity_kwh)
    state = State(store.initial_soc_fraction * store.energy_capacity_kwh, stored_before_kwh=before_kwh)
    later = problem([store], prices, horizon=hours(48, 30), states={"bess1": state})
    assert plan(later, CREATED).verification.passed


def test_a_measured_energy_outside_the_window_is_planned_from():
    for stored_kwh in (0.0, 5.0, 195.0, 200.0):
        store = battery(min_soc_fraction=0.1, max_soc_fraction=0.9, ageing=Ageing(**LFP))
        given = problem([store], P24, states={"bess1": State(stored_kwh)})
        assert plan(given, CREATED).verification.passed


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"cycle_life_count": None}, "needs cycle_life_count or cycle_coefficient"),
        ({"cycle_coefficient": 1e-4}, "and has both"),
        ({"depth_exponent": 0.9}, "greater than or equal to 1"),
    ],
)
def test_a_law_that_is_none_is_refused(fields, told):
    with pytest.raises(ValidationError, match=told):
        Ageing(**LFP | fields)


def test_wear_is_not_counted_twice():
    with pytest.raises(ValidationError, match="count wear twice"):
        battery(throughput_cost_per_mwh=1.0, ageing=Ageing(**LFP))


def test_a_battery_leads_with_the_mean_price_of_a_full_cycle():
    segments = ageing_parameters(battery(ageing=Ageing(**LFP)), Ageing(**LFP), 0.0, ())["segment_price_per_mwh"]
    assert battery(ageing=Ageing(**LFP)).unit().cost_per_mwh == pytest.approx(float(np.mean(segments)))
