"""What a MWh is worth is what one more of it would earn, found by planning again with one more.

Pain 15 of users of comparable systems: "why did it do that, and did it earn anything?"
"""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.ageing.schema import Ageing
from optimizer.planner import explained, plan
from optimizer.problem import Reserve, Risk, Scenario, State, Wanted
from tests.optimizer.test_limits import PRICES
from tests.sites import CREATED, battery, hours, load, problem, solar

ONE_KWH = 1e-3
"""A small share of a kWh, for slopes; results are per kWh."""
A_LITTLE_KW = 1e-2
AGEING = Ageing(replacement_cost_per_kwh=300, cycle_life_count=6000, depth_exponent=1.6, segment_count=8)


def site(**fields):
    """A battery, a solar plant and a load at a narrow connection."""
    given = {"charge_power_kw": 90.0, "discharge_power_kw": 80.0, "initial_soc_fraction": 0.3} | fields
    store = battery(self_discharge_fraction_per_h=0.001, **given)
    series = {"pv1": 30 * np.maximum(0, np.sin(np.arange(48) / 15)), "load1": [8.0] * 48}
    limits = {"import_limit_kw": 95.0, "export_limit_kw": 70.0}
    return problem([store, solar(), load()], PRICES, series=series, step_minutes=30, **limits)


STORES = {
    "plain": {"throughput_cost_per_mwh": 2.0},
    "with a daily limit": {"throughput_cost_per_mwh": 2.0, "daily_discharge_limit_kwh": 210.0},
    "one direction at a time": {"throughput_cost_per_mwh": 2.0, "exclusive_charge_discharge": "always"},
    "with a standing load": {"throughput_cost_per_mwh": 2.0, "standing_load_kw": 3.0},
}


def rest_of(whole, made, step, more_kwh=0.0):
    """What is left of a site's day before a step, with so much more in the store."""
    before = made.schedules[0].stored_kwh[step - 1] + more_kwh
    horizon = whole.horizon.starting_at(whole.horizon.starts[step])
    price = whole.energy.import_price_per_mwh[step:]
    series = {key: values[step:] for key, values in whole.series.items()}
    energy = replace(whole.energy, import_price_per_mwh=price)
    return replace(whole, horizon=horizon, energy=energy, series=series, states={"bess1": State(before)})


@pytest.mark.parametrize("name", [name for name in STORES if "daily" not in name])
@pytest.mark.parametrize("step", [4, 10, 23, 25, 39])
def test_stored_energy_is_worth_what_one_more_kwh_of_it_earns(name, step):
    whole = site(**STORES[name])
    made = explained(whole, CREATED)
    fewer, more = (plan(rest_of(whole, made, step, kwh), CREATED).money.net for kwh in (-ONE_KWH, ONE_KWH))
    worth = made.accounts["bess1"].stored_per_mwh[step - 1]
    here = plan(rest_of(whole, made, step), CREATED).money.net
    left, right = 1000 * (here - fewer) / ONE_KWH, 1000 * (more - here) / ONE_KWH
    assert min(left, right) - 0.05 <= worth <= max(left, right) + 0.05


@pytest.mark.parametrize("fields", [*STORES.values(), {"ageing": AGEING}], ids=[*STORES, "wearing by depth"])
def test_a_little_charge_or_discharge_of_a_resting_store_costs_what_its_break_evens_say(fields):
    """Planned again with a little power in that step. Where several prices are right, the shown one costs no more."""
    whole, standing_kw = site(**fields), fields.get("standing_load_kw", 0.0)
    made = explained(whole, CREATED)
    account, flows, exact = made.accounts["bess1"], made.schedules[0].flows, 0
    resting = [k for k in range(2, 46) if max(flows["charge_kw"][k], flows["discharge_kw"][k]) < 1e-6]
    for step in resting[::2]:
        here = account.meter_per_mwh[step]
        told = {-1: here - account.takes_below_per_mwh[step], 1: account.gives_above_per_mwh[step] - here}
        for way, loss_per_mwh in told.items():
            wanted = Wanted("bess1", step, way * A_LITTLE_KW - standing_kw)
            other = plan(replace(whole, wanted=wanted), CREATED).money.net
            lost = 1000 * (made.money.net - other) / (A_LITTLE_KW * whole.step_h[step])
            assert lost >= loss_per_mwh - 0.01
            exact += lost == pytest.approx(loss_per_mwh, abs=0.01)
    assert exact >= len(resting[::2]) / 2


