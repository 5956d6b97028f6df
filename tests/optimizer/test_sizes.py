"""A site of a gigawatt is planned like one of a kilowatt: what is decided and what is given up only grow with it."""

from dataclasses import replace
from random import Random

import pytest

from optimizer.assets.fast_storage.schema import FastStorage
from optimizer.assets.flow_battery.schema import FlowBattery
from optimizer.planner import plan
from optimizer.priorities import Level
from optimizer.problem import Reserve
from optimizer.tariff.schema import EnergyFee
from tests.sites import CREATED, battery, load, problem

HOURS = 24


def hall(assets, size_kw: float, export_limit_kw: float, reserves=()):
    """A load about half as large as the connection, and a fee that falls with energy, which is a decision."""
    drawn = Random(0)
    needs = {"load1": [size_kw * drawn.uniform(0.3, 0.6) for _ in range(HOURS)]}
    prices = [50.0 + 7 * drawn.random() for _ in range(HOURS)]
    tiers = [{"up_to_kwh": 3 * size_kw, "price_per_mwh": 40}, {"price_per_mwh": 20}]
    fee = EnergyFee(id="fee", kind="energy", of="import", period="day", tiers=tiers)
    consumer = load(critical_fraction=0.0)
    site = problem([*assets, consumer], prices, export_prices=[40.0] * HOURS, series=needs, import_limit_kw=size_kw,
                   export_limit_kw=export_limit_kw, reserves=reserves)  # fmt: skip
    return replace(site, tariff=(fee,))


def test_a_battery_of_a_gigawatt_earns_a_million_times_what_one_of_a_kilowatt_does():
    earned = []
    for size_kw in (1.0, 1e6):
        power_kw = {"charge_power_kw": 0.3 * size_kw, "discharge_power_kw": 0.3 * size_kw}
        store = battery(energy_capacity_kwh=2 * size_kw, charge_efficiency=0.93, **power_kw)
        earned.append(plan(hall([store], size_kw, size_kw), CREATED).money.net / size_kw)
    assert earned[1] == pytest.approx(earned[0], rel=1e-6)


def test_a_reserve_that_a_gigawatt_cannot_hold_is_given_up_like_that_of_a_kilowatt():
    for size_kw in (1.0, 1e6):
        wheel = FastStorage(id="wheel", type="fast_storage", energy_capacity_kwh=size_kw,
                            charge_power_kw=0.5 * size_kw, discharge_power_kw=0.0)  # fmt: skip
        held = Reserve("reg", "symmetric", (0.5 * size_kw,) * HOURS, energy_up_h=0.25, energy_down_h=0.25)
        made = plan(hall([wheel], size_kw, 0.0, (held,)), CREATED)
        assert [repair.amount for repair in made.repairs] == [pytest.approx(0.5 * size_kw, rel=1e-6)]


def test_a_machine_of_a_gigawatt_that_cannot_be_full_in_time_is_planned_like_one_of_a_kilowatt():
    for size_kw in (1.0, 1e6):
        power_kw = {"charge_power_kw": 0.05 * size_kw, "discharge_power_kw": 0.05 * size_kw}
        least_kw = {"min_charge_power_kw": 0.01 * size_kw, "min_discharge_power_kw": 0.01 * size_kw}
        store = FlowBattery(
            id="flow", type="flow_battery", energy_capacity_kwh=4 * size_kw, initial_soc_fraction=0.1,
            final_soc_fraction=0.9, charge_efficiency=0.93, pump_load_kw=0.01 * size_kw, **power_kw, **least_kw,
        )  # fmt: skip
        made = plan(hall([store], size_kw, size_kw), CREATED)
        lacking_kwh = (4 * 0.8 - 24 * 0.05 * 0.93) * size_kw
        assert [repair.asset_id for repair in made.repairs] == ["flow"]
        assert made.repairs[0].amount == pytest.approx(lacking_kwh, rel=1e-6)


def test_what_a_level_came_to_is_held_with_the_room_that_rounding_needs_at_its_size():
    for size_kw, least_kwh in ((1.0, 1e-7), (1e6, 1e-6)):
        store = battery(energy_capacity_kwh=4 * size_kw, charge_power_kw=0.01 * size_kw, final_soc_fraction=0.9)
        made = plan(hall([store], size_kw, size_kw), CREATED)
        assert [repair.asset_id for repair in made.repairs] == ["bess1"]
        assert least_kwh <= made.most_given_up_kwh["", Level.SERVICE] <= 1e-4 * size_kw
