"""A battery: its mathematics over the horizon."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.assets.battery.schema import Battery
from optimizer.assets.battery.segments import ageing_parameters, wear_at_rest, wear_by_depth
from optimizer.blocks import Exclusion, scalars, series
from optimizer.final_energy import promise_final_energy
from optimizer.ports import TIE_BREAK_PER_MWH
from optimizer.problem import Inputs, Parameters

IDLE: Parameters = {
    "charge_power_kw": 0.0,
    "discharge_power_kw": 0.0,
    "floor_kwh": 0.0,
    "least_final_kwh": 0.0,
    "most_final_kwh": np.inf,
}


@dataclass(frozen=True)
class Options:
    """What a battery's block contains."""

    reserve_count: int
    reserves_at_start: bool
    reserves_at_end: bool
    has_daily_limit: bool
    has_end_value: bool
    gives_way: bool
    """Whether the energy at the end may be missed."""
    is_exclusive: bool
    segment_count: int
    """Depth segments of wear; 0 where wear has one price."""
    band_count: int
    """Bands of the cost of resting."""


def options(asset: Battery, inputs: Inputs, *, is_exclusive: bool) -> Options:
    """Choose the block for a battery."""
    return Options(
        reserve_count=len(inputs.reserves),
        reserves_at_start=any(reserve.at_start for reserve in inputs.reserves),
        reserves_at_end=any(reserve.at_end for reserve in inputs.reserves),
        has_daily_limit=asset.daily_discharge_limit_kwh is not None,
        has_end_value=inputs.end_value_per_mwh is not None,
        gives_way=inputs.gives_way,
        is_exclusive=is_exclusive,
        segment_count=0 if asset.ageing is None else asset.ageing.segment_count,
        band_count=0 if asset.ageing is None else len(asset.ageing.bands),
    )


def exclusion(asset: Battery) -> Exclusion:
    """Charging and discharging at once would burn energy."""
    return Exclusion(("charge_kw", "discharge_kw"), is_enforced=asset.exclusive_charge_discharge != "never")


def parameters(asset: Battery, inputs: Inputs) -> Parameters:
    """Numbers of one battery.

    A measured energy outside the window is no fault: the window opens just as far as that energy, draining away, needs.
    """
    capacity_kwh, state = asset.energy_capacity_kwh, inputs.state
    initial_kwh = asset.initial_soc_fraction * capacity_kwh if state is None else state.stored_kwh
    before_kwh = () if state is None else state.stored_before_kwh
    drained_kwh = initial_kwh * np.cumprod(1 - asset.self_discharge_fraction_per_h * inputs.step_h)
    lowest_kwh, highest_kwh = asset.min_soc_fraction * capacity_kwh, asset.max_soc_fraction * capacity_kwh
    limit_kwh = np.inf if asset.daily_discharge_limit_kwh is None else asset.daily_discharge_limit_kwh
    end_value_per_mwh = inputs.end_value_per_mwh
    is_end_free = end_value_per_mwh is not None
    return {
        "charge_power_kw": asset.charge_power_kw,
        "discharge_power_kw": asset.discharge_power_kw,
        "charge_efficiency": asset.charge_efficiency,
        "discharge_efficiency": asset.discharge_efficiency,
        "self_discharge_fraction_per_h": asset.self_discharge_fraction_per_h,
        "standing_load_kw": asset.standing_load_kw,
        "throughput_cost_per_mwh": asset.throughput_cost_per_mwh,
        "initial_kwh": initial_kwh,
        "floor_kwh": drained_kwh if initial_kwh < lowest_kwh else np.full_like(drained_kwh, lowest_kwh),
        "ceiling_kwh": np.maximum(highest_kwh, drained_kwh),
        "least_final_kwh": 0.0 if is_end_free else asset.least_final_soc_fraction * capacity_kwh,
        "most_final_kwh": np.inf if is_end_free else asset.most_final_soc_fraction * capacity_kwh,
        "end_value_per_mwh": 0.0 if end_value_per_mwh is None else end_value_per_mwh,
        "same_day": 1.0 - inputs.begins_day,
        "discharged_today_kwh": 0.0 if state is None else min(state.discharged_today_kwh, limit_kwh),  # no more today
        "daily_discharge_limit_kwh": limit_kwh,
        **(_reserve_parameters(asset, inputs) if inputs.reserves else {}),
        **({} if asset.ageing is None else ageing_parameters(asset, asset.ageing, initial_kwh, before_kwh)),
    }


