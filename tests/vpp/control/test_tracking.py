"""A target of the whole site, followed by simulated devices tick by tick."""

from math import sqrt

import pytest

from tests.snapshots import battery, course, override, signal, solar
from tests.vpp.control.plant import Device, Plant
from vpp.domain.override import Action


def five_assets(**fields):
    """Assets of 5, 4, 3, 2 and 1 MW with 5 MWh each, a second of delay in all."""
    units = [battery(f"a{mw}", 1000.0 * mw, 10_000.0, **fields) for mw in (5, 4, 3, 2, 1)]
    return [Device(unit, delay_s=0.2, stored_kwh=5000.0) for unit in units]


def call(kind, kw):
    """An instruction to the site: from the operator, or from the market."""
    return {"overrides": (override(Action.SET_EXPORT_KW, kw),)} if kind == "operator" else {"signal": signal(kw)}


@pytest.mark.parametrize("kind", ["operator", "market"])
def test_what_a_silent_asset_leaves_undone_is_carried_by_the_others_and_the_rest_is_reported(kind):
    plant = Plant(five_assets(), course({}))
    for _ in range(10):
        plant.tick(**call(kind, 12_000.0))
    assert plant.export_kw == pytest.approx(12_000.0)
    assert plant.decision.residual_kw == pytest.approx(0.0)

    silent = plant.devices[1]
    silent.is_silent = True
    for _ in range(4):
        plant.tick(**call(kind, 12_000.0))
    assert plant.export_kw - silent.export_kw == pytest.approx(11_000.0)
    assert plant.decision.residual_kw == pytest.approx(1_000.0)
    assert plant.decision.target_kw == pytest.approx(12_000.0)

    silent.is_silent = False
    for _ in range(2):
        plant.tick(**call(kind, 12_000.0))
    assert plant.export_kw == pytest.approx(12_000.0)
    assert plant.decision.residual_kw == pytest.approx(0.0)


def one_large_device(ramp_kw_per_s):
    unit = battery("bess1", 25_000.0, 50_000.0, ramp_kw_per_s=ramp_kw_per_s)
    return Device(unit, delay_s=0.2, stored_kwh=25_000.0)


@pytest.mark.parametrize("ramp_kw_per_s", [float("inf"), 12_500.0], ids=["no ramp", "ramp of 2 s to the rating"])
@pytest.mark.parametrize("start_kw", [0.0, -5_000.0])
def test_a_step_of_20_mw_is_followed_fast_without_overshoot_and_exactly(ramp_kw_per_s, start_kw):
    plant = Plant([one_large_device(ramp_kw_per_s)], course({"bess1": [start_kw] * 4}))
    for _ in range(5):
        plant.tick(signal=signal(0.0))
    assert plant.export_kw == pytest.approx(start_kw)
    began_s = plant.now_s
    for _ in range(60):
        plant.tick(signal=signal(20_000.0))
    moved_kw = {at_s - began_s: kw - start_kw for at_s, kw in plant.sums_kw if at_s > began_s}
    reached_s = min(at_s for at_s, kw in moved_kw.items() if kw >= 0.9 * 20_000.0)
    late_kw = [kw - 20_000.0 for at_s, kw in moved_kw.items() if at_s > 10.0]
    assert reached_s <= 2.0 + 1e-9
    assert max(moved_kw.values()) <= 1.02 * 20_000.0
    assert sqrt(sum(kw * kw for kw in late_kw) / len(late_kw)) <= 0.01 * 20_000.0


def test_a_signal_does_not_wind_up_while_a_ramp_holds_the_device_back():
    plant = Plant([one_large_device(1_000.0)], course({}))
    for _ in range(40):
        plant.tick(signal=signal(5_000.0))
    assert max(kw for _, kw in plant.sums_kw) == pytest.approx(5_000.0)
    assert plant.decision.target_kw == pytest.approx(5_000.0)


def test_a_split_moves_every_asset_within_its_ramp_and_reports_what_is_missing():
    slow, fast = battery("slow", 1000.0, ramp_kw_per_s=10.0), battery("fast", 200.0, 2000.0, ramp_kw_per_s=100.0)
    plant = Plant([Device(slow, stored_kwh=100.0), Device(fast, stored_kwh=1000.0)], course({}))
    decision = plant.tick(signal=signal(300.0))
    assert {name: s.export_kw for name, s in decision.setpoints.items()} == {"slow": 10.0, "fast": 100.0}
    assert decision.residual_kw == pytest.approx(190.0)
    for _ in range(9):
        plant.tick(signal=signal(300.0))
    assert plant.export_kw == pytest.approx(300.0)
    assert plant.decision.residual_kw == pytest.approx(0.0)


def test_a_site_target_counts_only_on_the_sun_that_shines():
    pv, store = Device(solar("pv1", 1000.0), available_kw=200.0), Device(battery("a", 600.0, 6000.0), stored_kwh=3000.0)
    plant = Plant([pv, store], course({"pv1": [200.0] * 4, "a": [0.0] * 4}, curtailed={"pv1": [False] * 4}))
    for _ in range(5):
        plant.tick(overrides=(override(Action.SET_EXPORT_KW, 500.0),))
    assert (pv.export_kw, store.export_kw) == (200.0, pytest.approx(300.0))


def test_generation_that_was_held_back_is_brought_up_without_overshoot():
    pv = Device(solar("pv1", 1000.0), available_kw=800.0)
    plant = Plant([pv], course({"pv1": [100.0] * 4}, curtailed={"pv1": [True] * 4}))
    for _ in range(5):
        plant.tick()
    assert pv.export_kw == 100.0
    for _ in range(20):
        plant.tick(overrides=(override(Action.SET_EXPORT_KW, 600.0),))
    assert max(kw for _, kw in plant.sums_kw) == pytest.approx(600.0)
    assert pv.export_kw == pytest.approx(600.0)


def test_a_device_that_does_nothing_is_made_up_for_by_the_others():
    stuck = Device(battery("stuck"), delay_s=1e9, follows=False)
    plant = Plant([stuck, Device(battery("a")), Device(battery("b"))], course({}))
    for _ in range(3):
        plant.tick(signal=signal(150.0))
    assert plant.export_kw == pytest.approx(150.0)
    assert stuck.export_kw == 0.0
