"""What holds for the simulated device of every asset type that is found, whoever wrote it."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.assets import device_of
from optimizer.planner import plan
from tests.optimizer.test_every_asset import TYPES, example, site_of
from tests.sites import CREATED, P24, battery, problem
from vpp.domain.unit import Kind

START_S = 1_790_000_000.0
STORES = [kind for kind in TYPES if example(kind).unit().kind is Kind.STORAGE]
NOT_STORES = [kind for kind in TYPES if kind not in STORES]

setpoints = st.one_of(st.none(), st.floats(-300, 300))
moves = st.lists(
    st.tuples(setpoints, st.one_of(st.none(), st.floats(0.1, 1000)), st.floats(0.01, 900)), min_size=1, max_size=40
)


def fifty_kw(_utc_s):
    return 50.0


def device(asset, available_kw=fifty_kw, seed=1):
    return device_of(asset).make(asset, available_kw, START_S, seed)


def follow(physics, schedule_kw, step_s):
    """Follow a plan second by second; the energy that flowed out, in kWh."""
    exported_kwh = 0.0
    for export_kw in schedule_kw:
        for _ in range(step_s):
            physics.advance(export_kw, None, 1.0)
            exported_kwh += physics.export_kw / 3600
    return exported_kwh


@pytest.mark.parametrize("kind", TYPES)
def test_a_unit_has_the_id_of_its_asset_and_limits_that_are_not_negative(kind):
    unit = example(kind).unit()
    assert unit.id == "one"
    assert unit.charge_kw >= 0
    assert unit.discharge_kw >= 0
    assert unit.charge_kw + unit.discharge_kw > 0


@pytest.mark.parametrize("kind", STORES)
def test_a_store_as_a_unit_has_the_capacity_of_its_device_and_a_window_inside_it(kind):
    unit, physics = example(kind).unit(), device(example(kind))
    assert unit.energy_capacity_kwh == physics.energy_capacity_kwh == pytest.approx(100)
    assert 0 <= unit.floor_kwh < unit.ceiling_kwh <= unit.energy_capacity_kwh


@pytest.mark.parametrize("kind", NOT_STORES)
def test_what_stores_nothing_measures_no_stored_energy(kind):
    unit, physics = example(kind).unit(), device(example(kind))
    assert unit.energy_capacity_kwh is unit.floor_kwh is unit.ceiling_kwh is None
    assert physics.stored_kwh is physics.energy_capacity_kwh is None


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=40, deadline=None)
@given(moves=moves, seed=st.integers(0, 2**32))
def test_no_set_point_takes_a_device_beyond_its_rating_or_its_store(kind, moves, seed):
    asset = example(kind)
    unit, physics = asset.unit(), device(asset, lambda utc_s: utc_s % 200, seed)
    for wanted_kw, ramp_kw_per_s, seconds in moves:
        physics.advance(wanted_kw, ramp_kw_per_s, seconds)
        live = physics.live_limits
        assert -unit.charge_kw <= physics.export_kw <= unit.discharge_kw
        assert 0 <= live.charge_kw <= unit.charge_kw
        assert 0 <= live.discharge_kw <= unit.discharge_kw
        if physics.stored_kwh is not None:
            assert 0 <= physics.stored_kwh <= physics.energy_capacity_kwh


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=40, deadline=None)
@given(levels=st.lists(st.floats(-120, 120), min_size=1, max_size=12))
def test_a_store_makes_no_energy_and_loses_no_more_than_its_losses(kind, levels):
    unit, physics = example(kind).unit(), device(example(kind))
    lost_share = max(1 - unit.charge_efficiency, 1 / unit.discharge_efficiency - 1) + 0.0174
    for wanted_kw in levels:
        physics.advance(wanted_kw, None, 90.0)
        before_kwh, put_in_kwh, moved_kwh = physics.stored_kwh, 0.0, 0.0
        for _ in range(120):
            physics.advance(wanted_kw, None, 5.0)
            put_in_kwh -= physics.export_kw * 5 / 3600
            moved_kwh += abs(physics.export_kw) * 5 / 3600
        gained_kwh = physics.stored_kwh - before_kwh
        assert gained_kwh <= put_in_kwh + 1e-6
        assert gained_kwh >= put_in_kwh - lost_share * moved_kwh - 0.1


@pytest.mark.parametrize("kind", STORES)
def test_a_store_that_follows_its_plan_ends_near_the_planned_energy_but_not_at_it(kind):
    asset = example(kind)
    schedule = plan(site_of(asset), CREATED).schedules[0]
    physics = device(asset)
    planned_kwh = physics.stored_kwh if schedule.stored_kwh is None else schedule.stored_kwh[-1]
    follow(physics, schedule.export_kw, 900)
    off_kwh = physics.stored_kwh - planned_kwh
    assert 0.0001 * 100 < abs(off_kwh) < 0.03 * 100


@pytest.mark.parametrize("kind", NOT_STORES)
def test_what_stores_nothing_delivers_nearly_the_planned_energy(kind):
    asset = example(kind)
    site = site_of(asset)
    schedule, forecast = plan(site, CREATED).schedules[0], site.series[("one", "forecast")]
    physics = device(asset, lambda utc_s: forecast[min(int((utc_s - START_S - 0.5) // 900), 29)])
    exported_kwh = follow(physics, schedule.export_kw, 900)
    planned_kwh = sum(schedule.export_kw) / 4
    assert planned_kwh != 0
    assert exported_kwh == pytest.approx(planned_kwh, rel=0.03)


@pytest.mark.parametrize("kind", TYPES)
def test_the_same_seed_gives_the_same_device_and_another_seed_another(kind):
    def trace(seed):
        physics = device(example(kind), seed=seed)
        told = []
        for k in range(200):
            physics.advance(40.0 if k % 50 < 25 else 60.0, None, 1.0)
            told.append((physics.export_kw, physics.stored_kwh, physics.temperature_c))
        return told

    assert trace(7) == trace(7)
    assert trace(7) != trace(8)


@pytest.mark.parametrize("kind", TYPES)
def test_a_device_loads_without_the_modelling_layer_and_numpy(kind):
    code = (
        f"import sys, optimizer.assets.{kind}.device\n"
        "print(*({name.partition('.')[0] for name in sys.modules} & {'pyomo', 'highspy', 'pandas', 'numpy'}))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == ""


def test_a_battery_of_a_plant_follows_a_day_within_three_percent():
    asset = battery(
        energy_capacity_kwh=2000.0,
        charge_power_kw=1000.0,
        discharge_power_kw=1000.0,
        min_soc_fraction=0.1,
        max_soc_fraction=0.9,
    )
    schedule = plan(problem([asset], P24), CREATED).schedules[0]
    physics = device(asset)
    follow(physics, schedule.export_kw, 3600)
    assert physics.stored_kwh == pytest.approx(schedule.stored_kwh[-1], abs=0.03 * 2000)


def test_an_hour_of_charging_at_half_power_stores_what_the_efficiency_says():
    physics = device(battery(charge_power_kw=100.0, charge_efficiency=0.9, energy_capacity_kwh=400.0))
    before_kwh = physics.stored_kwh
    physics.advance(-50.0, None, 1.0)
    for _ in range(3600):
        physics.advance(-50.0, None, 1.0)
    assert physics.stored_kwh - before_kwh == pytest.approx(50 * 0.9 - 0.02, abs=0.02)


def test_an_hour_of_charging_at_full_power_loses_more_than_the_efficiency_says():
    physics = device(battery(charge_power_kw=100.0, charge_efficiency=0.9, energy_capacity_kwh=400.0))
    before_kwh = physics.stored_kwh
    physics.advance(-100.0, None, 2.0)
    for _ in range(3600):
        physics.advance(-100.0, None, 1.0)
    assert physics.stored_kwh - before_kwh == pytest.approx(100 * (0.9 - 0.012 / 2), abs=0.1)


def test_a_battery_answers_after_its_delay_and_along_its_ramp():
    physics = device(battery())
    physics.advance(100.0, None, 0.2)
    assert physics.export_kw == 0
    physics.advance(100.0, None, 0.25)
    assert physics.export_kw == pytest.approx(50, rel=0.01)
    physics.advance(100.0, None, 1.0)
    assert physics.export_kw == pytest.approx(100, rel=0.01)


def test_a_battery_keeps_a_slower_ramp_that_is_asked_for():
    physics = device(battery())
    physics.advance(100.0, 10.0, 3.2)
    assert physics.export_kw == pytest.approx(30, rel=0.01)


def test_a_set_point_that_is_replaced_within_the_delay_still_comes_in_turn():
    physics = device(battery())
    physics.advance(100.0, None, 0.1)
    physics.advance(-100.0, None, 0.15)
    assert physics.export_kw > 0
    physics.advance(-100.0, None, 3.0)
    assert physics.export_kw == pytest.approx(-100, rel=0.01)


def test_a_full_battery_charges_less_and_less():
    physics = device(battery(initial_soc_fraction=0.99, final_soc_fraction=0.5))
    assert physics.live_limits.charge_kw == pytest.approx(50)
    physics.advance(-100.0, None, 600.0)
    physics.advance(-100.0, None, 60.0)
    assert physics.stored_kwh == pytest.approx(200, abs=1)
    assert physics.live_limits.charge_kw < 30


def test_an_empty_battery_does_not_discharge():
    physics = device(battery(initial_soc_fraction=0.0, final_soc_fraction=0.0))
    physics.advance(100.0, None, 60.0)
    assert physics.export_kw == 0
    assert physics.live_limits.discharge_kw == 0


def test_a_set_point_is_rounded_to_a_thousandth_of_the_rating():
    physics = device(battery(charge_power_kw=1000.0, discharge_power_kw=1000.0, energy_capacity_kwh=4000.0))
    total_kw = 0.0
    physics.advance(400.4, None, 5.0)
    for _ in range(2000):
        physics.advance(400.4, None, 1.0)
        total_kw += physics.export_kw
    assert total_kw / 2000 == pytest.approx(400.0, abs=0.03)


def test_the_own_consumption_of_a_battery_is_drawn_at_the_meter():
    asset = battery(standing_load_kw=2.0)
    physics = device(asset)
    physics.advance(None, None, 10.0)
    assert physics.export_kw == -2
    assert (asset.unit().charge_kw, asset.unit().discharge_kw) == (102, 98)


def test_self_discharge_takes_its_share_in_an_hour():
    resting = device(battery())
    leaking = device(battery(self_discharge_fraction_per_h=0.01))
    for _ in range(60):
        resting.advance(None, None, 60.0)
        leaking.advance(None, None, 60.0)
    assert resting.stored_kwh - leaking.stored_kwh == pytest.approx(1.0, abs=0.01)


def test_a_battery_that_works_gets_warm_and_cools_again():
    physics = device(battery(energy_capacity_kwh=2000.0))
    start_c = physics.temperature_c
    for _ in range(1800):
        physics.advance(100.0, None, 1.0)
    warm_c = physics.temperature_c
    assert warm_c - start_c == pytest.approx(18 * (1 - 0.368), abs=1)
    for _ in range(10):
        physics.advance(None, None, 1800.0)
    assert physics.temperature_c == pytest.approx(start_c, abs=0.5)


@pytest.mark.parametrize("kind", ["solar", "wind"])
def test_a_ceiling_curtails_and_its_end_brings_all_power_back(kind):
    physics = device(example(kind))
    physics.advance(30.0, None, 10.0)
    assert physics.export_kw == 30
    physics.advance(80.0, None, 10.0)
    assert physics.export_kw == pytest.approx(50, rel=0.03)
    physics.advance(0.0, None, 10.0)
    assert physics.export_kw == 0
    physics.advance(None, None, 30.0)
    assert physics.export_kw == pytest.approx(50, rel=0.03)


@pytest.mark.parametrize("kind", ["solar", "wind"])
def test_what_cannot_be_curtailed_takes_no_ceiling(kind):
    asset = example(kind, curtailable=False)
    physics = device(asset)
    physics.advance(10.0, None, 60.0)
    assert physics.export_kw == pytest.approx(50, rel=0.03)
    assert not asset.unit().is_controllable


def test_a_load_draws_what_it_wants_whatever_it_is_told():
    physics = device(example("load"))
    physics.advance(0.0, None, 60.0)
    assert physics.export_kw == pytest.approx(-50, rel=0.05)