def _reserve_parameters(asset: Battery, inputs: Inputs) -> Parameters:
    """Energy inside the store behind each kW of reserve, by class, when a step begins and when it ends."""
    up_h = [r.energy_up_h / (asset.discharge_efficiency if r.includes_losses else 1) for r in inputs.reserves]
    down_h = [r.energy_down_h * (asset.charge_efficiency if r.includes_losses else 1) for r in inputs.reserves]
    at_start = np.array([r.at_start for r in inputs.reserves], dtype=float)
    at_end = np.array([r.at_end for r in inputs.reserves], dtype=float)
    return {
        "up_start_h": at_start * up_h,
        "up_end_h": at_end * up_h,
        "down_start_h": at_start * down_h,
        "down_end_h": at_end * down_h,
    }


def build(b: Any, chosen: Options) -> None:
    """stored[t] = stored[t−1]·(1 − σΔ) + Δ·(η_c·charge[t] − discharge[t]/η_d)."""
    scalars(b, "charge_power_kw", "discharge_power_kw", "charge_efficiency", "discharge_efficiency")
    scalars(b, "self_discharge_fraction_per_h", "standing_load_kw", "throughput_cost_per_mwh")
    scalars(b, "initial_kwh")
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

    @b.Constraint(b.time)
    def energy_balance(b: Any, t: int) -> Any:
        kept = before(t) * (1 - b.self_discharge_fraction_per_h * b.step_h[t])
        gained = b.charge_efficiency * b.charge_kw[t] - b.discharge_kw[t] / b.discharge_efficiency
        return b.stored_kwh[t] == kept + b.step_h[t] * gained

    promise_final_energy(b, gives_way=chosen.gives_way)

    @b.Expression(b.time)
    def export_kw(b: Any, t: int) -> Any:
        return b.discharge_kw[t] - b.charge_kw[t] - b.standing_load_kw

    _count_wear(b, chosen)
    if chosen.has_end_value:
        scalars(b, "end_value_per_mwh")
        b.prospect = pyo.Expression(expr=b.end_value_per_mwh * b.stored_kwh[b.time.last()])
    if chosen.has_daily_limit:
        _limit_daily_discharge(b)
    if chosen.is_exclusive:
        _exclude_both_at_once(b, before)
    if chosen.reserve_count:
        _hold_reserves(b, chosen, before)

    @b.Expression(b.time)
    def preference(b: Any, t: int) -> Any:
        held_kw = sum(b.up_kw[t, k] + b.down_kw[t, k] for k in b.classes) if chosen.reserve_count else 0
        return -TIE_BREAK_PER_MWH * b.step_h[t] * (b.charge_kw[t] + b.discharge_kw[t] + held_kw)


def _count_wear(b: Any, chosen: Options) -> None:
    """By throughput, or by the depth of cycles and by energy at rest."""

    def kept(t: int) -> Any:
        return 1 - b.self_discharge_fraction_per_h * b.step_h[t]

    cycling = wear_by_depth(b, chosen.segment_count, kept) if chosen.segment_count else None
    resting = wear_at_rest(b, chosen.band_count) if chosen.band_count else None

    @b.Expression(b.time)
    def wear(b: Any, t: int) -> Any:
        by_throughput = b.throughput_cost_per_mwh * b.step_h[t] * b.discharge_kw[t]
        return -(cycling(t) if cycling else by_throughput) - (resting(t) if resting else 0)


