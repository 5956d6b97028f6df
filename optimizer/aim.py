"""A model whose objective is not money: a level of promises, or by how much a limit would have to be wider."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.assembly import PROMISES, Assembly, Part, assemble
from optimizer.labels import Label
from optimizer.priorities import Giving, Level, Wider
from optimizer.problem import Array, Future, Problem
from optimizer.program import Arrays

Side = Literal["lower", "upper"]
SIDES: tuple[Side, Side] = ("lower", "upper")
Places = NDArray[np.int64]

PER_UNIT = 10.0
"""What a kWh of a promise, or a unit of excess, counts, in thousandths of the currency."""
TIE_BREAK_PER_KWH = 1e-5
"""What a kWh that moves at a meter or a store counts beside it. Without it one direction would be as good as both at
once, and every step that happens to go both ways would become a decision."""


def with_aim(arrays: Arrays, assembly: Assembly, problem: Problem) -> Arrays:
    """The model with another objective; the model itself where the money decides."""
    if problem.giving is None or problem.giving.aim is None:
        return arrays
    if isinstance(problem.giving.aim, Wider):
        return _with_excess(arrays, assembly, problem, problem.giving.aim)
    cost = _tie_break(arrays, assembly, problem)
    for future in problem.futures:
        cost[_last(assembly, future, problem.giving.aim)] = PER_UNIT * future.weight
    return replace(arrays, cost=cost, offset=0.0)


def _tie_break(arrays: Arrays, assembly: Assembly, problem: Problem) -> Array:
    """A cost far below the aim for everything that has two directions; shape (columns,)."""
    cost = np.zeros_like(arrays.cost)
    for part in assembly.parts.values():
        if part.exclusion is not None:
            for name in part.exclusion.columns:
                place = assembly.program.columns(part.stamp, (name, ()), part.block)
                cost[place] = TIE_BREAK_PER_KWH * problem.step_h
    return cost


def promised(problem: Problem) -> tuple[Level, ...]:
    """The levels of which a site has a promise that could give way."""
    parts = assemble(replace(problem, giving=Giving()), {}).parts.values()
    return tuple(x for x in Level if any(("given_up_kwh", (int(x),)) in part.stamp.template.ports for part in parts))


def given_up_kwh(assembly: Assembly, future: Future, value: Array, level: Level) -> float:
    """What an answer gives up of a level in one scenario."""
    return float(value[_last(assembly, future, level)])


def _last(assembly: Assembly, future: Future, level: Level) -> int:
    """The column of what is given up over the whole horizon."""
    part = assembly.of(future).parts[PROMISES]
    return int(assembly.program.columns(part.stamp, ("total_kwh", (int(level),)), part.block).stop) - 1


def _with_excess(arrays: Arrays, assembly: Assembly, problem: Problem, wider: Wider) -> Arrays:
    """One more column, the excess, and one more row for each place of the limit: lower − excess ≤ x ≤ upper + excess.

    The limits themselves are left out: a row's bound, or a column's.
    """
    excess = arrays.cost.size
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    row_lower, row_upper = arrays.row_lower.copy(), arrays.row_upper.copy()
    added: list[tuple[list[int], list[float], float, float]] = []
    for future in problem.futures:
        part = assembly.of(future).parts[wider.owner]
        for side, places in _places(assembly, part, wider.limit, rows=False):
            bounds, sign = (lower, 1.0) if side == "lower" else (upper, -1.0)
            added += [([place, excess], [1.0, sign], *_one_sided(side, bounds[place])) for place in places]
            bounds[places] = -sign * np.inf
        for side, places in _places(assembly, part, wider.limit, rows=True):
            bounds, sign = (row_lower, 1.0) if side == "lower" else (row_upper, -1.0)
            for place in places:
                entries = slice(arrays.start[place], arrays.start[place + 1])
                columns, values = arrays.column[entries].tolist(), arrays.value[entries].tolist()
                added.append(([*columns, excess], [*values, sign], *_one_sided(side, bounds[place])))
            bounds[places] = -sign * np.inf
    return replace(
        arrays,
        cost=np.append(_tie_break(arrays, assembly, problem), PER_UNIT),
        offset=0.0,
        lower=np.append(lower, 0.0),
        upper=np.append(upper, np.inf),
        is_integer=np.append(arrays.is_integer, False),
        row_lower=np.append(row_lower, [bound for *_, bound, _ in added]),
        row_upper=np.append(row_upper, [bound for *_, bound in added]),
        start=np.append(arrays.start, arrays.start[-1] + np.cumsum([len(c) for c, *_ in added])).astype(np.int32),
        column=np.append(arrays.column, np.concatenate([c for c, *_ in added])).astype(np.int32),
        value=np.append(arrays.value, np.concatenate([v for _, v, *_ in added])),
    )


def bound_of(assembly: Assembly, owner: str, limit: str) -> tuple[Side, Array]:
    """On which side a limit stands, and its values.

    Raises:
        KeyError: the owner has no limit of this name.

    """
    part = assembly.parts[owner]
    stamp, block = part.stamp, slice(part.block, part.block + 1)
    rows, columns = stamp.template.rows, stamp.template.columns
    for lines, place, bounds in ((rows, stamp.rows, stamp.row_bounds), (columns, stamp.columns, stamp.bounds)):
        for name, line in lines.items():
            for side in SIDES:
                if line.label is not None and line.label.side(side) == limit:
                    lower, upper = bounds(block)
                    return side, (lower if side == "lower" else upper)[0, place(name)]
    raise KeyError(limit)


def _one_sided(side: Side, bound: float) -> tuple[float, float]:
    return (bound, np.inf) if side == "lower" else (-np.inf, bound)


def _places(assembly: Assembly, part: Part, limit: str, *, rows: bool) -> Iterator[tuple[Side, Places]]:
    """Rows or columns of a block that are a limit of this name, on one side."""
    template, program = part.stamp.template, assembly.program
    labels: dict[tuple[str, tuple[object, ...]], Label | None] = {
        name: line.label for name, line in (template.rows if rows else template.columns).items()
    }
    for name, label in labels.items():
        for side in SIDES:
            if label is not None and label.side(side) == limit:
                found = (program.rows if rows else program.columns)(part.stamp, name, part.block)
                yield side, np.arange(found.start, found.stop)