@pytest.mark.parametrize("step", [3, 8, 20, 37])
def test_a_mwh_out_of_an_asset_is_worth_what_one_kwh_more_of_it_earns(step):
    whole = site(**STORES["plain"])
    made = explained(whole, CREATED)
    nets = {}
    for kw in (-ONE_KWH, ONE_KWH):
        less = list(whole.series["load1", "forecast"])
        less[step] -= kw
        series = {**whole.series, ("load1", "forecast"): tuple(less)}
        nets[kw] = plan(replace(whole, series=series), CREATED).money.net
    worth = made.accounts["bess1"].meter_per_mwh[step]
    sides = [1000 * (nets[kw] - made.money.net) / (kw * whole.step_h[step]) for kw in nets]
    assert min(sides) - 0.05 <= worth <= max(sides) + 0.05
    assert made.accounts["pv1"].meter_per_mwh[step] == pytest.approx(worth, abs=1e-4)


def test_a_limit_of_the_connection_makes_a_mwh_worth_less_than_its_price():
    made = explained(site(**STORES["plain"]), CREATED)
    (limit,) = [limit for limit in made.limits if limit.limit == "export limit"]
    for step, worth in zip(limit.steps, limit.worths_per_unit, strict=True):
        here = made.accounts["bess1"].meter_per_mwh[step]
        assert here == pytest.approx(PRICES[step] - 1000 * worth / 0.5, abs=1e-4)
        assert here < PRICES[step]


def test_break_evens_are_stored_worth_efficiency_and_wear_where_nothing_else_counts():
    account = explained(problem([battery(throughput_cost_per_mwh=2.0)], PRICES, step_minutes=30), CREATED).accounts[
        "bess1"
    ]
    stored = np.array(account.stored_per_mwh)
    np.testing.assert_allclose(account.takes_below_per_mwh, 0.95 * stored, atol=1e-3)
    np.testing.assert_allclose(account.gives_above_per_mwh, stored / 0.95 + 2, atol=1e-3)
    assert account.stored_per_taken[0] == pytest.approx(0.95)
    assert account.drawn_per_given[0] == pytest.approx(1 / 0.95)


@pytest.mark.parametrize("fields", [*STORES.values(), {"ageing": AGEING}], ids=[*STORES, "wearing by depth"])
def test_a_store_charges_below_discharges_above_and_rests_between_its_break_evens(fields):
    made = explained(site(**fields), CREATED)
    account, schedule = made.accounts["bess1"], made.schedules[0]
    assert max(schedule.flows["discharge_kw"]) > 10
    for step in range(48):
        here, below = account.meter_per_mwh[step], account.takes_below_per_mwh[step]
        above = account.gives_above_per_mwh[step]
        assert below <= above + 1e-3
        if schedule.flows["charge_kw"][step] > 1e-6:
            assert here <= below + 1e-3
        elif schedule.flows["discharge_kw"][step] > 1e-6:
            assert here >= above - 1e-3
        else:
            assert below - 1e-3 <= here <= above + 1e-3


def test_between_break_even_and_worth_stand_the_prices_of_what_holds_a_store_back():
    made = explained(site(**STORES["plain"]), CREATED)
    account, schedule = made.accounts["bess1"], made.schedules[0]
    worth = {
        step: 1000 * each / 0.5
        for limit in made.limits
        if limit.limit == "charge power"
        for step, each in zip(limit.steps, limit.worths_per_unit, strict=True)
    }
    assert worth
    for step, earned in worth.items():
        assert schedule.flows["charge_kw"][step] == pytest.approx(90.0)
        gain = account.takes_below_per_mwh[step] - account.meter_per_mwh[step]
        assert gain == pytest.approx(earned, abs=1e-3)