def _limit_daily_discharge(b: Any) -> None:
    """A counter that starts again with each local day."""
    scalars(b, "daily_discharge_limit_kwh", "discharged_today_kwh")
    series(b, "same_day")
    b.discharged_kwh = pyo.Var(b.time, bounds=(0, b.daily_discharge_limit_kwh), doc="/ daily discharge [kWh]")

    @b.Constraint(b.time)
    def daily_discharge(b: Any, t: int) -> Any:
        before = b.discharged_today_kwh if t == b.time.first() else b.discharged_kwh[t - 1]
        return b.discharged_kwh[t] == b.same_day[t] * before + b.step_h[t] * b.discharge_kw[t]


def _exclude_both_at_once(b: Any, before: Callable[[int], Any]) -> None:
    """One way per step. The last two rows are implied by that, and tighten its linear relaxation."""
    b.is_charging = pyo.Var(b.time, domain=pyo.Binary)

    @b.Constraint(b.time, doc="/ charge power [kW]")
    def charge_only(b: Any, t: int) -> Any:
        return b.charge_kw[t] <= b.charge_power_kw * b.is_charging[t]

    @b.Constraint(b.time, doc="/ discharge power [kW]")
    def discharge_only(b: Any, t: int) -> Any:
        return b.discharge_kw[t] <= b.discharge_power_kw * (1 - b.is_charging[t])

    @b.Constraint(b.time)
    def charge_fits(b: Any, t: int) -> Any:
        kept = 1 - b.self_discharge_fraction_per_h * b.step_h[t]
        return before(t) * kept + b.step_h[t] * b.charge_efficiency * b.charge_kw[t] <= b.ceiling_kwh[t]

    @b.Constraint(b.time)
    def discharge_is_there(b: Any, t: int) -> Any:
        kept = 1 - b.self_discharge_fraction_per_h * b.step_h[t]
        left = before(t) * kept - b.step_h[t] * b.discharge_kw[t] / b.discharge_efficiency
        return left >= kept * b.floor_kwh[t]


def _hold_reserves(b: Any, chosen: Options, before: Callable[[int], Any]) -> None:
    """Power in both directions, and energy behind it, class by class of duration."""
    b.classes = pyo.RangeSet(0, chosen.reserve_count - 1)
    for name in ("up_start_h", "up_end_h", "down_start_h", "down_end_h"):
        b.add_component(name, pyo.Param(b.classes, mutable=True, initialize=1.0))
    b.up_kw = pyo.Var(b.time, b.classes, domain=pyo.NonNegativeReals)
    b.down_kw = pyo.Var(b.time, b.classes, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time, doc="/ discharge power with reserve [kW]")
    def up_power(b: Any, t: int) -> Any:
        return b.discharge_kw[t] - b.charge_kw[t] + sum(b.up_kw[t, k] for k in b.classes) <= b.discharge_power_kw

    @b.Constraint(b.time, doc="/ charge power with reserve [kW]")
    def down_power(b: Any, t: int) -> Any:
        return b.charge_kw[t] - b.discharge_kw[t] + sum(b.down_kw[t, k] for k in b.classes) <= b.charge_power_kw

    if chosen.reserves_at_start:

        @b.Constraint(b.time, doc="stored energy behind reserve / [kWh]")
        def up_energy_at_start(b: Any, t: int) -> Any:
            return before(t) - sum(b.up_start_h[k] * b.up_kw[t, k] for k in b.classes) >= b.floor_kwh[t]

        @b.Constraint(b.time, doc="/ room for reserve above the stored energy [kWh]")
        def down_energy_at_start(b: Any, t: int) -> Any:
            return before(t) + sum(b.down_start_h[k] * b.down_kw[t, k] for k in b.classes) <= b.ceiling_kwh[t]

    if chosen.reserves_at_end:

        @b.Constraint(b.time, doc="stored energy behind reserve / [kWh]")
        def up_energy_at_end(b: Any, t: int) -> Any:
            return b.stored_kwh[t] - sum(b.up_end_h[k] * b.up_kw[t, k] for k in b.classes) >= b.floor_kwh[t]

        @b.Constraint(b.time, doc="/ room for reserve above the stored energy [kWh]")
        def down_energy_at_end(b: Any, t: int) -> Any:
            return b.stored_kwh[t] + sum(b.down_end_h[k] * b.down_kw[t, k] for k in b.classes) <= b.ceiling_kwh[t]
