"""Why does an asset do what it does? What a MWh is worth to it, from the prices of the last clean solve.

At the optimum, for each column x of an asset that gives power to the bus (p = 1) or takes it (p = −1) in step t,

    p·Δ·π  =  own cost + Σ laws a·y + Σ limits a·y + d,

where π is what a MWh is worth at the asset's terminals (the price, and what limits and charges of the site add), y the
dual prices of the asset's own rows and d that of the column's bounds. Without the limits and without d this says at
which π the flow just breaks even.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.assembly import Assembly, Part
from optimizer.expression import Array
from optimizer.ports import MONEY, PREFERENCE, PROSPECT
from optimizer.problem import Problem
from optimizer.program import Arrays
from optimizer.search import Found
from optimizer.spread import weight_of_shown
from optimizer.stamp import Stamp
from optimizer.template import Name, Term
from vpp.domain.plan import Account, Values

POWER, BALANCE, STATE = ("export_kw", ()), ("energy_balance", ()), ("stored_kwh", ())


@dataclass(frozen=True)
class _Flow:
    """A column of an asset that gives power to the bus or takes it, step by step."""

    gives: bool
    meter: Array
    """What a MWh is worth at the terminals."""
    even: Array
    """What it would have to be worth there for the flow to break even."""
    per_stored: Array | None
    """Energy into or out of the store per energy at the terminals; `None` for what stores nothing."""


def accounts(problem: Problem, found: Found) -> dict[str, Account]:
    """What a MWh is worth to every asset that can do otherwise, in the scenario that is shown."""
    ledger = _Ledger(problem, found)
    own = found.assembly.of(problem.futures[problem.shown])
    told = {asset.id: ledger.account(own.parts[asset.id]) for asset in problem.assets}
    return {name: account for name, account in told.items() if account is not None}


class _Ledger:
    """What every column costs: by itself, through laws and limits of its own block, and through the others."""

    def __init__(self, problem: Problem, found: Found) -> None:
        self._found, self._program = found, found.assembly.program
        self._step_h = problem.step_h
        self._weight = weight_of_shown(problem, found)
        arrays = self._program.arrays()
        rows, width = arrays.row_lower.size, arrays.cost.size
        row = np.repeat(np.arange(rows), np.diff(arrays.start))
        priced = arrays.value * found.prices.row_dual[:rows][row]
        row_block, column_block = _blocks(found.assembly)
        is_own = row_block[row] == column_block[arrays.column]
        is_limit = _limit_rows(found.assembly)[row]

        def summed(chosen: NDArray[np.bool_]) -> Array:
            return np.bincount(arrays.column[chosen], priced[chosen], width).astype(np.float64)

        self._outside = summed(~is_own)
        self._limits = summed(is_own & is_limit)
        self._reduced = found.prices.column_dual[:width]
        self._arrays: Arrays = arrays

    def account(self, part: Part) -> Account | None:
        """What a MWh is worth to one asset, step by step; nothing where it cannot do otherwise."""
        flows = list(self._flows(part))
        if not flows:
            return None
        gives, takes = [f for f in flows if f.gives], [f for f in flows if not f.gives]
        stored = None
        if BALANCE in part.stamp.template.rows:
            rows = self._program.rows(part.stamp, BALANCE, part.block)
            stored = _values(-self._found.prices.row_dual[rows] / self._weight)
        return Account(
            meter_per_mwh=_values(flows[0].meter),
            stored_per_mwh=stored,
            gives_above_per_mwh=_values(np.min([f.even for f in gives], axis=0)) if gives else None,
            takes_below_per_mwh=_values(np.max([f.even for f in takes], axis=0)) if takes else None,
            drawn_per_given=_rate(gives),
            stored_per_taken=_rate(takes),
        )

    def _flows(self, part: Part) -> Iterator[_Flow]:
        template, stamp = part.stamp.template, part.stamp
        own_money = stamp.earned((*MONEY, PROSPECT))[part.block]
        preference = stamp.earned((PREFERENCE,))[part.block]
        for term in template.ports[POWER].terms if POWER in template.ports else ():
            if not self._is_flow(part, term) or term.piece.span is None:
                continue
            if term.piece.span.bounds(self._program.steps) != (0, self._program.steps):
                continue
            port = self._coefficient(part, term)
            if not (port > 0).all() and not (port < 0).all():
                continue
            place, inside = self._program.columns(stamp, term.column, part.block), stamp.columns(term.column)
            by_itself = -(self._weight * own_money[inside] + preference[inside])
            scale = port * self._step_h * self._weight
            meter = -(self._arrays.cost[place] - by_itself - self._outside[place]) / scale
            free = self._reduced[place] + self._limits[place] + self._split(part, term.column)
            yield _Flow(bool(port[0] > 0), meter, meter + free / scale, self._per_stored(part, term, port))

    def _coefficient(self, part: Part, term: Term) -> Array:
        steps = self._program.steps
        value = part.stamp.evaluate(term.piece.value, 0, steps, slice(part.block, part.block + 1))
        return np.broadcast_to(np.ravel(value), (steps,)).astype(np.float64)

    def _split(self, part: Part, name: Name) -> Array:
        """What a flow costs that a law splits into others, such as a discharge into depths: the cheapest of them."""
        extra = np.zeros(self._program.steps)
        for law, row in part.stamp.template.rows.items():
            terms = {term.column: term for term in row.form.terms}
            if law == BALANCE or row.label is not None or name not in terms or len(terms) != len(row.form.terms):
                continue
            others = [term for column, term in terms.items() if column != name]
            if STATE in terms or not others or any(not self._is_flow(part, term) for term in (terms[name], *others)):
                continue
            own = self._coefficient(part, terms[name])
            costs = []
            for term in others:
                ratio = -own / self._coefficient(part, term)
                place = self._program.columns(part.stamp, term.column, part.block)
                rising = np.maximum(self._reduced[place] + self._limits[place], 0.0) * ratio
                costs.append(np.where(ratio > 0, rising, np.inf))
            cheapest = np.min(costs, axis=0)
            extra += np.where(np.isfinite(cheapest), cheapest, 0.0)
        return extra

    def _is_flow(self, part: Part, term: Term) -> bool:
        column = part.stamp.template.columns.get(term.column)
        return column is not None and column.timed and not column.is_integer and term.offset == 0

    def _per_stored(self, part: Part, term: Term, port: Array) -> Array | None:
        """Energy into or out of the store per energy at the terminals."""
        row = part.stamp.template.rows.get(BALANCE)
        if row is None:
            return None
        own = {t.column: t for t in row.form.terms if t.offset == 0}
        if STATE not in own or term.column not in own:
            return None
        moved = self._coefficient(part, own[term.column]) / self._coefficient(part, own[STATE])
        return np.abs(moved / (port * self._step_h))


def _blocks(assembly: Assembly) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the block that each row and each column belongs to."""
    rows, columns, first = [], [], 0
    for stamp in assembly.program.stamps:
        numbers = np.arange(first, first + stamp.count)
        rows.append(np.repeat(numbers, stamp.layout.row_count))
        columns.append(np.repeat(numbers, stamp.layout.column_count))
        first += stamp.count
    return np.concatenate(rows), np.concatenate(columns)


def _limit_rows(assembly: Assembly) -> NDArray[np.bool_]:
    """Which rows are limits with a name, and not laws."""
    return np.concatenate([np.tile(_limits_of(stamp), stamp.count) for stamp in assembly.program.stamps])


def _limits_of(stamp: Stamp) -> NDArray[np.bool_]:
    mask = np.zeros(stamp.layout.row_count, dtype=bool)
    for name, row in stamp.template.rows.items():
        mask[stamp.rows(name)] = row.label is not None
    return mask


def _rate(flows: list[_Flow]) -> Values | None:
    """Of the first flow; one that has several machines has several rates."""
    return None if not flows or flows[0].per_stored is None else _values(flows[0].per_stored)


def _values(array: Array) -> Values:
    return tuple((np.round(array, 9) + 0.0).tolist())
