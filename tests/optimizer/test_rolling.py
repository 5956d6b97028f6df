"""Plans that continue one another: from a model that stays alive, with energy at the far end worth what it was."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.ageing.schema import Ageing
from optimizer.problem import State
from optimizer.rolling import Rolling
from optimizer.search import search
from tests.sites import CREATED, P24, battery, hours, load, problem, solar
from vpp.domain.errors import InfeasibleError

PRICE = st.integers(-100, 500)
PRICES = st.lists(PRICE, min_size=8, max_size=8)


def site(prices, stored_kwh=100.0, *, resting=(), shift_h=0, **fields):
    """A battery, sun and a load over so many hours from `shift_h` hours after midnight on."""
    count = len(prices)
    horizon = hours(count)
    horizon = replace(horizon, start=horizon.start + timedelta(hours=shift_h))
    series = {"load1": [30.0] * count, "pv1": [float(10 * (k % 5)) for k in range(count)]}
    made = problem(
        [battery(throughput_cost_per_mwh=5.0, charge_efficiency=0.95, discharge_efficiency=0.95), solar(), load()],
        prices,
        series=series,
        horizon=horizon,
        states={"bess1": State(stored_kwh)},
        **fields,
    )
    return replace(made, resting=frozenset(resting))


def net(rolling, made):
    return rolling.plan(made, CREATED).money.net


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(PRICES, st.integers(0, 200), st.booleans()), min_size=2, max_size=5))
def test_a_plan_from_a_model_that_is_alive_earns_what_a_plan_from_nothing_earns(steps):
    warm = Rolling()
    for prices, stored_kwh, rests in steps:
        made = site(prices, float(stored_kwh), resting=["bess1"] if rests else [])
        ends = warm._end_values(made)
        alive = warm.plan(made, CREATED)
        cold = search(replace(made, end_value_per_mwh=ends))
        assert cold.answer.has_values
        again = Rolling()
        again._worth_per_mwh = dict(ends)
        fresh = again.plan(made, CREATED)
        worth = ends["bess1"] / 1000
        objectives = [plan.money.net + worth * _stored(plan)[-1] for plan in (alive, fresh)]
        assert objectives[0] == pytest.approx(objectives[1], rel=1e-6, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(st.tuples(PRICES, st.integers(0, 200)), min_size=2, max_size=4))
def test_a_store_that_ages_is_planned_as_well_warm_as_cold(steps):
    band = {"above_soc_fraction": 0.5, "price_per_mwh_h": 1.0}
    law = {"replacement_cost_per_kwh": 300.0, "cycle_life_count": 6000.0, "depth_exponent": 1.6}
    store, warm = battery(min_soc_fraction=0.1, ageing=Ageing(**law, calendar=[band])), Rolling()
    for prices, stored_kwh in steps:
        made = problem([store], prices, states={"bess1": State(float(stored_kwh))})
        cold = Rolling()
        cold._worth_per_mwh = warm._end_values(made)
        worth = cold._worth_per_mwh["bess1"] / 1000
        alive, fresh = (rolling.plan(made, CREATED) for rolling in (warm, cold))
        objectives = [plan.money.net + worth * _stored(plan)[-1] for plan in (alive, fresh)]
        assert objectives[0] == pytest.approx(objectives[1], rel=1e-6, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(many=st.lists(st.tuples(PRICES, PRICES), min_size=2, max_size=4))
def test_a_meter_with_two_prices_is_planned_as_well_warm_as_cold(many):
    warm = Rolling()
    for bought, less in many:
        sold = [price - abs(margin) / 5 for price, margin in zip(bought, less, strict=True)]
        made = site(bought, export_prices=sold)
        ends = warm._end_values(made)
        cold = Rolling()
        cold._worth_per_mwh = dict(ends)
        plans = [rolling.plan(made, CREATED) for rolling in (warm, cold)]
        totals = [plan.money.net + ends["bess1"] / 1000 * _stored(plan)[-1] for plan in plans]
        assert totals[0] == pytest.approx(totals[1], rel=1e-6, abs=1e-6)


def _stored(plan):
    return next(s.stored_kwh for s in plan.schedules if s.asset_id == "bess1")


def test_the_first_plan_values_stored_energy_at_the_mean_price_less_the_losses():
    # 300 is the mean, 285 after losses. Buying at 260 costs 260 / 0.95 = 273.7 a MWh stored: worth it; at 280 it
    # would cost 294.7, and is not.
    cheap = Rolling().plan(site([260.0] + [305.7] * 7, 100.0), CREATED)
    dear = Rolling().plan(site([280.0] + [302.9] * 7, 100.0), CREATED)
    assert _stored(cheap)[0] > 100.0
    assert _stored(dear)[0] == pytest.approx(100.0)


def test_a_store_is_not_emptied_because_the_horizon_ends():
    plan = Rolling().plan(site([300.0] * 8, 100.0), CREATED)
    assert _stored(plan)[-1] == pytest.approx(100.0)


def test_energy_at_the_end_is_worth_what_the_plan_before_found():
    rolling = Rolling()
    rolling.plan(site([100.0] * 4 + [400.0] * 4, 100.0), CREATED)
    worth = rolling._end_values(site([50.0] * 8))["bess1"]
    # While it fills, a MWh stored is worth what buying it costs, 100 / 0.95 = 105.26; while it empties, what selling
    # it earns, (400 - 5) * 0.95 = 375.25. The mean of four hours each is 240.26.
    assert worth == pytest.approx((100 / 0.95 + 395 * 0.95) / 2)
    plan = rolling.plan(site([50.0] * 8, 100.0), CREATED)
    assert _stored(plan)[-1] == pytest.approx(200.0)  # all that can be bought at 50 is kept for then


def test_a_store_that_rests_does_nothing_and_moves_again_when_it_does_not():
    rolling = Rolling()
    prices = [10.0] * 4 + [400.0] * 4
    resting = rolling.plan(site(prices, resting=["bess1"]), CREATED)
    assert next(s.export_kw for s in resting.schedules if s.asset_id == "bess1") == pytest.approx((0.0,) * 8)
    moving = rolling.plan(site(prices), CREATED)
    assert max(abs(kw) for s in moving.schedules if s.asset_id == "bess1" for kw in s.export_kw) > 50.0


def test_a_plan_that_cannot_be_made_says_why_and_does_not_spoil_the_next():
    rolling = Rolling()
    before = net(rolling, site(list(P24[:8])))
    with pytest.raises(InfeasibleError):
        rolling.plan(site(list(P24[:8]), import_limit_kw=1.0, resting=["bess1"]), CREATED)
    after = rolling.plan(site(list(P24[:8])), CREATED)
    assert after.money.net == pytest.approx(before, abs=50.0)  # only the worth of what is left may differ
    assert after.verification.passed


@pytest.mark.parametrize("stored_kwh", [0.0, 3.0, 199.0, 200.0])
def test_a_measured_energy_outside_the_window_is_planned_from(stored_kwh):
    made = site(list(P24[:8]), stored_kwh)
    bess = replace_window(made)
    plan = Rolling().plan(bess, CREATED)
    assert plan.verification.passed
    stored = np.array(_stored(plan))
    if stored_kwh < 40.0:
        assert (np.diff(stored) >= -1e-6).all() or stored.min() >= stored_kwh - 1e-6


def replace_window(made):
    """The same site with a window of 40 to 160 kWh."""
    narrow = battery(min_soc_fraction=0.2, max_soc_fraction=0.8, throughput_cost_per_mwh=5.0)
    return replace(made, assets=(narrow, *made.assets[1:]))


def test_doing_nothing_earns_what_sun_and_load_come_to():
    made = site([100.0] * 8)
    # Sun 0, 10, 20, 30, 40, 0, 10, 20 is 130 kWh, the load 240 kWh: 110 kWh bought at 100 a MWh.
    assert Rolling().idle_net(made) == pytest.approx(-11.0)


def test_where_doing_nothing_would_break_a_limit_there_is_no_such_number():
    assert Rolling().idle_net(site([100.0] * 8, import_limit_kw=20.0)) is None


def test_a_first_step_that_is_short_is_paid_for_its_part():
    made = site([100.0] * 8)
    short = replace(made, horizon=replace(made.horizon, first_step_s=900))
    # The first hour has no sun and 30 kW of load; a quarter of it costs 0.75 in place of 3.
    assert Rolling().idle_net(short) == pytest.approx(-11.0 + 2.25)
