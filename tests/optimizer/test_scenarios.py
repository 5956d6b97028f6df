"""Plans over scenarios equal the extensive form, and weigh the worst as they are told to."""

import contextlib
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from optimizer.planner import compare, plan
from optimizer.problem import Imbalance, Reserve, Risk, Scenario
from optimizer.risk import mean_of_worst
from optimizer.rolling import Rolling
from tests.optimizer.test_against_oracle import numbers, problems
from tests.oracle_scenarios import best_objective
from tests.sites import CREATED, battery, load, problem, solar
from vpp.domain.errors import InfeasibleError

SHORTFALL, SURPLUS = (70.0, 70.0, 120.0, 60.0), (30.0, 0.0, 50.0, 10.0)
PV = {"low": (0, 10, 0, 0), "middle": (10, 50, 20, 0), "high": (20, 80, 60, 30)}
WEIGHTS = (0.3, 0.4, 0.3)
SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def objective(made):
    """What a plan says it reached of what it was told to maximise."""
    spread = made.spread
    return (1 - spread.cvar_weight) * made.money.net + spread.cvar_weight * spread.cvar


def with_scenarios(certain, forecasts, weights=WEIGHTS, risk=None):
    """The problem with one scenario for each forecast of `pv1`."""
    scenarios = tuple(
        Scenario(name, weight, {**certain.series, ("pv1", "forecast"): tuple(map(float, pv))}, certain.energy)
        for (name, pv), weight in zip(forecasts.items(), weights, strict=True)
    )
    return replace(certain, scenarios=scenarios, risk=risk or Risk())


def sold_ahead(store_kw=20.0):
    """A plant and a small battery whose energy is sold ahead; the same prices of imbalance in every scenario."""
    store = battery(charge_power_kw=store_kw, discharge_power_kw=store_kw)
    certain = problem([store, solar()], [50, 20, 90, 40], series={"pv1": PV["middle"]},
                      import_limit_kw=500.0, export_limit_kw=500.0)  # fmt: skip
    beside = Imbalance("energy_imbalance", SHORTFALL, SURPLUS)
    return replace(certain, energy=replace(certain.energy, imbalance=beside))


@st.composite
def uncertain(draw):
    """Any small site with two or three scenarios of everything that may be uncertain."""
    certain = draw(problems())
    count, energy = certain.horizon.count, certain.energy
    if draw(st.booleans()):
        above, below = (draw(st.lists(numbers(0, 80), min_size=count, max_size=count)) for _ in "ab")
        prices = energy.import_price_per_mwh
        beside = Imbalance(
            "beside",
            tuple(p + a for p, a in zip(prices, above, strict=True)),
            tuple(p - b for p, b in zip(prices, below, strict=True)),
        )
        energy = replace(energy, export_price_per_mwh=None, imbalance=beside)
    size = draw(st.integers(2, 3))
    parts = draw(st.lists(st.integers(1, 5), min_size=size, max_size=size))
    scenarios = tuple(
        Scenario(
            f"s{k}",
            part / sum(parts),
            {
                key: tuple(draw(st.lists(numbers(0, 90, 1), min_size=count, max_size=count)))
                for key, _ in certain.series.items()
            },
            draw_prices(draw, energy, count),
        )
        for k, part in enumerate(parts)
    )
    risk = Risk(draw(st.sampled_from([0.0, 0.0, 0.2, 0.9])), draw(st.sampled_from([0.0, 0.5, 0.8])))
    return replace(certain, energy=energy, scenarios=scenarios, risk=risk)


def draw_prices(draw, energy, count):
    """The prices of energy as they are, or all of them moved up or down step by step."""
    by = draw(st.one_of(st.just([0.0] * count), st.lists(numbers(-40, 40), min_size=count, max_size=count)))

    def moved(prices):
        return None if prices is None else tuple(p + m for p, m in zip(prices, by, strict=True))

    beside = energy.imbalance and replace(
        energy.imbalance,
        shortfall_price_per_mwh=moved(energy.imbalance.shortfall_price_per_mwh),
        surplus_price_per_mwh=moved(energy.imbalance.surplus_price_per_mwh),
    )
    return replace(
        energy,
        import_price_per_mwh=moved(energy.import_price_per_mwh),
        export_price_per_mwh=moved(energy.export_price_per_mwh),
        imbalance=beside,
    )


