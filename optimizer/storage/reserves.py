"""Which reserve does a machine hold? As far as its range goes, while it runs, with the energy behind it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.problem import Parameters, Reserve
from optimizer.storage.machines import TwoMachines


def reserve_parameters(store: TwoMachines, reserves: Sequence[Reserve]) -> Parameters:
    """Energy inside the store behind each kW of reserve, by class, when a step begins and when it ends."""
    up_h = [r.energy_up_h / (store.discharger.efficiency if r.includes_losses else 1) for r in reserves]
    down_h = [r.energy_down_h * (store.charger.efficiency if r.includes_losses else 1) for r in reserves]
    at_start = np.array([r.at_start for r in reserves], dtype=float)
    at_end = np.array([r.at_end for r in reserves], dtype=float)
    return {
        "up_start_h": at_start * up_h,
        "up_end_h": at_end * up_h,
        "down_start_h": at_start * down_h,
        "down_end_h": at_end * down_h,
    }


def hold_reserves(b: Any, chosen: Any, before: Callable[[int], Any], chargers: Any) -> None:
    """Power in both directions within the range of the machine that runs, and energy behind it, class by class.

    A machine at rest holds nothing: it would have to start first. So do units that can only run at their rating.

    Args:
        b: The store's block.
        chosen: Its options.
        before: Stored energy as a step begins.
        chargers: How many units charge, in each step.

    """
    b.classes = pyo.RangeSet(0, chosen.reserve_count - 1)
    for name in ("up_start_h", "up_end_h", "down_start_h", "down_end_h"):
        b.add_component(name, pyo.Param(b.classes, mutable=True, initialize=1.0))
    b.up_kw = pyo.Var(b.time, b.classes, domain=pyo.NonNegativeReals)
    b.down_kw = pyo.Var(b.time, b.classes, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time, doc="/ power with reserve [kW]")
    def up_power(b: Any, t: int) -> Any:
        more_kw = (1 - b.discharge_load_per_kw) * (b.discharge_power_kw * b.is_discharging[t] - b.discharge_kw[t])
        less_kw = (1 + b.charge_load_per_kw) * (b.charge_kw[t] - b.min_charge_power_kw * chargers[t])
        return sum(b.up_kw[t, k] for k in b.classes) - more_kw - less_kw <= 0

    @b.Constraint(b.time, doc="/ power with reserve [kW]")
    def down_power(b: Any, t: int) -> Any:
        more_kw = (1 + b.charge_load_per_kw) * (b.charge_unit_kw * chargers[t] - b.charge_kw[t])
        less_kw = (1 - b.discharge_load_per_kw) * (b.discharge_kw[t] - b.min_discharge_power_kw * b.is_discharging[t])
        return sum(b.down_kw[t, k] for k in b.classes) - more_kw - less_kw <= 0

    if chosen.reserves_at_start:
        _energy_behind(b, "start", before)
    if chosen.reserves_at_end:
        _energy_behind(b, "end", lambda t: b.stored_kwh[t])


def _energy_behind(b: Any, when: str, stored: Callable[[int], Any]) -> None:
    up_h, down_h = b.component(f"up_{when}_h"), b.component(f"down_{when}_h")

    def up_energy(b: Any, t: int) -> Any:
        return stored(t) - sum(up_h[k] * b.up_kw[t, k] for k in b.classes) >= b.floor_kwh[t]

    def down_energy(b: Any, t: int) -> Any:
        return stored(t) + sum(down_h[k] * b.down_kw[t, k] for k in b.classes) <= b.ceiling_kwh[t]

    up = pyo.Constraint(b.time, rule=up_energy, doc="stored energy behind reserve / [kWh]")
    down = pyo.Constraint(b.time, rule=down_energy, doc="/ room for reserve above the stored energy [kWh]")
    b.add_component(f"up_energy_at_{when}", up)
    b.add_component(f"down_energy_at_{when}", down)
