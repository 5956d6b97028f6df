"""The peer nearest to the machine: the fleet's linear program written into numpy arrays by hand and given to HiGHS.

It shares nothing with the optimiser. Columns of battery n: charge, discharge, stored energy, then upward and downward
reserve where one is held, each over all steps. Rows of battery n: energy balance, then the two power limits and the two
energy limits of the reserve. Rows of the fleet: meter, upward reserve, downward reserve.
"""

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet import RESERVE_H, Array, Fleet

Index = NDArray[np.int32]


@dataclass(frozen=True)
class Ready:
    """A linear program as HiGHS takes it, row-wise; costs in thousandths of the currency."""

    cost: Array
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    start: Index
    column: Index
    value: Array


class SilentHighs(highspy.Highs):
    """HiGHS without the banner that its constructor's first call would print."""

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's name
        self.setOptionValue("output_flag", False)  # noqa: FBT003 - HiGHS's signature
        super().enableCallbacks()


def filled(fleet: Fleet) -> Ready:
    """Fill the arrays of a fleet."""
    n, t = fleet.count, fleet.steps
    column, value, entries_of_row = _batteries(fleet)
    families = 5 if fleet.hold_kw else 3
    first = (np.arange(n) * families * t)[np.newaxis, :] + np.arange(t)[:, np.newaxis]
    meter = np.stack([first, first + t], axis=-1).reshape(t, 2 * n)
    fleet_columns, fleet_values = [meter.ravel()], [np.tile([-1.0, 1.0], n * t)]
    fleet_entries = [np.full(t, 2 * n)]
    if fleet.hold_kw:
        fleet_columns += [(first + 3 * t).ravel(), (first + 4 * t).ravel()]
        fleet_values += [np.ones(2 * n * t)]
        fleet_entries += [np.full(2 * t, n)]
    counts = np.concatenate([np.tile(entries_of_row, n), *fleet_entries])
    start = np.zeros(counts.size + 1, dtype=np.int32)
    np.cumsum(counts, out=start[1:])
    return Ready(
        *_column_numbers(fleet),
        *_row_bounds(fleet),
        start,
        np.concatenate([column.ravel(), *fleet_columns]).astype(np.int32),
        np.concatenate([value.ravel(), *fleet_values]),
    )


def _column_numbers(fleet: Fleet) -> tuple[Array, Array, Array]:
    n, t, h = fleet.count, fleet.steps, fleet.step_h
    families = 5 if fleet.hold_kw else 3
    cost, lower, upper = np.zeros((n, families, t)), np.zeros((n, families, t)), np.full((n, families, t), np.inf)
    cost[:, 0] = h * fleet.price_per_mwh
    cost[:, 1] = h * (fleet.wear_per_mwh[:, np.newaxis] - fleet.price_per_mwh)
    upper[:, 0:2] = fleet.power_kw[:, np.newaxis, np.newaxis]
    lower[:, 2] = 0.1 * fleet.capacity_kwh[:, np.newaxis]
    upper[:, 2] = 0.9 * fleet.capacity_kwh[:, np.newaxis]
    lower[:, 2, -1] = 0.5 * fleet.capacity_kwh
    return cost.ravel(), lower.ravel(), upper.ravel()


def _row_bounds(fleet: Fleet) -> tuple[Array, Array]:
    n, t = fleet.count, fleet.steps
    families = 5 if fleet.hold_kw else 1
    lower, upper = np.zeros((n, families, t)), np.zeros((n, families, t))
    lower[:, 0, 0] = upper[:, 0, 0] = 0.5 * fleet.capacity_kwh
    meter_kw = np.full(t, fleet.limit_kw)
    if not fleet.hold_kw:
        return np.concatenate([lower.ravel(), -meter_kw]), np.concatenate([upper.ravel(), meter_kw])
    lower[:, 1:5], upper[:, 1:5] = -np.inf, np.inf
    upper[:, 1] = upper[:, 2] = fleet.power_kw[:, np.newaxis]
    lower[:, 3] = 0.1 * fleet.capacity_kwh[:, np.newaxis]
    upper[:, 4] = 0.9 * fleet.capacity_kwh[:, np.newaxis]
    held_kw = np.full(2 * t, fleet.hold_kw)
    return (
        np.concatenate([lower.ravel(), -meter_kw, held_kw]),
        np.concatenate([upper.ravel(), meter_kw, np.full(2 * t, np.inf)]),
    )