@SLOW
@given(uncertain())
def test_a_plan_over_scenarios_reaches_what_the_extensive_form_reaches(given_problem):
    expected = best_objective(given_problem)
    if expected is None:
        with contextlib.suppress(InfeasibleError):
            assert plan(given_problem, CREATED).repairs
        return
    made = plan(given_problem, CREATED)
    assert objective(made) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_quantity_sold_ahead_is_a_quantile_of_what_is_metered():
    """Without a store it is the newsvendor's: 0.4 of the spread lies below it where a shortfall costs 30 more than the
    price and a surplus brings 20 less."""
    certain = problem([solar()], [50.0], series={"pv1": [10]}, import_limit_kw=500.0, export_limit_kw=500.0)
    beside = Imbalance("energy_imbalance", (80.0,), (30.0,))
    certain = replace(certain, energy=replace(certain.energy, imbalance=beside))
    made = plan(with_scenarios(certain, {"a": [0], "b": [10], "c": [40]}), CREATED)
    assert made.spread.scheduled_kw == (10.0,)
    assert [o.money.net for o in made.spread.outcomes] == pytest.approx([(500 - 800) / 1000, 0.5, (500 + 900) / 1000])
    assert made.money.net == pytest.approx(0.3 * -0.3 + 0.4 * 0.5 + 0.3 * 1.4)


def test_scenarios_that_are_all_alike_give_the_plan_without_any():
    certain = sold_ahead()
    one = plan(certain, CREATED)
    many = plan(with_scenarios(certain, dict.fromkeys("abc", PV["middle"])), CREATED)
    assert many.money.net == pytest.approx(one.money.net, abs=1e-9)
    assert many.spread.cvar == pytest.approx(one.money.net, abs=1e-9)
    assert many.site_export_kw == pytest.approx(one.site_export_kw, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.7, 0.95])
def test_the_more_the_worst_counts_the_better_it_is_and_the_worse_the_mean(alpha):
    means, worst = [], []
    for share in (0.0, 0.1, 0.3, 0.6, 0.9, 0.99):
        made = plan(with_scenarios(sold_ahead(), PV, risk=Risk(share, alpha)), CREATED)
        means.append(made.money.net)
        worst.append(made.spread.cvar)
    assert means == pytest.approx(sorted(means, reverse=True), abs=1e-6)
    if alpha:
        assert worst == pytest.approx(sorted(worst), abs=1e-6)
        assert worst[-1] > worst[0] + 0.01
    else:
        assert worst == pytest.approx(means, abs=1e-9)


def test_knowing_the_scenarios_is_worth_something():
    """What is sold ahead of the middle forecast alone earns less over all; knowing which comes, more."""
    made = plan(with_scenarios(sold_ahead(), PV), CREATED)
    middle = plan(sold_ahead(), CREATED)
    ahead_kw = [p.quantity_kw for p in middle.positions if p.product == "energy_day_ahead"]
    held = with_scenarios(sold_ahead(), PV)
    alone = sum(
        weight * best_with(held, scenario, ahead_kw) for weight, scenario in zip(WEIGHTS, held.scenarios, strict=True)
    )
    assert made.money.net > alone + 0.03
    known = [plan(replace(sold_ahead(), series=s.series), CREATED).money.net for s in held.scenarios]
    assert made.money.net < sum(w * net for w, net in zip(WEIGHTS, known, strict=True)) - 0.1


def best_with(given_problem, scenario, ahead_kw):
    """What a scenario earns with a quantity sold ahead that is held: as one whose only other choice is forbidden."""
    fixed_cash = sum(q * p / 1000 for q, p in zip(ahead_kw, given_problem.energy.import_price_per_mwh, strict=True))
    duty = [load("duty")] if max(ahead_kw) > 0 else []
    series = {
        ("pv1", "forecast"): scenario.series["pv1", "forecast"],
        ("duty", "forecast"): tuple(max(0.0, q) for q in ahead_kw),
        ("bought", "forecast"): tuple(max(0.0, -q) for q in ahead_kw),
    }
    energy = replace(given_problem.energy, import_price_per_mwh=SHORTFALL, export_price_per_mwh=SURPLUS, imbalance=None)
    bought = solar("bought", curtailable=False)
    settled = replace(
        given_problem, assets=(*given_problem.assets, *duty, bought), series=series, scenarios=(), energy=energy
    )
    return fixed_cash + plan(settled, CREATED).money.net


