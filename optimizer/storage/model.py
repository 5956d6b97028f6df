"""Two machines on one store: their mathematics over the horizon.

Whether a machine runs is a decision in every step, so there is no relaxation to begin with and no exclusion to find.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import scalars, series
from optimizer.final_energy import promise_final_energy
from optimizer.ports import TIE_BREAK_PER_MWH
from optimizer.problem import Array, Inputs, Parameters
from optimizer.storage.inflow import inflow_parameters, let_in
from optimizer.storage.machines import Machine, TwoMachines
from optimizer.storage.reserves import hold_reserves, reserve_parameters
from optimizer.storage.running import ran_before
from optimizer.storage.schema import MachineStore
from optimizer.storage.switching import count_starts, rest_between, run_one_way

IDLE: Parameters = {
    "charge_power_kw": 0.0,
    "discharge_power_kw": 0.0,
    "floor_kwh": 0.0,
    "least_final_kwh": 0.0,
    "most_final_kwh": np.inf,
}
WAYS = ("charge", "discharge")
ROUNDING_H = 1e-9


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    reserve_count: int
    reserves_at_start: bool
    reserves_at_end: bool
    has_end_value: bool
    gives_way: bool
    """Whether the energy at the end may be missed."""
    has_starts: bool
    idle_steps: int
    """Steps at rest between charging and discharging."""
    has_units: bool
    """Whether several units charge."""
    has_inflow: bool


def options(asset: MachineStore, inputs: Inputs, *, is_exclusive: bool) -> Options:  # noqa: ARG001 - one signature for all
    """Choose the block for a store."""
    store = asset.machines()
    return Options(
        reserve_count=len(inputs.reserves),
        reserves_at_start=any(reserve.at_start for reserve in inputs.reserves),
        reserves_at_end=any(reserve.at_end for reserve in inputs.reserves),
        has_end_value=inputs.end_value_per_mwh is not None,
        gives_way=inputs.gives_way,
        has_starts=max(store.charger.cost_per_start, store.discharger.cost_per_start) > 0,
        idle_steps=ceil(store.min_idle_h / float(inputs.step_h.max()) - ROUNDING_H),
        has_units=store.charger_count > 1,
        has_inflow="inflow" in inputs.series,
    )


def exclusion(asset: MachineStore) -> None:
    """Every step decides which machine runs, so that no step can do both."""


def parameters(asset: MachineStore, inputs: Inputs) -> Parameters:
    """Numbers of one store.

    A measured energy outside the window is no fault: the window opens just as far as that energy, draining away, needs.
    """
    store, state, end_value_per_mwh = asset.machines(), inputs.state, inputs.end_value_per_mwh
    window, is_end_free = store.window, end_value_per_mwh is not None
    initial_kwh = window.initial_kwh if state is None else state.stored_kwh
    kept: Array = 1 - store.self_discharge_fraction_per_h * inputs.step_h
    drained_kwh: Array = np.multiply.accumulate(kept) * initial_kwh
    is_below = initial_kwh < window.floor_kwh
    chargers, dischargers = ran_before(store, state)
    found: Parameters = {
        "self_discharge_fraction_per_h": store.self_discharge_fraction_per_h,
        "standing_load_kw": store.standing_load_kw,
        "throughput_cost_per_mwh": store.throughput_cost_per_mwh,
        "initial_kwh": initial_kwh,
        "floor_kwh": drained_kwh if is_below else np.full(inputs.step_h.size, window.floor_kwh),
        "ceiling_kwh": np.maximum(window.ceiling_kwh, drained_kwh),
        "least_final_kwh": 0.0 if is_end_free else window.least_final_kwh,
        "most_final_kwh": np.inf if is_end_free else window.most_final_kwh,
        "end_value_per_mwh": 0.0 if end_value_per_mwh is None else end_value_per_mwh,
        "charge_unit_kw": store.charger_unit_kw,
        "charger_count": float(store.charger_count),
        "chargers_before": float(chargers),
        "dischargers_before": float(dischargers),
        "may_charge": _may_start(store, inputs, other_ran=dischargers > 0),
        "may_discharge": _may_start(store, inputs, other_ran=chargers > 0),
    }
    if "inflow" in inputs.series:
        found |= inflow_parameters(store, inputs)
    found |= _machine_parameters("charge", store.charger) | _machine_parameters("discharge", store.discharger)
    return found | (reserve_parameters(store, inputs.reserves) if inputs.reserves else {})


def _machine_parameters(way: str, machine: Machine) -> Parameters:
    return {
        f"{way}_power_kw": machine.power_kw,
        f"min_{way}_power_kw": machine.min_power_kw,
        f"{way}_efficiency": machine.efficiency,
        f"{way}_load_on_kw": machine.load_on_kw,
        f"{way}_load_per_kw": machine.load_per_kw,
        f"{way}_load_off_kw": machine.load_off_kw,
        f"{way}_loss_on_kw": machine.loss_on_kw,
        f"{way}_cost_per_h": machine.cost_per_h,
        f"{way}_cost_per_start": machine.cost_per_start,
    }


def _may_start(store: TwoMachines, inputs: Inputs, *, other_ran: bool) -> Array:
    """Whether a machine may run in a step, given that the other one ran until the horizon began; shape (steps,)."""
    begins_h = np.cumsum(inputs.step_h) - inputs.step_h
    may: Array = (begins_h >= store.min_idle_h - ROUNDING_H).astype(np.float64)
    return may if other_ran else np.ones_like(may)


def build(b: Any, chosen: Options) -> None:
    """stored[t] = stored[t−1]·(1 − σΔ) + Δ·(η_c·charge[t] − discharge[t]/η_d − losses of the machine that runs)."""
    for way in WAYS:
        names = ("power_kw", "efficiency", "load_on_kw", "load_per_kw", "load_off_kw", "loss_on_kw", "cost_per_h")
        scalars(b, f"min_{way}_power_kw", *(f"{way}_{name}" for name in names))
    scalars(b, "self_discharge_fraction_per_h", "standing_load_kw", "throughput_cost_per_mwh")
    scalars(b, "initial_kwh", "charge_unit_kw")
    series(b, "floor_kwh", "ceiling_kwh")

    b.charge_kw = pyo.Var(b.time, bounds=(0, b.charge_power_kw), doc="/ charge power [kW]")
    b.discharge_kw = pyo.Var(b.time, bounds=(0, b.discharge_power_kw), doc="/ discharge power [kW]")
    b.stored_kwh = pyo.Var(
        b.time,
        bounds=lambda b, t: (b.floor_kwh[t], b.ceiling_kwh[t]),
        doc="lowest stored energy / highest stored energy [kWh]",
    )

    def before(t: int) -> Any:
        return b.initial_kwh if t == b.time.first() else b.stored_kwh[t - 1]

    chargers = run_one_way(b, has_units=chosen.has_units)
    _balance(b, before, let_in(b) if chosen.has_inflow else lambda _t: 0)
    promise_final_energy(b, gives_way=chosen.gives_way)

    @b.Expression(b.time)
    def export_kw(b: Any, t: int) -> Any:
        charging = b.charge_kw[t] + _own_kw(b, "charge", t)
        return b.discharge_kw[t] - _own_kw(b, "discharge", t) - charging - b.standing_load_kw

    starts = count_starts(b, chargers) if chosen.has_starts else None

    @b.Expression(b.time)
    def wear(b: Any, t: int) -> Any:
        running = b.charge_cost_per_h * b.is_charging[t] + b.discharge_cost_per_h * b.is_discharging[t]
        hours = b.step_h[t] * (b.throughput_cost_per_mwh * b.discharge_kw[t] + 1000 * running)
        return -hours - (1000 * starts(t) if starts else 0)

    if chosen.has_end_value:
        scalars(b, "end_value_per_mwh")
        b.prospect = pyo.Expression(expr=b.end_value_per_mwh * b.stored_kwh[b.time.last()])
    if chosen.idle_steps:
        rest_between(b, chosen.idle_steps)
    if chosen.reserve_count:
        hold_reserves(b, chosen, before, chargers)

    @b.Expression(b.time)
    def preference(b: Any, t: int) -> Any:
        held_kw = sum(b.up_kw[t, k] + b.down_kw[t, k] for k in b.classes) if chosen.reserve_count else 0
        running_kw = b.charge_power_kw * b.is_charging[t] + b.discharge_power_kw * b.is_discharging[t]
        other_kw = held_kw + running_kw + (b.spill_weight[t] * b.spill_kw[t] if chosen.has_inflow else 0)
        return -TIE_BREAK_PER_MWH * b.step_h[t] * (b.charge_kw[t] + b.discharge_kw[t] + other_kw)


def _own_kw(b: Any, way: str, t: int) -> Any:
    """Own consumption of a machine: what it takes while it runs, more with its power, or at rest."""
    load_on, load_per_kw, load_off = (b.component(f"{way}_load_{name}") for name in ("on_kw", "per_kw", "off_kw"))
    runs, power_kw = b.component(f"is_{way[:-1]}ing")[t], b.component(f"{way}_kw")[t]
    return load_off + (load_on - load_off) * runs + load_per_kw * power_kw


def _balance(b: Any, before: Callable[[int], Any], inflow_kw: Callable[[int], Any]) -> None:
    """The store; the last two rows are implied by one machine at a time, and tighten the linear relaxation."""

    def kept(t: int) -> Any:
        return 1 - b.self_discharge_fraction_per_h * b.step_h[t]

    def gained(t: int) -> Any:
        return b.step_h[t] * (b.charge_efficiency * b.charge_kw[t] - b.charge_loss_on_kw * b.is_charging[t])

    def taken(t: int) -> Any:
        loss_kw = b.discharge_loss_on_kw * b.is_discharging[t]
        return b.step_h[t] * (b.discharge_kw[t] / b.discharge_efficiency + loss_kw)

    @b.Constraint(b.time)
    def energy_balance(b: Any, t: int) -> Any:
        return b.stored_kwh[t] == before(t) * kept(t) + gained(t) - taken(t) + b.step_h[t] * inflow_kw(t)

    @b.Constraint(b.time)
    def charge_fits(b: Any, t: int) -> Any:
        return before(t) * kept(t) + gained(t) <= b.ceiling_kwh[t]

    @b.Constraint(b.time)
    def discharge_is_there(b: Any, t: int) -> Any:
        return before(t) * kept(t) - taken(t) + b.step_h[t] * inflow_kw(t) >= kept(t) * b.floor_kwh[t]
