"""Can stores that would go both ways at once be decided one by one?

They can if each is one state and one decision per step, and if every row they share with others is kept whatever anyone
does. Their numbers are read from the assembled model, so that their mathematics stays where it is written.
"""

import numpy as np
from numpy.typing import NDArray

from optimizer.assembly import Assembly
from optimizer.expression import Array
from optimizer.loading import Loaded
from optimizer.ports import MONEY
from optimizer.program import Arrays
from optimizer.single_store import Store, best_directions

STATE = ("stored_kwh", ())
BALANCE = ("energy_balance", ())
END = ("final_energy", ())


def decide_directions(loaded: Loaded, owners: list[str]) -> float | None:
    """Decide for each owner and step whether it charges or discharges, and hold the other way at zero.

    Returns:
        By how much at most another choice could be cheaper; nothing if the owners cannot be decided one by one, in
        which case the model is as it was.

    """
    assembly, arrays = loaded.assembly, loaded.arrays
    if not all(_is_simple_store(assembly, owner) for owner in owners) or not _shared_rows_are_slack(assembly, arrays):
        return None
    cost, _ = assembly.program.costs(MONEY)
    decided = {owner: best_directions(_store(assembly, arrays, cost, owner)) for owner in owners}
    error = 0.0
    for owner in owners:
        directions = decided[owner]
        if directions is None:
            return None
        charge, discharge = _columns(assembly, owner)
        _hold_at_zero(loaded, charge[directions.way < 0])
        _hold_at_zero(loaded, discharge[directions.way >= 0])
        error += directions.error
    return error


def hold_directions(loaded: Loaded, value: Array) -> None:
    """Keep every owner of two directions to the one that an answer takes, step by step."""
    for owner, part in loaded.assembly.parts.items():
        if part.exclusion is not None and part.exclusion.is_enforced:
            first, second = _columns(loaded.assembly, owner)
            takes_first = value[first] >= value[second]
            _hold_at_zero(loaded, first[~takes_first])
            _hold_at_zero(loaded, second[takes_first])


def _is_simple_store(assembly: Assembly, owner: str) -> bool:
    part = assembly.parts[owner]
    if part.exclusion is None:
        return False
    moves = {(name, ()) for name in part.exclusion.columns}
    template = part.stamp.template
    return set(template.columns) == moves | {STATE} and set(template.rows) == {BALANCE, END}


def _shared_rows_are_slack(assembly: Assembly, arrays: Arrays) -> bool:
    """Whether no row that sums ports can be violated within the bounds of the columns."""
    for stamp in assembly.program.stamps:
        if stamp.template.inlets and stamp.layout.row_count:
            rows = slice(assembly.program.row_at[stamp], assembly.program.row_at[stamp] + stamp.layout.row_count)
            entries = slice(arrays.start[rows.start], arrays.start[rows.stop])
            column, value = arrays.column[entries], arrays.value[entries]
            at_lower, at_upper = value * arrays.lower[column], value * arrays.upper[column]
            row = np.repeat(np.arange(stamp.layout.row_count), np.diff(arrays.start[rows.start : rows.stop + 1]))
            least = np.bincount(row, np.minimum(at_lower, at_upper), stamp.layout.row_count)
            most = np.bincount(row, np.maximum(at_lower, at_upper), stamp.layout.row_count)
            if (least < arrays.row_lower[rows]).any() or (most > arrays.row_upper[rows]).any():
                return False
    return True


def _store(assembly: Assembly, arrays: Arrays, cost: Array, owner: str) -> Store:
    program, part = assembly.program, assembly.parts[owner]
    charge, discharge = _columns(assembly, owner)
    stored = _places(program.columns(part.stamp, STATE, part.block))
    balance = _places(program.rows(part.stamp, BALANCE, part.block))
    (end,) = _places(program.rows(part.stamp, END, part.block))
    scale = _entries(arrays, balance, stored)
    keep = np.ones(stored.size)
    keep[1:] = -_entries(arrays, balance[1:], stored[:-1]) / scale[1:]
    lowest, highest = arrays.lower[stored].copy(), arrays.upper[stored].copy()
    lowest[-1], highest[-1] = max(lowest[-1], arrays.row_lower[end]), min(highest[-1], arrays.row_upper[end])
    return Store(
        carried_kwh=float(arrays.row_lower[balance[0]] / scale[0]),
        keep=keep,
        stored_per_charge=-_entries(arrays, balance, charge) / scale,
        taken_per_discharge=_entries(arrays, balance, discharge) / scale,
        charge_limit=arrays.upper[charge],
        discharge_limit=arrays.upper[discharge],
        charge_cost=cost[charge],
        discharge_cost=cost[discharge],
        lowest=lowest,
        highest=highest,
    )


def _columns(assembly: Assembly, owner: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    part = assembly.parts[owner]
    assert part.exclusion is not None, "only an owner with two directions is decided"
    first, second = (assembly.program.columns(part.stamp, (n, ()), part.block) for n in part.exclusion.columns)
    return _places(first), _places(second)


def _places(span: slice) -> NDArray[np.int64]:
    return np.arange(span.start, span.stop)


def _entries(arrays: Arrays, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Array:
    """The matrix at pairs of a row and a column, which all have an entry."""
    first = arrays.start[rows[0]] if rows.size else 0
    after = arrays.start[rows[-1] + 1] if rows.size else 0
    row = np.repeat(rows, np.diff(arrays.start[rows[0] : rows[-1] + 2])) if rows.size else rows
    width = arrays.cost.size
    key = row * width + arrays.column[first:after]
    order = np.argsort(key)
    found: Array = arrays.value[first:after][order[np.searchsorted(key, rows * width + columns, sorter=order)]]
    return found


def _hold_at_zero(loaded: Loaded, columns: NDArray[np.int64]) -> None:
    loaded.solver.change_columns(columns.astype(np.int32), loaded.arrays.lower[columns], np.zeros(columns.size))
