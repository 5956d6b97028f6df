"""What another power would have cost is what an independent formulation finds with that power.

Pains 2, 3 and 15 of users of comparable systems: "infeasible" with no reason, plans that look arbitrary, and "why not
otherwise?".
"""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from optimizer.contrast import contrast
from optimizer.planner import plan
from optimizer.problem import Scenario, Wanted
from tests.optimizer.test_against_oracle import problems
from tests.optimizer.test_explain import AGEING, STORES, site
from tests.oracle import best_net
from tests.sites import CREATED, battery, load, problem, solar

FIELDS = {**STORES, "wearing by depth": {"ageing": AGEING}}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(("step", "kw"), [(7, 0.0), (12, 20.0), (24, -31.5), (33, -10.0)])
def test_another_power_costs_what_an_independent_formulation_says(name, step, kw):
    whole, wanted = site(**FIELDS[name]), Wanted("bess1", step, kw)
    made, found = plan(whole, CREATED), contrast(whole, wanted, CREATED)
    oracle = best_net(replace(whole, wanted=wanted))
    assert found.plan.money.net == pytest.approx(oracle, abs=1e-5)
    assert found.plan.money.net <= made.money.net + 1e-9
    assert found.plan.schedules[0].export_kw[step] == pytest.approx(kw, abs=1e-6)
    assert (found.conflicts, found.nearest_kw, found.nearest_plan) == ((), None, None)


@given(problems(), st.integers(0, 100), st.sampled_from([-500, -40, -7.5, 0, 3, 25, 500]))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_any_wanted_power_costs_what_the_oracle_says_or_is_refused_with_the_nearest(whole, place, kw):
    asset = next((a for a in whole.assets if type(a).__name__ == "Battery"), None)
    if asset is None:
        return
    if best_net(whole) is None:
        return
    wanted = Wanted(asset.id, place % whole.horizon.count, kw)
    oracle, found = best_net(replace(whole, wanted=wanted)), contrast(whole, wanted, CREATED)
    if oracle is not None:
        assert found.plan.money.net == pytest.approx(oracle, rel=1e-6, abs=1e-4)
        return
    assert found.plan is None
    nearest = replace(wanted, export_kw=found.nearest_kw)
    assert found.nearest_plan.money.net == pytest.approx(best_net(replace(whole, wanted=nearest)), rel=1e-6, abs=1e-4)
    halfway = replace(wanted, export_kw=found.nearest_kw + (kw - found.nearest_kw) * 1e-3)
    assert best_net(replace(whole, wanted=halfway)) is None


def test_two_plans_that_earn_the_same_are_told_to_cost_nothing():
    whole = problem([battery(initial_soc_fraction=1.0, final_soc_fraction=0.5)], [50.0, 50.0], step_minutes=60)
    made = plan(whole, CREATED)
    (step,) = [k for k in (0, 1) if made.schedules[0].export_kw[k] > 90]
    found = contrast(whole, Wanted("bess1", step, 0.0), CREATED)
    assert found.plan.money.net == pytest.approx(made.money.net, abs=1e-9)
    assert found.plan.schedules[0].export_kw[1 - step] == pytest.approx(made.schedules[0].export_kw[step])


def test_a_power_beyond_the_device_is_refused_by_its_name_with_the_nearest():
    found = contrast(site(**STORES["plain"]), Wanted("bess1", 24, -500.0), CREATED)
    assert found.plan is None
    assert [(c.owner, c.limit, c.steps) for c in found.conflicts] == [("bess1", "charge power", (24,))]
    assert found.nearest_kw == pytest.approx(-90.0)


def test_the_limit_named_is_the_one_that_the_power_runs_into_first():
    # The connection gives out 70 kW beside a load of 8 kW, less than the 80 kW of the battery.
    found = contrast(site(**STORES["plain"]), Wanted("bess1", 7, 500.0), CREATED)
    assert found.nearest_kw == pytest.approx(78.0, abs=1e-6)
    assert [(c.owner, c.limit) for c in found.conflicts] == [("grid connection", "export limit")]


def test_an_empty_store_is_refused_by_what_it_can_still_charge_before():
    whole = problem([battery(initial_soc_fraction=0.0, final_soc_fraction=0.0)], [50.0, 80.0], step_minutes=60)
    found = contrast(whole, Wanted("bess1", 0, 60.0), CREATED)
    assert found.plan is None
    assert found.nearest_kw == 0
    assert "lowest stored energy" in {c.limit for c in found.conflicts}


def test_a_load_and_a_plant_do_what_is_given_and_no_more():
    whole = problem([solar(), load()], [50.0, 80.0], series={"pv1": [10.0, 20.0], "load1": [5.0, 5.0]})
    assert contrast(whole, Wanted("load1", 1, -3.0), CREATED).nearest_kw == -5.0
    assert contrast(whole, Wanted("load1", 1, -5.0), CREATED).plan.money.net == pytest.approx(1.45)
    found = contrast(whole, Wanted("pv1", 1, 25.0), CREATED)
    assert (found.plan, found.nearest_kw) == (None, 20.0)
    assert contrast(whole, Wanted("pv1", 1, 0.0), CREATED).plan.money.net == pytest.approx(1.45 - 1.6)


def test_prices_below_zero_do_not_make_a_wanted_rest_burn_energy():
    store = battery(exclusive_charge_discharge="auto", final_soc_fraction=0.5)
    whole = problem([store], [-50.0, -50.0, 20.0, 60.0], step_minutes=60)
    found = contrast(whole, Wanted("bess1", 0, 0.0), CREATED)
    assert found.plan.money.net == pytest.approx(best_net(replace(whole, wanted=Wanted("bess1", 0, 0.0))), abs=1e-6)
    flows = found.plan.schedules[0].flows
    assert all(min(c, d) < 1e-6 for c, d in zip(flows["charge_kw"], flows["discharge_kw"], strict=True))


def test_a_wanted_power_holds_in_every_scenario():
    certain = problem([battery(), solar()], [20.0, 80.0, 50.0], series={"pv1": [5.0, 10.0, 5.0]})
    scenarios = tuple(
        Scenario(name, 0.5, {("pv1", "forecast"): (pv, pv, pv)}, certain.energy)
        for name, pv in (("low", 2.0), ("high", 9.0))
    )
    whole = replace(certain, scenarios=scenarios)
    found = contrast(whole, Wanted("bess1", 1, 12.5), CREATED)
    assert [o.schedules[0].export_kw[1] for o in found.plan.spread.outcomes] == pytest.approx([12.5, 12.5])
