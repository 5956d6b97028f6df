"""How does a new number reach a model that is already loaded?

Each parameter of a template touches some columns' bounds, some rows' bounds, money, or the matrix. The first three are
written into the solver's vectors, after which it goes on from its last basis; only a changed matrix is loaded anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from optimizer.expression import Array, parameters_in
from optimizer.highs import Solver
from optimizer.program import Program
from optimizer.stamp import Layout, Placed, Stamp
from optimizer.template import parameter_names


@dataclass(frozen=True)
class Patch:
    """Neighbouring bounds, with every coefficient that makes them up."""

    target: slice
    lower: tuple[Placed, ...]
    upper: tuple[Placed, ...]
    constant: tuple[Placed, ...] = ()


@dataclass(frozen=True)
class Reach:
    """What a parameter touches."""

    columns: tuple[Patch, ...]
    rows: tuple[Patch, ...]
    reaches_money: bool
    """Costs of columns, in this stamp or through its ports."""
    reaches_other_rows: bool
    """Bounds of rows that take the constant of one of its ports."""
    reaches_matrix: bool


@lru_cache(maxsize=4096)
def reach_of(layout: Layout, name: str) -> Reach:
    """What a parameter touches in blocks of a layout."""
    template = layout.template
    ports, money = template.ports.values(), template.money.values()
    rows = [row.form for row in template.rows.values()]
    port_terms = parameter_names(term.piece for form in ports for term in form.terms)
    port_constants = parameter_names(piece for form in ports for piece in form.constant)
    of_money = parameter_names(p for form in money for p in (*form.constant, *(t.piece for t in form.terms)))
    return Reach(
        columns=_patches(name, (layout.lower, layout.upper, [])),
        rows=_patches(name, (layout.row_lower, layout.row_upper, layout.row_constant)),
        reaches_money=name in of_money | port_terms | port_constants,
        reaches_other_rows=name in port_constants,
        reaches_matrix=name in port_terms | parameter_names(term.piece for form in rows for term in form.terms),
    )


def _patches(name: str, bounds: tuple[list[Placed], list[Placed], list[Placed]]) -> tuple[Patch, ...]:
    targets = dict.fromkeys(
        (p.target.start, p.target.stop)
        for placed in bounds
        for p in placed
        if any(parameter.name == name for parameter in parameters_in(p.value))
    )
    return tuple(
        Patch(slice(*target), *(tuple(_within(placed, slice(*target))) for placed in bounds)) for target in targets
    )


def _within(placed: Iterable[Placed], target: slice) -> Iterable[Placed]:
    """The parts of coefficients that stand in `target`, with places counted from its start."""
    for p in placed:
        start, stop = max(p.target.start, target.start), min(p.target.stop, target.stop)
        if start < stop:
            first = p.first + start - p.target.start
            yield Placed(p.value, first, first + stop - start, slice(start - target.start, stop - target.start))


def update(program: Program, solver: Solver, stamp: Stamp, block: int, new: Mapping[str, float | Array]) -> set[str]:
    """Write new parameters of one block into the model.

    Returns:
        Which kinds of numbers changed: `bounds`, `cost`, `matrix`.

    """
    changed = [name for name, value in new.items() if _is_new(value, stamp.values[name][block])]
    for name in changed:
        stamp.values[name][block] = new[name]
    reached = [reach_of(stamp.layout, name) for name in changed]
    if any(reach.reaches_matrix or (reach.reaches_money and program.has_outcomes) for reach in reached):
        return {"matrix"}
    kinds = set()
    for reach in reached:
        kinds |= {"bounds"} if reach.columns or reach.rows or reach.reaches_other_rows else set()
        for patch in reach.columns:
            first = program.column_at[stamp] + block * stamp.layout.column_count
            solver.change_columns(*_bounds(stamp, block, patch, first))
        for patch in reach.rows:
            if not stamp.template.inlets:
                first = program.row_at[stamp] + block * stamp.layout.row_count
                solver.change_rows(*_bounds(stamp, block, patch, first))
    if any(reach.reaches_other_rows or (reach.rows and stamp.template.inlets) for reach in reached):
        lower, upper = program.row_bounds()
        solver.change_rows(np.arange(lower.size, dtype=np.int32), lower, upper)
    if any(reach.reaches_money for reach in reached):
        kinds.add("cost")
        solver.change_cost(*program.costs())
    return kinds


def _is_new(value: float | Array, old: float | Array) -> bool:
    return not np.array_equal(value, old) if isinstance(value, np.ndarray) else bool(value != old)


def _bounds(stamp: Stamp, block: int, patch: Patch, first: int) -> "tuple[np.ndarray, Array, Array]":
    size, own = patch.target.stop - patch.target.start, slice(block, block + 1)
    constant = stamp.fill(np.zeros((1, size)), patch.constant, own) if patch.constant else 0.0
    lower = stamp.fill(np.zeros((1, size)), patch.lower, own) - constant
    upper = stamp.fill(np.zeros((1, size)), patch.upper, own) - constant
    places = np.arange(first + patch.target.start, first + patch.target.stop, dtype=np.int32)
    return places, lower[0], upper[0]
