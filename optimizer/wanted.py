"""An asset that is to have a given power in one step: one more row below the model, `port = wanted`.

Where the nearest possible power will do, the row is `port + missing − excess = wanted`, and both cost more than any
money.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from optimizer.assembly import Assembly, Part
from optimizer.problem import Problem, Wanted
from optimizer.program import Arrays
from optimizer.template import Piece

POWER = ("export_kw", ())
COST_OF_MISSING = 1e7
"""Per kW, in thousandths of the currency; more than a kW of any market earns in a step."""


def with_wanted(arrays: Arrays, assembly: Assembly, problem: Problem) -> Arrays:
    """The model with the wanted power as one more row, for each scenario; the model itself where nothing is wanted."""
    if problem.wanted is None:
        return arrays
    for future in problem.futures:
        part = assembly.of(future).parts[problem.wanted.asset_id]
        entries = dict(_entries(assembly, part, problem.wanted.step))
        constant = _constant(assembly, part, problem.wanted.step)
        arrays = _with_row(arrays, entries, problem.wanted, problem.wanted.export_kw - constant)
    return arrays


def _with_row(arrays: Arrays, entries: dict[int, float], wanted: Wanted, bound_kw: float) -> Arrays:
    if wanted.is_nearest_enough:
        width = arrays.cost.size
        entries = entries | {width: 1.0, width + 1: -1.0}
        arrays = replace(
            arrays,
            cost=np.append(arrays.cost, [COST_OF_MISSING] * 2),
            lower=np.append(arrays.lower, [0.0] * 2),
            upper=np.append(arrays.upper, [np.inf] * 2),
            is_integer=np.append(arrays.is_integer, [False] * 2),
        )
    return replace(
        arrays,
        row_lower=np.append(arrays.row_lower, bound_kw),
        row_upper=np.append(arrays.row_upper, bound_kw),
        start=np.append(arrays.start, np.int32(arrays.start[-1] + len(entries))),
        column=np.append(arrays.column, np.array(list(entries), dtype=np.int32)),
        value=np.append(arrays.value, np.array(list(entries.values()), dtype=np.float64)),
    )


def _entries(assembly: Assembly, part: Part, step: int) -> Iterator[tuple[int, float]]:
    """Columns of an asset's power in a step, and their coefficients."""
    for term in part.stamp.template.ports[POWER].terms:
        if _holds(assembly, term.piece, step):
            first = assembly.program.columns(part.stamp, term.column, part.block).start
            place = first if term.offset is None else first + step + term.offset
            yield place, _at(part, term.piece, step)


def _constant(assembly: Assembly, part: Part, step: int) -> float:
    pieces = part.stamp.template.ports[POWER].constant
    return sum(_at(part, piece, step) for piece in pieces if _holds(assembly, piece, step))


def _holds(assembly: Assembly, piece: Piece, step: int) -> bool:
    first, after = (0, assembly.program.steps) if piece.span is None else piece.span.bounds(assembly.program.steps)
    return first <= step < after


def _at(part: Part, piece: Piece, step: int) -> float:
    value = part.stamp.evaluate(piece.value, step, step + 1, slice(part.block, part.block + 1))
    return float(np.ravel(value)[0])
