"""Two machines on one store: their physics in plain numpy, to verify a plan."""

from collections.abc import Iterator

import numpy as np

from optimizer.problem import Array, Inputs
from optimizer.storage.machines import Machine, TwoMachines
from optimizer.storage.running import ran_before
from optimizer.storage.schema import MachineStore
from vpp.domain.plan import Schedule

ROUNDING_H = 1e-9


def violations(asset: MachineStore, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """Name each limit and balance with the amount by which it is violated [kW or kWh]; at most 0 is kept."""
    store = asset.machines()
    charge_kw, discharge_kw = np.array(schedule.flows["charge_kw"]), np.array(schedule.flows["discharge_kw"])
    charging, discharging = np.array(schedule.flows["is_charging"]), np.array(schedule.flows["is_discharging"])
    chargers = _chargers(store, schedule)
    yield from _range_violations("charge", store.charger_unit_kw, store.charger.min_power_kw, charge_kw, chargers)
    whole = store.discharger
    yield from _range_violations("discharge", whole.power_kw, whole.min_power_kw, discharge_kw, discharging)
    yield "whether it charges", np.abs(charging - (chargers > 0)).max()
    yield "number of units", chargers.max() - store.charger_count
    yield "both machines at once", (charging + discharging).max() - 1
    given_kw = discharge_kw - _own_kw(store.discharger, discharge_kw, discharging)
    drawn_kw = charge_kw + _own_kw(store.charger, charge_kw, charging)
    export_kw = np.array(schedule.export_kw)
    yield "export balance", np.abs(given_kw - drawn_kw - store.standing_load_kw - export_kw).max()
    yield from _idle_violations(store, inputs, charging, discharging)
    yield from _inflow_violations(store, inputs, schedule)
    yield from _store_violations(store, inputs, schedule)
    yield from _reserve_violations(store, inputs, schedule)


def _chargers(store: TwoMachines, schedule: Schedule) -> Array:
    """How many units charge, in each step."""
    return np.array(schedule.flows["charging_units" if store.charger_count > 1 else "is_charging"])


def _range_violations(
    way: str, unit_kw: float, lowest_kw: float, power_kw: Array, units: Array
) -> Iterator[tuple[str, float]]:
    """Distance from whole units, each off or between its lowest and its highest power."""
    yield f"units that {way}", max(np.abs(units - np.round(units)).max(), -units.min())
    yield f"{way} power", max((power_kw - unit_kw * units).max(), -power_kw.min())
    yield f"lowest {way} power", (lowest_kw * units - power_kw).max()


def _own_kw(machine: Machine, power_kw: Array, runs: Array) -> Array:
    own_kw: Array = np.where(runs > 0, machine.load_on_kw, machine.load_off_kw) + machine.load_per_kw * power_kw
    return own_kw


def _inflow_violations(store: TwoMachines, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    if "inflow" in inputs.series:
        spill_kw = np.array(schedule.flows["spill_kw"])
        yield "spill", max(-spill_kw.min(), (spill_kw - store.kw_per_inflow * inputs.series["inflow"]).max())


def _gained_kw(store: TwoMachines, inputs: Inputs, schedule: Schedule) -> Array:
    """What the machines and the inflow change of the stored energy, in each step."""
    charge_kw, discharge_kw = np.array(schedule.flows["charge_kw"]), np.array(schedule.flows["discharge_kw"])
    charging, discharging = np.array(schedule.flows["is_charging"]), np.array(schedule.flows["is_discharging"])
    lost_kw = store.charger.loss_on_kw * charging + store.discharger.loss_on_kw * discharging
    gained_kw: Array = store.charger.efficiency * charge_kw - discharge_kw / store.discharger.efficiency - lost_kw
    if "inflow" in inputs.series:
        gained_kw = gained_kw + store.kw_per_inflow * inputs.series["inflow"] - np.array(schedule.flows["spill_kw"])
    return gained_kw


def _store_violations(store: TwoMachines, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """The balance of the stored energy, its window and its end."""
    stored_kwh, gained_kw = np.array(schedule.stored_kwh), _gained_kw(store, inputs, schedule)
    kept_kwh = _before_kwh(store, inputs, stored_kwh) * (1 - store.self_discharge_fraction_per_h * inputs.step_h)
    yield "energy balance", np.abs(kept_kwh + inputs.step_h * gained_kw - stored_kwh).max()
    floor_kwh, ceiling_kwh = _window_kwh(store, inputs)
    yield "lowest stored energy", (floor_kwh - stored_kwh).max()
    yield "highest stored energy", (stored_kwh - ceiling_kwh).max()
    if inputs.end_value_per_mwh is None:
        promised_kwh = stored_kwh[-1] + schedule.lacking_kwh
        yield "energy at the end", store.window.least_final_kwh - promised_kwh
        yield "energy at the end", promised_kwh - store.window.most_final_kwh
        yield "energy lacking at the end", 0.0 if inputs.gives_way else abs(schedule.lacking_kwh)


def _initial_kwh(store: TwoMachines, inputs: Inputs) -> float:
    return store.window.initial_kwh if inputs.state is None else inputs.state.stored_kwh


def _before_kwh(store: TwoMachines, inputs: Inputs, stored_kwh: Array) -> Array:
    return np.concatenate([[_initial_kwh(store, inputs)], stored_kwh[:-1]])


def _window_kwh(store: TwoMachines, inputs: Inputs) -> tuple[Array, Array]:
    """The window, opened for a measured energy that lies outside it as far as that energy drains away."""
    window, initial_kwh = store.window, _initial_kwh(store, inputs)
    left_kwh = initial_kwh * np.multiply.accumulate(1 - store.self_discharge_fraction_per_h * inputs.step_h)
    lowest = np.full(inputs.step_h.size, window.floor_kwh)
    return left_kwh if initial_kwh < window.floor_kwh else lowest, np.maximum(window.ceiling_kwh, left_kwh)


def _idle_violations(
    store: TwoMachines, inputs: Inputs, charging: Array, discharging: Array
) -> Iterator[tuple[str, float]]:
    """Walk through the steps and measure the rest before each change from one machine to the other, in hours."""
    stopped_h = [0.0 if ran else -np.inf for ran in ran_before(store, inputs.state)]
    shortest_h = np.inf
    at_h = 0.0
    for step, hours in enumerate(inputs.step_h):
        for own, runs in enumerate((charging[step], discharging[step])):
            if runs > 0:
                shortest_h = min(shortest_h, at_h - stopped_h[1 - own])
        at_h += float(hours)
        for own, runs in enumerate((charging[step], discharging[step])):
            if runs > 0:
                stopped_h[own] = at_h
    yield "rest between charging and discharging", store.min_idle_h - shortest_h - ROUNDING_H


def _reserve_violations(store: TwoMachines, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    if not inputs.reserves:
        return
    stored_kwh = np.array(schedule.stored_kwh)
    up = [np.array(schedule.up_kw[reserve.product]) * reserve.power for reserve in inputs.reserves]
    down = [np.array(schedule.down_kw[reserve.product]) * reserve.power for reserve in inputs.reserves]
    yield "upward reserve", -min(held.min() for held in up)
    yield "downward reserve", -min(held.min() for held in down)
    highest_kw, lowest_kw = _reach_kw(store, schedule)
    export_kw = np.array(schedule.export_kw)
    yield "power for upward reserve", (export_kw + sum(up) - highest_kw).max()
    yield "power for downward reserve", (lowest_kw - export_kw + sum(down)).max()
    floor_kwh, ceiling_kwh = _window_kwh(store, inputs)
    for when, energy_kwh in (("at_start", _before_kwh(store, inputs, stored_kwh)), ("at_end", stored_kwh)):
        held = [(r, u, d) for r, u, d in zip(inputs.reserves, up, down, strict=True) if getattr(r, when)]
        out, into = store.discharger.efficiency, store.charger.efficiency
        behind = sum(r.energy_up_h * u / (out if r.includes_losses else 1) for r, u, _ in held)
        room = sum(r.energy_down_h * d * (into if r.includes_losses else 1) for r, _, d in held)
        yield "energy for upward reserve", (floor_kwh - energy_kwh + behind).max()
        yield "room for downward reserve", (energy_kwh + room - ceiling_kwh).max()


def _reach_kw(store: TwoMachines, schedule: Schedule) -> tuple[Array, Array]:
    """Highest and lowest power at the meter with the machine that runs in each step; at rest there is one power."""
    chargers, discharging = _chargers(store, schedule), np.array(schedule.flows["is_discharging"])
    charger, discharger = store.charger, store.discharger

    def chosen(unit_kw: float, given_kw: float) -> Array:
        resting_kw = np.where(discharging > 0, given_kw, -store.rest_load_kw)
        reach_kw: Array = np.where(chargers > 0, [-store.drawn_kw(unit_kw * count) for count in chargers], resting_kw)
        return reach_kw

    highest_kw = chosen(charger.min_power_kw, store.given_kw(discharger.power_kw))
    lowest_kw = chosen(store.charger_unit_kw, store.given_kw(discharger.min_power_kw))
    return highest_kw, lowest_kw


def wear(asset: MachineStore, inputs: Inputs, schedule: Schedule) -> float:
    """Cost of throughput, of hours in which a machine runs, and of starts, in the site's currency."""
    store = asset.machines()
    units = _chargers(store, schedule), np.array(schedule.flows["is_discharging"])
    cost = store.throughput_cost_per_mwh * float(inputs.step_h @ np.array(schedule.flows["discharge_kw"])) / 1000
    for machine, count, before in zip(
        (store.charger, store.discharger), units, ran_before(store, inputs.state), strict=True
    ):
        starts = np.maximum(np.diff(np.round(count), prepend=before), 0).sum()
        cost += machine.cost_per_h * float(inputs.step_h @ (count > 0)) + machine.cost_per_start * float(starts)
    return cost