def _batteries(fleet: Fleet) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
    """Columns and values of all batteries' rows, shape (N, entries), and entries by row of one battery."""
    n, t, h = fleet.count, fleet.steps, fleet.step_h
    step = np.arange(t)
    charge, discharge, stored, up, down = (step + family * t for family in range(5))
    balance = np.stack([charge, discharge, stored - 1, stored], axis=-1).ravel()
    balance_value = np.empty((n, t, 4))
    balance_value[:, :, 0] = -h * fleet.charge_efficiency[:, np.newaxis]
    balance_value[:, :, 1] = h / fleet.discharge_efficiency[:, np.newaxis]
    balance_value[:, :, 2] = -1.0
    balance_value[:, :, 3] = 1.0
    has_before = np.ones(4 * t, dtype=bool)
    has_before[2] = False
    columns, values = [balance[has_before]], [balance_value.reshape(n, 4 * t)[:, has_before]]
    entries = [np.full(t, 4)]
    entries[0][0] = 3
    if fleet.hold_kw:
        for places, numbers in (
            ((charge, discharge, up), (-1.0, 1.0, 1.0)),
            ((charge, discharge, down), (1.0, -1.0, 1.0)),
            ((stored, up), (1.0, -RESERVE_H)),
            ((stored, down), (1.0, RESERVE_H)),
        ):
            columns.append(np.stack(places, axis=-1).ravel())
            values.append(np.broadcast_to(np.tile(numbers, t), (n, len(numbers) * t)))
            entries.append(np.full(t, len(numbers)))
    families = 5 if fleet.hold_kw else 3
    own = np.concatenate(columns)
    first = (np.arange(n) * families * t)[:, np.newaxis]
    return own + first, np.concatenate(values, axis=1), np.concatenate(entries)


def exclusive(ready: Ready, fleet: Fleet) -> tuple[Ready, Index]:
    """The program of one battery with a binary per step that lets it charge or discharge, and what is binary."""
    t, power_kw = fleet.steps, float(fleet.power_kw[0])
    step, first = np.arange(t), ready.cost.size
    start = ready.start[-1] + 2 * np.arange(1, 2 * t + 1, dtype=np.int32)
    columns = np.stack([step, first + step, t + step, first + step], axis=-1).reshape(t, 2, 2).swapaxes(0, 1)
    values = np.broadcast_to(np.array([[[1.0, -power_kw]], [[1.0, power_kw]]]), (2, t, 2))
    with_binaries = Ready(
        np.concatenate([ready.cost, np.zeros(t)]),
        np.concatenate([ready.lower, np.zeros(t)]),
        np.concatenate([ready.upper, np.ones(t)]),
        np.concatenate([ready.row_lower, np.full(2 * t, -np.inf)]),
        np.concatenate([ready.row_upper, np.zeros(t), np.full(t, power_kw)]),
        np.concatenate([ready.start, start]),
        np.concatenate([ready.column, columns.ravel()]).astype(np.int32),
        np.concatenate([ready.value, values.ravel()]),
    )
    return with_binaries, np.repeat([0, 1], [first, t]).astype(np.int32)


def loaded(ready: Ready, is_integer: NDArray[np.int32] | None = None) -> SilentHighs:
    """The arrays in a solver of their own."""
    solver = SilentHighs()
    for option, choice in (("threads", 1), ("random_seed", 0), ("parallel", "off"), ("mip_rel_gap", 1e-7)):
        solver.setOptionValue(option, choice)
    solver.passModel(
        ready.cost.size, ready.row_lower.size, ready.value.size,
        int(highspy.MatrixFormat.kRowwise), int(highspy.ObjSense.kMinimize), 0.0,
        ready.cost, ready.lower, ready.upper, ready.row_lower, ready.row_upper, ready.start, ready.column, ready.value,
        np.zeros(ready.cost.size, dtype=np.int32) if is_integer is None else is_integer,
    )  # fmt: skip
    return solver


def solved(solver: SilentHighs) -> tuple[float, Array]:
    """Net earned in the currency, and the columns."""
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, solver.getModelStatus()
    return -solver.getInfo().objective_function_value / 1000, np.array(solver.getSolution().col_value)
