"""linopy: batteries with a coupled reserve, written over two dimensions and handed to HiGHS without a file between."""

from typing import Any

import linopy
import numpy as np
import xarray as xr

from benchmarks.peers.service import Prepared, serve

RESERVE_H = 0.5
"""Hours for which the energy behind the reserve must last; as in `benchmarks/fleet.py`."""


def written(fleet: Any) -> linopy.Model:
    """The whole fleet, with its reserve, in one model; cost in thousandths of the currency."""
    m, h = linopy.Model(), fleet.step_h
    n, t = np.arange(fleet.count), np.arange(fleet.steps)
    coordinates = {"n": n, "t": t}

    def by_battery(values: Any) -> xr.DataArray:
        return xr.DataArray(values, coords={"n": n})

    power, capacity, wear = (by_battery(a) for a in (fleet.power_kw, fleet.capacity_kwh, fleet.wear_per_mwh))
    price = xr.DataArray(fleet.price_per_mwh, coords={"t": t})
    is_first, is_last = xr.DataArray(t == 0, coords={"t": t}), xr.DataArray(t == t[-1], coords={"t": t})
    charge = m.add_variables(0, power, coords=coordinates, name="charge")
    discharge = m.add_variables(0, power, coords=coordinates, name="discharge")
    stored = m.add_variables(capacity * xr.where(is_last, 0.5, 0.1), 0.9 * capacity, coords=coordinates, name="stored")
    up = m.add_variables(0, coords=coordinates, name="up")
    down = m.add_variables(0, coords=coordinates, name="down")
    gained, lost = by_battery(h * fleet.charge_efficiency), by_battery(h / fleet.discharge_efficiency)
    m.add_constraints(
        stored - stored.shift(t=1) - gained * charge + lost * discharge == 0.5 * capacity * is_first, name="balance"
    )
    m.add_constraints(discharge - charge + up <= power, name="up_power")
    m.add_constraints(charge - discharge + down <= power, name="down_power")
    m.add_constraints(stored - RESERVE_H * up >= 0.1 * capacity, name="up_energy")
    m.add_constraints(stored + RESERVE_H * down <= 0.9 * capacity, name="down_energy")
    net = (discharge - charge).sum("n")
    m.add_constraints(net <= fleet.limit_kw, name="export")
    m.add_constraints(net >= -fleet.limit_kw, name="import")
    m.add_constraints(up.sum("n") >= fleet.hold_kw, name="hold_up")
    m.add_constraints(down.sum("n") >= fleet.hold_kw, name="hold_down")
    m.add_objective((h * price * charge + h * (wear - price) * discharge).sum())
    return m


def build(fleet: Any) -> Prepared:
    """Up to the moment when HiGHS could start."""
    return lambda: linopy.solvers.Highs.from_model(written(fleet), io_api="direct", set_names=False), lambda _: float(
        "nan"
    )


def solve(fleet: Any) -> Prepared:
    """To the optimum, to compare the models by."""

    def run() -> float:
        m = written(fleet)
        m.solve("highs", io_api="direct", output_flag=False, threads=1)
        return -float(m.objective.value) / 1000

    return run, float


if __name__ == "__main__":
    serve(("linopy", "xarray", "highspy", "pandas", "numpy"), {"build": build, "solve": solve})