def test_what_is_sold_ahead_is_one_for_all_scenarios_and_each_settles_the_rest():
    made = plan(with_scenarios(sold_ahead(), PV), CREATED)
    for outcome in made.spread.outcomes:
        ahead = [p.quantity_kw for p in outcome.positions if p.product == "energy_day_ahead"]
        beside = [p for p in outcome.positions if p.product == "energy_imbalance"]
        assert ahead == list(made.spread.scheduled_kw)
        assert [q + p.quantity_kw for q, p in zip(ahead, beside, strict=True)] == pytest.approx(outcome.site_export_kw)
        for position, shortfall, surplus in zip(beside, SHORTFALL, SURPLUS, strict=True):
            assert position.price == (surplus if position.quantity_kw >= 0 else shortfall)
        assert sum(p.cash for p in outcome.positions) == pytest.approx(outcome.money.energy)
    assert sum(p.cash for p in made.positions) == pytest.approx(made.money.energy)
    for position in made.positions:
        assert position.cash == pytest.approx(position.quantity_kw / 1000 * position.price)


def test_the_schedule_shown_is_that_of_the_heaviest_scenario():
    made = plan(with_scenarios(sold_ahead(), PV), CREATED)
    assert made.spread.outcomes[made.spread.shown].name == "middle"
    assert made.schedules == made.spread.outcomes[1].schedules
    even = with_scenarios(sold_ahead(), {"a": PV["low"], "b": PV["high"]}, (0.5, 0.5))
    assert even.shown == 0
    assert with_scenarios(sold_ahead(), PV, (0.2, 0.2, 0.6)).shown == 2


def test_reserve_is_held_in_every_scenario():
    hold = Reserve("hold", "up", (15.0,) * 4, energy_up_h=1.0)
    certain = replace(sold_ahead(), reserves=(hold,))
    made = compare(with_scenarios(certain, PV), plan(with_scenarios(certain, PV), CREATED))
    for outcome in made.spread.outcomes:
        (held,) = [s.up_kw["hold"] for s in outcome.schedules if "hold" in s.up_kw]
        assert min(held) >= 15 - 1e-6
    assert made.reserve_cost["hold"] > 0
    assert made.idle_net < made.money.net


def test_a_limit_that_binds_in_several_scenarios_is_one():
    """Uncertain only in what changes nothing for the battery: its limits are worth what they are without scenarios."""
    certain = problem([battery(), solar()], [50, 20, 90, 40], series={"pv1": PV["middle"]})
    alone, made = plan(certain, CREATED), plan(with_scenarios(certain, PV), CREATED)
    told = {(limit.owner, limit.limit): limit for limit in made.limits}
    assert set(told) == {(limit.owner, limit.limit) for limit in alone.limits}
    for limit in alone.limits:
        assert told[limit.owner, limit.limit].worth_per_unit == pytest.approx(limit.worth_per_unit, abs=1e-6)
        assert told[limit.owner, limit.limit].steps == limit.steps
    assert made.stored_value_per_mwh["bess1"] == pytest.approx(alone.stored_value_per_mwh["bess1"], abs=1e-6)


def test_a_scenario_that_no_plan_can_serve_is_named():
    certain = problem([load(), solar()], [50.0], series={"pv1": [10], "load1": [20]}, import_limit_kw=15.0)
    with pytest.raises(InfeasibleError) as raised:
        plan(with_scenarios(certain, {"sun": [10], "dark": [0]}, (0.5, 0.5)), CREATED)
    assert "dark" in str(raised.value)
    assert "sun" not in str(raised.value)


def test_a_model_that_is_planned_again_takes_in_new_scenarios():
    rolling, risk = Rolling(), Risk(0.5, 0.7)
    first = with_scenarios(sold_ahead(), PV, risk=risk)
    later = with_scenarios(sold_ahead(), {name: [kw / 2 for kw in pv] for name, pv in PV.items()}, risk=risk)
    rolling.plan(first, CREATED)
    fresh = Rolling()
    fresh._worth_per_mwh = dict(rolling._worth_per_mwh)
    again, anew = rolling.plan(later, CREATED), fresh.plan(later, CREATED)
    assert again.money.net == pytest.approx(anew.money.net, abs=1e-9)
    assert again.spread.scheduled_kw == pytest.approx(anew.spread.scheduled_kw, abs=1e-6)


@pytest.mark.parametrize(
    ("alpha", "mean"), [(0.0, 5.2), (0.5, 2.2), (0.7, 1.0), (0.9, 1.0), (0.4, (0.3 * 1 + 0.3 * 4) / 0.6)]
)
def test_the_mean_of_the_worst_counts_a_scenario_by_the_part_that_belongs_there(alpha, mean):
    assert mean_of_worst([4.0, 11.0, 1.0], [0.4, 0.3, 0.3], alpha) == pytest.approx(mean)
