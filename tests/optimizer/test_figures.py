"""Published and computed figures that a plan must reach."""

import json
from dataclasses import replace

import pytest

from optimizer.planner import compare, plan
from optimizer.problem import Energy, Reserve
from tests.oracle import best_net
from tests.shared import SHARED
from tests.sites import CREATED, P24, battery, load, problem, station
from vpp.domain.errors import Conflict, InfeasibleError


def discharged_mwh(made):
    return sum(made.schedules[0].flows["discharge_kw"]) / 1000


def charged_mwh(made):
    return sum(made.schedules[0].flows["charge_kw"]) / 1000


def test_acc_01_the_reference_station_earns_88706_with_two_cycles():
    made = plan(station(0.1), CREATED)
    assert made.money.net == pytest.approx(88_706.3, abs=0.1)
    assert discharged_mwh(made) == pytest.approx(304.0, abs=0.01)
    assert charged_mwh(made) == pytest.approx(336.84, abs=0.01)


def test_acc_01_a_start_at_25_mwh_earns_88415():
    assert plan(station(0.125), CREATED).money.net == pytest.approx(88_415.0, abs=0.1)


def test_acc_02_a_throughput_price_of_100_removes_the_second_cycle():
    made = plan(station(0.1, throughput_cost_per_mwh=100.0), CREATED)
    assert made.money.net == pytest.approx(67_183.2, abs=0.1)
    assert discharged_mwh(made) == pytest.approx(152.0, abs=0.01)
    assert made.money.wear == pytest.approx(-15_200.0, abs=0.1)


@pytest.mark.parametrize(("price", "traded_mwh"), [(321.0, 0.0), (322.0, 0.1)])
def test_acc_03_cycling_pays_only_above_321_6(price, traded_mwh):
    store = battery(
        energy_capacity_kwh=1000.0,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
        initial_soc_fraction=0.0,
        throughput_cost_per_mwh=100.0,
    )
    made = plan(problem([store], [200.0, 200.0, price]), CREATED)
    assert discharged_mwh(made) == pytest.approx(traded_mwh, abs=1e-6)
    assert made.money.net == pytest.approx(max(0.0, (price - 200 / 0.9025 - 100) * 0.1), abs=1e-6)


def forming(energy_h: float) -> Reserve:
    return Reserve("forming", "symmetric", (25_000.0,) * 24, energy_up_h=energy_h, energy_down_h=energy_h)


def test_acc_06_the_energy_behind_a_reserve_is_most_of_its_cost():
    with_energy = replace(station(0.125), reserves=(forming(0.2),))
    made = compare(with_energy, plan(with_energy, CREATED))
    assert made.money.net == pytest.approx(81_864.5, abs=0.1)
    assert made.reserve_cost == {"forming": pytest.approx(6_550.5, abs=0.1)}
    power_only = replace(station(0.125), reserves=(forming(0.0),))
    made = compare(power_only, plan(power_only, CREATED))
    assert made.reserve_cost == {"forming": pytest.approx(1_899.5, abs=0.1)}


def test_swapping_the_prices_of_noon_and_evening_moves_the_plan_to_the_new_optimum():
    prices = list(map(float, P24))
    prices[12], prices[19] = prices[19], prices[12]
    swapped = replace(station(0.1), energy=Energy("energy_day_ahead", tuple(prices)))
    assert plan(swapped, CREATED).money.net == pytest.approx(best_net(swapped), rel=1e-6)
    assert plan(swapped, CREATED).money.net != pytest.approx(88_706.3, abs=1.0)


@pytest.fixture(scope="module")
def small_cases():
    path = SHARED / "published" / "storage_small_cases.json"
    if not path.exists():
        pytest.skip("the published cases are not beside this checkout")
    return {case["name"]: case for case in json.loads(path.read_text())["cases"]}


def small_battery(**fields):
    return battery(
        energy_capacity_kwh=4000.0,
        charge_power_kw=2000.0,
        discharge_power_kw=2000.0,
        charge_efficiency=0.9,
        discharge_efficiency=1.0,
        initial_soc_fraction=0.0,
        **fields,
    )


def test_published_perfect_foresight_with_an_exact_end(small_cases):
    case = small_cases["perfect foresight"]
    exact = small_battery(final_soc_fraction=0.0, final_soc_max_fraction=0.0)
    made = plan(problem([exact], case["prices_per_mwh"]), CREATED)
    assert made.money.net == pytest.approx(case["expected_profit"], abs=case["tolerance_abs"])
    free = plan(problem([small_battery()], case["prices_per_mwh"]), CREATED)
    assert free.money.net == pytest.approx(1237.78, abs=0.01)


@pytest.mark.parametrize("name", ["five prices", "three prices"])
def test_published_dispatch(small_cases, name):
    case = small_cases[name]
    exact = small_battery(final_soc_fraction=0.0, final_soc_max_fraction=0.0)
    made = plan(problem([exact], case["prices_per_mwh"]), CREATED)
    imported_mwh = [-kw / 1000 for kw in made.site_export_kw]
    assert imported_mwh == pytest.approx(case["expected_grid_import_mwh"], abs=case["tolerance_abs"])


def test_published_forecast_objective(small_cases):
    case = small_cases["schedule on a forecast, settle on actuals"]
    exact = small_battery(final_soc_fraction=0.0, final_soc_max_fraction=0.0)
    made = plan(problem([exact], case["forecast_per_mwh"]), CREATED)
    assert made.money.net == pytest.approx(case["expected_forecast_objective"], abs=case["tolerance_abs"])


def test_a_site_that_decides_nothing_pays_for_its_load():
    made = plan(problem([load()], [100.0, 50.0], series={"load1": [10.0, 20.0]}), CREATED)
    assert made.money.net == pytest.approx(-2.0)


def test_a_load_beyond_the_connection_is_named():
    with pytest.raises(InfeasibleError) as error:
        plan(problem([load()], [100.0, 50.0], series={"load1": [10.0, 20.0]}, import_limit_kw=15.0), CREATED)
    assert set(error.value.conflicts) == {
        Conflict("grid connection", "import limit", (1,)),
        Conflict("load1", "critical load", (1,)),
    }
