"""Fast storage: its mathematics over the horizon."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.assets.fast_storage.schema import FastStorage
from optimizer.blocks import scalars
from optimizer.ports import TIE_BREAK_PER_MWH
from optimizer.problem import Inputs, Parameters

IDLE: Parameters = {"charge_power_kw": 0.0, "discharge_power_kw": 0.0}


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    reserve_count: int


def options(asset: FastStorage, inputs: Inputs, *, is_exclusive: bool) -> Options:  # noqa: ARG001 - one signature for all
    """Choose the block."""
    return Options(len(inputs.reserves))


def exclusion(asset: FastStorage) -> None:
    """It is never planned to charge or discharge."""


def parameters(asset: FastStorage, inputs: Inputs) -> Parameters:
    """Numbers of one store: its ratings, the energy on either side of rest, and the hours that reserves must last.

    The energy is the same when a step begins and when it ends, so it does not matter at which of them it must be there.
    """
    below_kwh = asset.rest_soc_fraction * asset.energy_capacity_kwh
    numbers: Parameters = {
        "charge_power_kw": asset.charge_power_kw,
        "discharge_power_kw": asset.discharge_power_kw,
        "standing_load_kw": asset.standing_load_kw,
        "below_rest_kwh": below_kwh,
        "above_rest_kwh": asset.energy_capacity_kwh - below_kwh,
    }
    if inputs.reserves:
        taken = [1 / asset.discharge_efficiency if r.includes_losses else 1.0 for r in inputs.reserves]
        kept = [asset.charge_efficiency if r.includes_losses else 1.0 for r in inputs.reserves]
        counts = np.array([r.at_start or r.at_end for r in inputs.reserves], dtype=float)
        numbers["up_h"] = counts * np.multiply(taken, [r.energy_up_h for r in inputs.reserves])
        numbers["down_h"] = counts * np.multiply(kept, [r.energy_down_h for r in inputs.reserves])
    return numbers


def build(b: Any, chosen: Options) -> None:
    """export[t] = −standing load; Σ up ≤ P_d, Σ h·up ≤ E_below; Σ down ≤ P_c, Σ h·down ≤ E_above."""
    scalars(b, "charge_power_kw", "discharge_power_kw", "standing_load_kw", "below_rest_kwh", "above_rest_kwh")
    b.export_kw = pyo.Expression(b.time, rule=lambda b, t: -b.standing_load_kw)  # noqa: ARG005 - Pyomo passes both
    if not chosen.reserve_count:
        return
    b.classes = pyo.RangeSet(0, chosen.reserve_count - 1)
    for name in ("up_h", "down_h"):
        b.add_component(name, pyo.Param(b.classes, mutable=True, initialize=1.0))
    b.up_kw = pyo.Var(b.time, b.classes, domain=pyo.NonNegativeReals)
    b.down_kw = pyo.Var(b.time, b.classes, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time, doc="/ discharge power with reserve [kW]")
    def up_power(b: Any, t: int) -> Any:
        return sum(b.up_kw[t, k] for k in b.classes) <= b.discharge_power_kw

    @b.Constraint(b.time, doc="/ charge power with reserve [kW]")
    def down_power(b: Any, t: int) -> Any:
        return sum(b.down_kw[t, k] for k in b.classes) <= b.charge_power_kw

    @b.Constraint(b.time, doc="/ energy at rest behind reserve [kWh]")
    def up_energy(b: Any, t: int) -> Any:
        return sum(b.up_h[k] * b.up_kw[t, k] for k in b.classes) <= b.below_rest_kwh

    @b.Constraint(b.time, doc="/ room above rest behind reserve [kWh]")
    def down_energy(b: Any, t: int) -> Any:
        return sum(b.down_h[k] * b.down_kw[t, k] for k in b.classes) <= b.above_rest_kwh

    @b.Expression(b.time)
    def preference(b: Any, t: int) -> Any:
        """It holds no more than is asked for, and rather than a battery, whose preference is twice as strong."""
        held = sum(b.up_kw[t, k] + b.down_kw[t, k] for k in b.classes)
        return -TIE_BREAK_PER_MWH / 2 * b.step_h[t] * held
