"""Scenarios under a tariff: every future pays its own bill, and the plan is the best over all of them."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.planner import plan
from optimizer.problem import Imbalance, Risk, Scenario
from optimizer.tariff.schema import EnergyFee, PeakCharge
from tests.optimizer.test_against_oracle import numbers
from tests.optimizer.test_scenarios import draw_prices, objective
from tests.optimizer.test_tariff_against_oracle import taxed
from tests.oracle_scenarios import best_objective
from tests.sites import CREATED, battery, load, problem
from vpp.domain.errors import InfeasibleError


@st.composite
def uncertain(draw):
    """A site under a tariff whose load, sun and prices are uncertain, perhaps sold ahead."""
    certain = draw(taxed())
    count, energy = certain.horizon.count, certain.energy
    if draw(st.booleans()):
        above, below = (draw(st.lists(numbers(0, 80), min_size=count, max_size=count)) for _ in "ab")
        beside = Imbalance(
            "beside",
            tuple(p + a for p, a in zip(energy.import_price_per_mwh, above, strict=True)),
            tuple(p - b for p, b in zip(energy.import_price_per_mwh, below, strict=True)),
        )
        energy = replace(energy, export_price_per_mwh=None, imbalance=beside)
    parts = draw(st.lists(st.integers(1, 5), min_size=2, max_size=3))
    scenarios = tuple(
        Scenario(
            f"s{k}",
            part / sum(parts),
            {key: tuple(draw(st.lists(numbers(0, 90, 1), min_size=count, max_size=count))) for key in certain.series},
            draw_prices(draw, energy, count),
        )
        for k, part in enumerate(parts)
    )
    risk = Risk(draw(st.sampled_from([0.0, 0.0, 0.2, 0.9])), draw(st.sampled_from([0.0, 0.5, 0.8])))
    return replace(certain, energy=energy, scenarios=scenarios, risk=risk)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(uncertain())
def test_a_plan_over_scenarios_under_a_tariff_reaches_what_the_extensive_form_reaches(given_problem):
    expected = best_objective(given_problem)
    if expected is None:
        with contextlib.suppress(InfeasibleError):
            assert plan(given_problem, CREATED).repairs
        return
    assert objective(plan(given_problem, CREATED)) == pytest.approx(expected, rel=1e-6, abs=1e-6)


PEAK = PeakCharge(id="demand", kind="peak", of="import", price_per_kw=10.0, period="month", average_minutes=60)
FEE = EnergyFee(id="fee", kind="energy", of="import", price_per_mwh=20.0)
CALM, BUSY = (100.0, 100.0, 160.0), (100.0, 100.0, 220.0)


def yard(risk=None, **fields):
    """A load that ends with 160 or with 220 kW, each as likely, and a store of 30 kWh without losses."""
    store = battery(
        energy_capacity_kwh=30.0,
        charge_efficiency=1.0,
        discharge_efficiency=1.0,
        initial_soc_fraction=0.0,
        **fields,
    )
    certain = replace(problem([store, load()], [50.0] * 3, series={"load1": CALM}), tariff=(PEAK, FEE))
    scenarios = tuple(
        Scenario(name, 0.5, {("load1", "forecast"): kw}, certain.energy)
        for name, kw in (("calm", CALM), ("busy", BUSY))
    )
    return replace(certain, scenarios=scenarios, risk=risk or Risk())


def test_each_future_pays_its_own_peak_and_the_plan_the_mean_of_both():
    # The store takes 30 kWh in the first two hours and gives them in the third: 130 kW are left of 160, 190 of 220.
    made = plan(yard(), CREATED)
    calm, busy = made.spread.outcomes
    assert -calm.money.tariff == pytest.approx(130 * 10 + 0.360 * 20)
    assert -busy.money.tariff == pytest.approx(190 * 10 + 0.420 * 20)
    assert made.money.tariff == pytest.approx((calm.money.tariff + busy.money.tariff) / 2)
    assert -made.money.net == pytest.approx((1300 + 1900) / 2 + 0.390 * 70)


def test_the_bill_that_is_told_is_that_of_the_scenario_that_is_shown():
    made = plan(yard(), CREATED)
    shown = made.spread.outcomes[made.spread.shown]
    assert shown.name == "calm"
    assert sum(billed.cash for billed in made.tariff) == pytest.approx(shown.money.tariff)
    assert made.tariff[0].periods[0].billed == pytest.approx(130)


def test_one_kw_more_of_a_peak_is_worth_its_price_in_the_scenario_that_is_shown_whatever_its_weight_and_the_risk():
    for risk in (Risk(), Risk(0.5, 0.5)):
        (period,) = plan(yard(risk), CREATED).tariff[0].periods
        assert period.worth_per_kw == pytest.approx(10.0, abs=1e-3)
