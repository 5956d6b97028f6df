"""EMHASS: its day-ahead optimisation, called with the settings that it ships and those of a fleet of batteries."""

import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import emhass
import pandas as pd
from emhass import optimization as emhass_optimization
from emhass.optimization import Optimization

from benchmarks.peers.service import Prepared, Task, serve

SHIPPED = json.loads((Path(emhass.__file__).parent / "data" / "config_defaults.json").read_text(encoding="utf-8"))
EXACT = 1e-9
"""Relative gap at which its plan is the optimum; with 0 it leaves the gap to HiGHS, whose default is 1e-4."""
PACKAGES = ("emhass", "cvxpy", "highspy", "pandas", "numpy")
LOGGER = logging.getLogger("emhass")


def plan(fleet: Any, optimization_of: Callable[[Any], Optimization]) -> Prepared:
    """Arbitrage of all batteries behind one meter."""
    index = pd.date_range("2026-01-01", periods=fleet.steps, freq=pd.Timedelta(hours=fleet.step_h), tz="UTC")
    prices = pd.DataFrame({"cost": fleet.price_per_mwh / 1000, "sale": fleet.price_per_mwh / 1000}, index=index)
    nothing = pd.Series(0.0, index=index)

    def run() -> pd.DataFrame:
        optimization = optimization_of(fleet)
        return optimization.perform_dayahead_forecast_optim(prices, nothing, nothing, soc_init=0.5, soc_final=0.5)

    def net(schedule: pd.DataFrame) -> float:
        assert (schedule["optim_status"] == "Optimal").all(), schedule["optim_status"].unique()
        return float((schedule["P_batt"].to_numpy() / 1e6 * fleet.price_per_mwh).sum() * fleet.step_h)

    return run, net


def without_tie_break(fleet: Any) -> Prepared:
    """For money alone; its tie-break between batteries is worth up to 1e-6 of what they earn."""
    emhass_optimization.BATTERY_TIEBREAK_EPS = 0.0
    return plan(fleet, _KEPT)


def anew(fleet: Any) -> Optimization:
    """An optimisation of its own for each day."""
    return _optimization(fleet, EXACT)


def kept(gap_fraction: float) -> Callable[[Any], Optimization]:
    """The optimisation of the first day, kept for the others as its server keeps it: only parameters change."""
    optimizations: dict[int, Optimization] = {}

    def optimization_of(fleet: Any) -> Optimization:
        if fleet.count not in optimizations:
            optimizations[fleet.count] = _optimization(fleet, gap_fraction)
        return optimizations[fleet.count]

    return optimization_of


def _optimization(fleet: Any, gap_fraction: float) -> Optimization:
    settings = _settings(fleet) | {"lp_solver_mip_rel_gap": gap_fraction}
    return Optimization(settings, settings, settings, "cost", "sale", "profit", {}, LOGGER)


def _settings(fleet: Any) -> dict[str, Any]:
    """Powers in W, energies in Wh.

    Its limit of discharging holds behind the efficiency, at the cells. That of charging holds at the meter as well,
    where it is the narrower one.
    """
    batteries = {
        "battery_charge_power_max": 1000 * fleet.power_kw,
        "battery_discharge_power_max": 1000 * fleet.power_kw / fleet.discharge_efficiency,
        "battery_charge_efficiency": fleet.charge_efficiency,
        "battery_discharge_efficiency": fleet.discharge_efficiency,
        "battery_nominal_energy_capacity": 1000 * fleet.capacity_kwh,
    }
    return SHIPPED | {name: values.tolist() for name, values in batteries.items()} | {
        "optimization_time_step": pd.Timedelta(hours=fleet.step_h),
        "time_zone": "UTC",
        "set_use_battery": True,
        "set_nodischarge_to_grid": False,
        "number_of_batteries": fleet.count,
        "number_of_deferrable_loads": 0,
        "battery_minimum_state_of_charge": 0.1,
        "battery_maximum_state_of_charge": 0.9,
        "maximum_power_from_grid": 1000 * fleet.limit_kw,
        "maximum_power_to_grid": 1000 * fleet.limit_kw,
        "lp_solver_timeout": 600,
    }  # fmt: skip


_KEPT = kept(EXACT)


if __name__ == "__main__":
    LOGGER.setLevel(logging.WARNING)
    TASKS: dict[str, Task] = {
        "anew": partial(plan, optimization_of=anew),
        "kept": partial(plan, optimization_of=_KEPT),
        "without_tie_break": without_tie_break,
        "as_shipped": partial(plan, optimization_of=kept(SHIPPED["lp_solver_mip_rel_gap"])),
    }
    serve(PACKAGES, TASKS)
