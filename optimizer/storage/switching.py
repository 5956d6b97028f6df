"""When does each machine of a store run, and how often does it start? The rows that make it a matter of on or off."""

from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo

from optimizer.blocks import scalars, series


def run_one_way(b: Any, *, has_units: bool) -> Any:
    """Each machine is off or within its range, and only one of the two runs.

    Args:
        b: The store's block.
        has_units: Whether several units charge.

    Returns:
        How many units charge, in each step.

    """
    b.is_charging = pyo.Var(b.time, domain=pyo.Binary)
    b.is_discharging = pyo.Var(b.time, domain=pyo.Binary)
    chargers = _units(b) if has_units else b.is_charging

    @b.Constraint(b.time, doc="/ charge power [kW]")
    def charge_only(b: Any, t: int) -> Any:
        return b.charge_kw[t] <= b.charge_unit_kw * chargers[t]

    @b.Constraint(b.time, doc="/ discharge power [kW]")
    def discharge_only(b: Any, t: int) -> Any:
        return b.discharge_kw[t] <= b.discharge_power_kw * b.is_discharging[t]

    @b.Constraint(b.time, doc="/ lowest charge power [kW]")
    def charge_at_least(b: Any, t: int) -> Any:
        return b.min_charge_power_kw * chargers[t] - b.charge_kw[t] <= 0

    @b.Constraint(b.time, doc="/ lowest discharge power [kW]")
    def discharge_at_least(b: Any, t: int) -> Any:
        return b.min_discharge_power_kw * b.is_discharging[t] - b.discharge_kw[t] <= 0

    @b.Constraint(b.time)
    def one_at_a_time(b: Any, t: int) -> Any:
        return b.is_charging[t] + b.is_discharging[t] <= 1

    return chargers


def _units(b: Any) -> Any:
    """At least one unit runs while the store charges, and none else."""
    scalars(b, "charger_count")
    b.charging_units = pyo.Var(b.time, domain=pyo.Integers, bounds=(0, b.charger_count))

    @b.Constraint(b.time)
    def charging_with_a_unit(b: Any, t: int) -> Any:
        return b.is_charging[t] <= b.charging_units[t]

    @b.Constraint(b.time)
    def units_while_charging(b: Any, t: int) -> Any:
        return b.charging_units[t] <= b.charger_count * b.is_charging[t]

    return b.charging_units


def count_starts(b: Any, chargers: Any) -> Callable[[int], Any]:
    """Count the starts of each unit; one that ran when the horizon began needs none.

    Args:
        b: The store's block.
        chargers: How many units charge, in each step.

    Returns:
        Cost of the starts in a step.

    """
    scalars(b, "chargers_before", "dischargers_before", "charge_cost_per_start", "discharge_cost_per_start")
    b.charge_starts = pyo.Var(b.time, domain=pyo.NonNegativeReals)
    b.discharge_starts = pyo.Var(b.time, bounds=(0, 1))

    @b.Constraint(b.time)
    def charge_starts_count(b: Any, t: int) -> Any:
        ran = b.chargers_before if t == b.time.first() else chargers[t - 1]
        return b.charge_starts[t] >= chargers[t] - ran

    @b.Constraint(b.time)
    def discharge_starts_count(b: Any, t: int) -> Any:
        ran = b.dischargers_before if t == b.time.first() else b.is_discharging[t - 1]
        return b.discharge_starts[t] >= b.is_discharging[t] - ran

    return lambda t: b.charge_cost_per_start * b.charge_starts[t] + b.discharge_cost_per_start * b.discharge_starts[t]


def rest_between(b: Any, idle_steps: int) -> None:
    """Rest between charging and discharging: a memory of what ran so many steps ago, and before the horizon."""
    series(b, "may_charge", "may_discharge")
    b.lags = pyo.RangeSet(1, idle_steps)
    b.charged_before = pyo.Var(b.time, b.lags, bounds=(0, 1))
    b.discharged_before = pyo.Var(b.time, b.lags, bounds=(0, 1))

    def ran(t: int, lag: int, now: Any, earlier: Any) -> Any:
        if t == b.time.first():
            return 0.0
        return now[t - 1] if lag == b.lags.first() else earlier[t - 1, lag - 1]

    @b.Constraint(b.time, b.lags)
    def charged_then(b: Any, t: int, lag: int) -> Any:
        return b.charged_before[t, lag] == ran(t, lag, b.is_charging, b.charged_before)

    @b.Constraint(b.time, b.lags)
    def discharged_then(b: Any, t: int, lag: int) -> Any:
        return b.discharged_before[t, lag] == ran(t, lag, b.is_discharging, b.discharged_before)

    @b.Constraint(b.time, b.lags)
    def rest_before_charging(b: Any, t: int, lag: int) -> Any:
        return b.is_charging[t] + b.discharged_before[t, lag] <= 1

    @b.Constraint(b.time, b.lags)
    def rest_before_discharging(b: Any, t: int, lag: int) -> Any:
        return b.is_discharging[t] + b.charged_before[t, lag] <= 1

    @b.Constraint(b.time)
    def rest_before_first_charging(b: Any, t: int) -> Any:
        return b.is_charging[t] <= b.may_charge[t]

    @b.Constraint(b.time)
    def rest_before_first_discharging(b: Any, t: int) -> Any:
        return b.is_discharging[t] <= b.may_discharge[t]