def test_reserves_held_do_not_change_what_stored_energy_is_said_to_be_worth():
    held = Reserve("fcr", "symmetric", (20.0,) * 48, energy_up_h=0.25, energy_down_h=0.25)
    whole = replace(site(**STORES["plain"]), reserves=(held,))
    made, step = explained(whole, CREATED), 24
    rests = [
        replace(rest_of(whole, made, step, kwh), reserves=(replace(held, hold_kw=(20.0,) * 24),))
        for kwh in (-ONE_KWH, 0, ONE_KWH)
    ]
    fewer, here, more = (plan(rest, CREATED).money.net for rest in rests)
    sides = 1000 * (here - fewer) / ONE_KWH, 1000 * (more - here) / ONE_KWH
    assert min(sides) - 0.05 <= made.accounts["bess1"].stored_per_mwh[step - 1] <= max(sides) + 0.05


def test_a_curtailed_plant_breaks_even_at_nothing():
    made = explained(problem([solar()], [20.0, -5.0], series={"pv1": [10.0, 10.0]}), CREATED)
    account = made.accounts["pv1"]
    assert made.schedules[0].export_kw == (10.0, 0.0)
    assert account.meter_per_mwh == pytest.approx((20.0, -5.0), abs=1e-4)
    assert account.gives_above_per_mwh == pytest.approx((0.0, 0.0), abs=1e-4)
    assert account.stored_per_mwh is None


def test_what_is_given_has_no_account():
    made = explained(problem([load()], [50.0] * 4, series={"load1": [5.0] * 4}), CREATED)
    assert dict(made.accounts) == {}


def test_the_worths_of_a_limit_in_its_steps_sum_to_its_worth():
    for limit in plan(site(**STORES["with a daily limit"]), CREATED).limits:
        if limit.steps:
            assert len(limit.worths_per_unit) == len(limit.steps)
            assert sum(limit.worths_per_unit) == pytest.approx(limit.worth_per_unit)


def test_stored_worth_is_counted_in_a_day_of_quarter_hours_with_a_short_first_step():
    whole = problem(
        [battery(final_soc_fraction=0.0)],
        [20.0, 80.0],
        horizon=hours(2).starting_at(hours(2).starts[0].replace(minute=30)),
    )
    account = explained(whole, CREATED).accounts["bess1"]
    assert account.meter_per_mwh == pytest.approx((20.0, 80.0), abs=1e-4)


@pytest.mark.parametrize("risk", [Risk(), Risk(0.5, 0.6)], ids=["mean", "with the worst"])
def test_in_scenarios_a_mwh_is_worth_the_price_of_the_one_that_is_shown(risk):
    prices = {"low": (20.0, 60.0, 30.0), "middle": (25.0, 80.0, 40.0), "high": (30.0, 120.0, 50.0)}
    certain = problem([battery(throughput_cost_per_mwh=3.0)], prices["middle"])
    scenarios = tuple(
        Scenario(name, weight, {}, replace(certain.energy, import_price_per_mwh=each))
        for (name, each), weight in zip(prices.items(), (0.3, 0.4, 0.3), strict=True)
    )
    made = explained(replace(certain, scenarios=scenarios, risk=risk), CREATED)
    account = made.accounts["bess1"]
    assert account.meter_per_mwh == pytest.approx(prices["middle"], abs=1e-3)
    assert account.gives_above_per_mwh == pytest.approx(np.array(account.stored_per_mwh) / 0.95 + 3, abs=1e-3)


def test_a_reserve_held_in_the_way_of_discharging_is_a_limit_and_no_break_even():
    held = Reserve("fcr", "up", (40.0,) * 4)
    whole = problem([battery(throughput_cost_per_mwh=2.0, final_soc_fraction=0.3)], [20, 50, 90, 40], reserves=(held,))
    made = explained(whole, CREATED)
    account = made.accounts["bess1"]
    assert made.schedules[0].export_kw[2] == pytest.approx(60.0)
    assert account.gives_above_per_mwh == pytest.approx(np.array(account.stored_per_mwh) / 0.95 + 2, abs=1e-3)
    assert account.gives_above_per_mwh[2] < 90 - 1
