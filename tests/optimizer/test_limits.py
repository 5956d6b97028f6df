"""What a limit is worth is what the plan would earn with a little more of it."""

import numpy as np
import pytest

from optimizer.planner import plan
from tests.sites import CREATED, battery, load, problem, solar

PRICES = np.round(60 + 45 * np.sin(np.arange(48) / 5) + 10 * np.cos(np.arange(48) * 1.7), 2)
RATINGS = {
    "import_limit_kw": 95.0,
    "export_limit_kw": 70.0,
    "charge_power_kw": 90.0,
    "discharge_power_kw": 80.0,
    "daily_discharge_limit_kwh": 210.0,
}


def site(**changed):
    r = RATINGS | changed
    store = battery(
        charge_power_kw=r["charge_power_kw"],
        discharge_power_kw=r["discharge_power_kw"],
        daily_discharge_limit_kwh=r["daily_discharge_limit_kwh"],
        throughput_cost_per_mwh=2.0,
        initial_soc_fraction=0.3,
    )
    series = {"pv1": 30 * np.maximum(0, np.sin(np.arange(48) / 15)), "load1": [8.0] * 48}
    return problem(
        [store, solar(), load()],
        PRICES,
        series=series,
        import_limit_kw=r["import_limit_kw"],
        export_limit_kw=r["export_limit_kw"],
        step_minutes=30,
    )


def worth(made, name):
    return sum(limit.worth_per_unit for limit in made.limits if limit.limit == name)


@pytest.mark.parametrize(
    ("rating", "name"),
    [
        ("import_limit_kw", "import limit"),
        ("export_limit_kw", "export limit"),
        ("charge_power_kw", "charge power"),
        ("discharge_power_kw", "discharge power"),
        ("daily_discharge_limit_kwh", "daily discharge"),
    ],
)
def test_the_worth_of_a_limit_is_what_one_more_unit_earns(rating, name):
    made, step = plan(site(), CREATED), 1e-3
    more = plan(site(**{rating: RATINGS[rating] + step}), CREATED).money.net
    assert worth(made, name) == pytest.approx((more - made.money.net) / step, rel=1e-3, abs=1e-5)


def test_limits_are_listed_by_what_a_hundredth_more_of_them_earns():
    made = plan(site(), CREATED)
    values = [limit.worth_per_unit * (limit.bound or 1.0) for limit in made.limits]
    assert values == sorted(values, reverse=True)
    assert len(values) >= 4


def test_stored_energy_is_worth_the_price_that_it_will_meet():
    # 100 kW for one hour at 20, then at 80: a kWh stored after the first hour sells for 80 times 0.95.
    full = battery(initial_soc_fraction=0.9, final_soc_fraction=0.0)
    made = plan(problem([full], [20.0, 80.0]), CREATED)
    assert made.stored_value_per_mwh["bess1"][0] == pytest.approx(0.95 * 20.0, abs=0.01)
    nearly_empty = battery(initial_soc_fraction=0.2, final_soc_fraction=0.0, charge_power_kw=0.0)
    made = plan(problem([nearly_empty], [20.0, 80.0]), CREATED)
    assert made.stored_value_per_mwh["bess1"][0] == pytest.approx(0.95 * 80.0, abs=0.01)


def test_a_decision_between_two_directions_does_not_pass_for_a_limit():
    always = battery(exclusive_charge_discharge="always", throughput_cost_per_mwh=1.0)
    plain = battery(exclusive_charge_discharge="never", throughput_cost_per_mwh=1.0)
    made, relaxed = (plan(problem([store], PRICES, step_minutes=30), CREATED) for store in (always, plain))
    for name in ("charge power", "discharge power"):
        assert worth(made, name) == pytest.approx(worth(relaxed, name), rel=1e-6)


def test_a_plan_that_runs_into_nothing_lists_nothing():
    made = plan(problem([load()], [50.0] * 4, series={"load1": [5.0] * 4}), CREATED)
    assert made.limits == ()
