"""What is said of one step where there are scenarios, figure by figure."""

from dataclasses import replace

import pytest

from optimizer.contrast import contrast
from optimizer.planner import explained, plan
from optimizer.problem import Imbalance, Risk, Scenario, Wanted
from optimizer.tariff.schema import PeakCharge
from tests.sites import CREATED, battery, load, problem, solar
from vpp.report.charges import of_shown
from vpp.report.explanation import Instead, contrast_text, step_text
from vpp.report.scenarios import spread_rows
from vpp.report.wording import NARROW_SPACE


def words(sentences):
    return " ".join(" ".join(sentences).replace(NARROW_SPACE, " ").split())


def stored_over(prices, weights=(0.25, 0.5, 0.25)):
    """A full store of 100 kWh with a wear of 5, whose prices are uncertain; what it holds at the end is free."""
    store = battery(
        energy_capacity_kwh=100.0,
        discharge_power_kw=200.0,
        discharge_efficiency=1.0,
        charge_efficiency=1.0,
        initial_soc_fraction=1.0,
        final_soc_fraction=0.0,
        throughput_cost_per_mwh=5.0,
    )
    certain = problem([store], prices["fair"])
    scenarios = tuple(
        Scenario(name, weight, {}, replace(certain.energy, import_price_per_mwh=each))
        for (name, each), weight in zip(prices.items(), weights, strict=True)
    )
    return replace(certain, scenarios=scenarios)


PRICES = {"dull": (40.0, 70.0), "fair": (40.0, 60.0), "bright": (40.0, 30.0)}
"""In bright it sells in the first hour, else in the second."""


def test_a_step_is_told_of_the_scenario_that_is_shown_and_so_are_the_limits():
    made = explained(stored_over(PRICES), CREATED)
    told = words(step_text(made, made.schedules[0], 1))
    assert "Told of fair, 50 % likely" in told
    assert "A MWh out of it is worth 60.00 EUR here, the price." in told
    # All it holds is sold in the second hour, where one kWh more of it would earn 60 − 5 per MWh. In the first hour
    # only bright empties it.
    first = words(step_text(made, made.schedules[0], 0))
    assert "lowest stored energy" not in first
    assert any(limit.limit == "lowest stored energy" and 0 in limit.steps for limit in made.limits)
    assert (
        "It runs into bess1: lowest stored energy 0 kWh. One kWh more of it in this step would earn 0.055 EUR." in told
    )


def test_another_power_is_held_in_every_scenario_and_costs_the_mean():
    site = stored_over(PRICES)
    made = explained(site, CREATED)
    found = contrast(site, Wanted("bess1", 0, 100.0), CREATED)
    instead = Instead(100.0, found.plan, found.conflicts, found.nearest_kw, found.nearest_plan)
    told = words(contrast_text(made, made.schedules[0], 0, instead, width=200))
    # 100 kWh at 40 instead of 70 in dull and 60 in fair; in bright as planned: 0.25 · 3 + 0.5 · 2.
    assert "+100 kW, 00:00–01:00, instead of 0 kW costs 1.75 EUR on average over 3 scenarios." in told
    assert "It is held in every scenario" in told
    # The worst 5 % lie in bright before, which sells at 40 less 5 for wear, and no scenario is better after.
    assert "worst 5 % 3.50 3.50 0.00" in told


def sold_ahead(risk=None):
    """Sun sold ahead at 50, where a shortfall costs 80 and a surplus brings 30: what b delivers, the 40 % quantile."""
    certain = problem([solar()], [50.0], series={"pv1": [10.0]}, import_limit_kw=500.0, export_limit_kw=500.0)
    energy = replace(certain.energy, imbalance=Imbalance("energy_imbalance", (80.0,), (30.0,)))
    scenarios = tuple(
        Scenario(name, weight, {("pv1", "forecast"): (kw,)}, energy)
        for name, kw, weight in (("a", 0.0, 0.3), ("b", 10.0, 0.3), ("c", 40.0, 0.4))
    )
    return replace(certain, energy=energy, scenarios=scenarios, risk=risk or Risk())


def test_a_mwh_beside_a_schedule_is_worth_what_a_surplus_brings():
    made = explained(sold_ahead(), CREATED)
    told = words(step_text(made, made.schedules[0], 0))
    assert "worth 30.00 EUR here, the price of a surplus: more than the 10 kW sold ahead is metered." in told


def test_a_mwh_of_just_what_was_sold_is_worth_something_between_surplus_and_shortfall():
    site = sold_ahead()
    heavier = tuple(replace(s, weight=w) for s, w in zip(site.scenarios, (0.3, 0.4, 0.3), strict=True))
    made = explained(replace(site, scenarios=heavier), CREATED)
    account = made.accounts["pv1"]
    # The mean of what a MWh is worth is the price ahead: 0.3 · 80 + 0.4 · x + 0.3 · 30 = 50.
    assert account.meter_per_mwh[0] == pytest.approx(17 / 0.4, abs=1e-3)
    told = words(step_text(made, made.schedules[0], 0))
    assert "worth 42.50 EUR here, between 30.00 for a surplus and 80.00 for a shortfall: just the 10 kW" in told


def test_a_bill_says_of_which_scenario_it_is_and_the_table_of_scenarios_adds_up():
    peak = PeakCharge(id="demand", kind="peak", of="import", price_per_kw=10.0, period="month", average_minutes=60)
    certain = replace(problem([load()], [50.0], series={"load1": [100.0]}), tariff=(peak,))
    scenarios = tuple(
        Scenario(name, 0.5, {("load1", "forecast"): (kw,)}, certain.energy)
        for name, kw in (("calm", 100.0), ("busy", 200.0))
    )
    made = plan(replace(certain, scenarios=scenarios), CREATED)
    told = words([of_shown(made)])
    assert told == "The bill of calm; on average over 2 scenarios it comes to −1,500.00 EUR."
    head, rows = spread_rows(made)
    assert head[2:] == ("energy", "wear", "tariff", "net, EUR")
    assert rows[0] == ("busy", f"50{NARROW_SPACE}%", "−10.00", "0.00", "−2,000.00", "−2,010.00")
