"""What limits a plan, and what would one more unit of each limit earn?"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from optimizer.assembly import Part
from optimizer.expression import Array
from optimizer.search import Found
from optimizer.template import Column, Row, is_timed
from vpp.domain.plan import BindingLimit, Values

NO_STEPS = np.empty(0, dtype=np.int64)
NO_WORTH_PER_MWH = 1e-3
"""Dual prices up to this size are ties, not limits."""
FORBIDDEN_KW = 1e-6
"""A bound of this size or less, left by an integer, forbids the direction."""


def binding_limits(found: Found) -> tuple[BindingLimit, ...]:
    """Every limit that binds with a price, the one whose widening by a hundredth earns most first."""
    limits = [limit for owner, part in found.assembly.parts.items() for limit in _limits_of(found, owner, part)]
    return tuple(sorted(limits, key=lambda limit: -limit.worth_per_unit * abs(limit.bound or 1.0)))


def stored_values(found: Found) -> dict[str, Values]:
    """What one more MWh in each store would earn at the end of each step, in the site's currency."""
    values: dict[str, Values] = {}
    for owner, part in found.assembly.parts.items():
        if ("energy_balance", ()) in part.stamp.template.rows:
            rows = found.assembly.program.rows(part.stamp, ("energy_balance", ()), part.block)
            values[owner] = tuple((-found.prices.row_dual[rows] + 0.0).tolist())
    return values


def _limits_of(found: Found, owner: str, part: Part) -> Iterator[BindingLimit]:
    program, template, stamp = found.assembly.program, part.stamp.template, part.stamp
    block, prices = slice(part.block, part.block + 1), found.prices
    columns = {
        n: prices.column_dual[program.columns(stamp, n, part.block)] for n, c in template.columns.items() if c.label
    }
    if any(map(_is_worth_telling, columns.values())):
        lower, upper = (bound[0] for bound in stamp.bounds(block))
        for name, price in columns.items():
            place = stamp.columns(name)
            yield from _sides(owner, template.columns[name], price, lower[place], upper[place])
    rows = {n: prices.row_dual[program.rows(stamp, n, part.block)] for n, r in template.rows.items() if r.label}
    if any(map(_is_worth_telling, rows.values())):
        lower, upper = (bound[0] for bound in stamp.row_bounds(block))
        for name, price in rows.items():
            row, place = template.rows[name], stamp.rows(name)
            bound, decides = _with_integers_in_place(found, owner, row, upper[place])
            forbidden = decides & (np.abs(bound) < FORBIDDEN_KW)
            yield from _sides(owner, row, np.where(forbidden, 0.0, price), lower[place], bound)


def _is_worth_telling(price: Array) -> bool:
    return bool(np.abs(price).max(initial=0.0) > NO_WORTH_PER_MWH)


def _with_integers_in_place(found: Found, owner: str, row: Row, upper: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The upper bounds of a row as its integers leave them, and the steps in which there is such an integer.

    In `power ≤ rating·units` the bound is that of the units that run, or nothing. Where it is nothing, the row's price
    is that of the decision and says nothing about the rating.
    """
    part = found.assembly.parts[owner]
    bound, decides = upper.copy(), np.zeros(upper.size, dtype=bool)
    for term in row.form.terms:
        column = part.stamp.template.columns.get(term.column)
        if column is not None and column.is_integer and term.piece.span is not None:
            first, after = term.piece.span.bounds(found.assembly.program.steps)
            decided = found.assembly.column(found.prices.value, owner, term.column[0])[first:after]
            block = slice(part.block, part.block + 1)
            bound[first:after] -= np.ravel(part.stamp.evaluate(term.piece.value, first, after, block)) * decided
            decides[first:after] = True
    return bound, decides


def _sides(owner: str, line: Row | Column, price: Array, lower: Array, upper: Array) -> Iterator[BindingLimit]:
    label = line.label
    assert label is not None
    if not _is_worth_telling(price):
        return
    for side, bound, worth in (("lower", lower, price), ("upper", upper, -price)):
        steps = np.flatnonzero(worth > NO_WORTH_PER_MWH) if label.side(side) else NO_STEPS
        if steps.size:
            at = bound[steps]
            yield BindingLimit(
                owner=owner,
                limit=label.side(side),
                bound=float(abs(at[0])) if np.ptp(at) <= 1e-9 * abs(at[0]) else None,
                unit=label.unit,
                steps=tuple(steps.tolist()) if is_timed(line) else (),
                worth_per_unit=float(worth[steps].sum()) / 1000,
                worths_per_unit=tuple((worth[steps] / 1000).tolist()) if is_timed(line) else (),
            )
