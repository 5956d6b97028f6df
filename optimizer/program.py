"""How do stamps become one model for the solver, and how does a new number reach it?

A `Program` is a list of stamps. Those without inlets stand for themselves; in those with inlets every inlet is replaced
by the sum of the ports it stands for, in rows and in money alike. A changed parameter is written into the vectors it
touches, and the model is solved again from where it stood.

With scenarios, the stamps of each sum over buses of their own and count in the objective by its weight. A row may hold
the inlet `sum_outcome`, which stands for all money of one scenario.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.expression import Array, Coefficient
from optimizer.ports import FIRST_STAGE, FIRST_STAGE_BUS, INLETS, MONEY, OUTCOME, PREFERENCE, PROSPECT, RISK
from optimizer.stamp import CERTAIN, Stamp
from optimizer.template import Form, Name, Term


@dataclass(frozen=True)
class Arrays:
    """A linear program with integers: minimise cost·x + offset over row and column bounds; the matrix is row-wise."""

    cost: Array
    offset: float
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    start: NDArray[np.int32]
    column: NDArray[np.int32]
    value: Array
    is_integer: NDArray[np.bool_]


@dataclass(frozen=True)
class _Share:
    """Part of a form that reaches another stamp's columns through an inlet.

    The coefficient at step t of the form is `inlet_value[t] · port_value[t + inlet_offset]`.
    """

    provider: Stamp
    inlet_value: Coefficient
    inlet_offset: int
    port_value: Coefficient
    first: int
    after: int
    """Steps of the form."""
    column_first: int | None
    """Column of the provider at step `first`; `None` for the port's constant."""


@dataclass(frozen=True)
class _Outcome:
    """Where the money of a scenario stands in a row."""

    row: int
    factor: Coefficient
    scenario: int


class Program:
    """Stamps as one model.

    Args:
        stamps: Blocks in order. A stamp with inlets holds a single block.
        steps: Number of steps of the horizon.

    """

    def __init__(self, stamps: Sequence[Stamp], steps: int) -> None:
        self.stamps = tuple(stamps)
        self.steps = steps
        self.column_at: dict[Stamp, int] = {}
        self.row_at: dict[Stamp, int] = {}
        self.column_count = self.row_count = 0
        for stamp in self.stamps:
            self.column_at[stamp], self.row_at[stamp] = self.column_count, self.row_count
            self.column_count += stamp.count * stamp.layout.column_count
            self.row_count += stamp.count * stamp.layout.row_count
        self._shares = {
            stamp: {
                **{("row", name): list(self._shares_of(stamp, row.form)) for name, row in stamp.template.rows.items()},
                **{("money", (n, ())): list(self._shares_of(stamp, f)) for n, f in stamp.template.money.items()},
            }
            for stamp in self.stamps
            if stamp.template.inlets
        }
        self._outcomes = [
            (stamp, _Outcome(self.rows(stamp, name).start, term.piece.value, int(term.column[1][0])))
            for stamp in self.stamps
            for name, row in stamp.template.rows.items()
            for term in row.form.terms
            if term.column[0] == OUTCOME
        ]

    @property
    def has_outcomes(self) -> bool:
        """Whether a row holds the money of a scenario, so that prices are entries of the matrix."""
        return bool(self._outcomes)

    def columns(self, stamp: Stamp, name: Name, block: int = 0) -> slice:
        """Places of a block's column family among all columns."""
        own, start = stamp.columns(name), self.column_at[stamp] + block * stamp.layout.column_count
        return slice(start + own.start, start + own.stop)

    def rows(self, stamp: Stamp, name: Name, block: int = 0) -> slice:
        """Places of a block's row family among all rows."""
        own, start = stamp.rows(name), self.row_at[stamp] + block * stamp.layout.row_count
        return slice(start + own.start, start + own.stop)

    def _shares_of(self, stamp: Stamp, form: Form) -> Iterator[_Share]:
        for term in form.terms:
            if term.column[0] not in INLETS or term.offset is None or term.piece.span is None:
                continue
            first, after = term.piece.span.bounds(self.steps)
            for provider, port in self.sources(stamp, term.column):
                yield from self._shares_with(provider, port, term, first, after)

    def _shares_with(self, provider: Stamp, port: Form, term: Term, first: int, after: int) -> Iterator[_Share]:
        shift = term.offset or 0
        pieces = [(t.piece, t) for t in port.terms] + [(p, None) for p in port.constant]
        for piece, own in pieces:
            if piece.span is None:
                raise ValueError(f"{term.column[0]}: a port must have one value per step")
            port_first, port_after = piece.span.bounds(self.steps)
            begin, end = max(first, port_first - shift), min(after, port_after - shift)
            if begin >= end:
                continue
            column = None
            if own is not None:
                column = provider.layout.column_at[own.column]
                if own.offset is not None:
                    column += begin + shift + own.offset
                elif end - begin > 1:
                    raise ValueError(f"{own.column[0]}: in a port a column without time stands in one step only")
            yield _Share(provider, term.piece.value, shift, piece.value, begin, end, column)

    def blocks(self, vector: Array, stamp: Stamp) -> Array:
        """A stamp's part of a vector over all columns; shape (N, columns of a block)."""
        start, width = self.column_at[stamp], stamp.layout.column_count
        return vector[start : start + stamp.count * width].reshape(stamp.count, width)

    def sources(self, stamp: Stamp, inlet: Name) -> Iterator[tuple[Stamp, Form]]:
        """Stamps behind an inlet, with the ports it sums."""
        port = (INLETS[inlet[0]], inlet[1])
        bus = FIRST_STAGE_BUS if port[0] in FIRST_STAGE else stamp.inlet_bus
        for provider in self.providers(bus, port):
            yield provider, provider.template.ports[port]

    def providers(self, bus: str, port: Name) -> list[Stamp]:
        """Stamps that offer a port on a bus."""
        return [stamp for stamp in self.stamps if stamp.bus == bus and port in stamp.template.ports]

    def _share_value(self, stamp: Stamp, share: _Share) -> Array:
        """Coefficients of a share; shape (blocks of the provider, steps)."""
        inlet = stamp.evaluate(share.inlet_value, share.first, share.after)
        shift = share.inlet_offset
        port = share.provider.evaluate(share.port_value, share.first + shift, share.after + shift)
        return np.broadcast_to(inlet * port, (share.provider.count, share.after - share.first))

    def arrays(self) -> Arrays:
        """The whole model."""
        start, column, value = self._matrix()
        cost, offset = self.costs()
        lower, upper = self.column_bounds()
        row_lower, row_upper = self.row_bounds()
        is_integer = np.concatenate([np.tile(stamp.is_integer(), stamp.count) for stamp in self.stamps])
        return Arrays(cost, offset, lower, upper, row_lower, row_upper, start, column, value, is_integer)

    def column_bounds(self) -> tuple[Array, Array]:
        """Lowest and highest value of every column."""
        bounds = [stamp.bounds() for stamp in self.stamps]
        return np.concatenate([b[0].ravel() for b in bounds]), np.concatenate([b[1].ravel() for b in bounds])

    def row_bounds(self) -> tuple[Array, Array]:
        """Lowest and highest value of every row."""
        lower, upper = [], []
        for stamp in self.stamps:
            own_lower, own_upper = stamp.row_bounds()
            for (kind, name), shares in self._shares.get(stamp, {}).items():
                if kind == "row":
                    start = stamp.rows(name).start
                    for share in shares:
                        if share.column_first is None:
                            constant = self._share_value(stamp, share).sum(axis=0)
                            own_lower[0, start + share.first : start + share.after] -= constant
                            own_upper[0, start + share.first : start + share.after] -= constant
            lower.append(own_lower.ravel())
            upper.append(own_upper.ravel())
        whole_lower, whole_upper = np.concatenate(lower), np.concatenate(upper)
        for stamp, outcome in self._outcomes:
            constant = float(stamp.evaluate(outcome.factor, 0, 1)) * self._outcome(outcome.scenario)[1]
            whole_lower[outcome.row] -= constant
            whole_upper[outcome.row] -= constant
        return whole_lower, whole_upper

    def costs(self, components: Collection[str] = (*MONEY, PREFERENCE, PROSPECT, RISK)) -> tuple[Array, float]:
        """Cost of every column, and the cost that no decision changes; in thousandths of the currency."""
        earned, constant = self._earned(components, lambda stamp, component: stamp.chance.factor(component))
        return -earned, -constant

    def _outcome(self, scenario: int) -> tuple[Array, float]:
        """What every column earns in a scenario, and what it earns by itself."""
        return self._earned((*MONEY, PROSPECT), lambda stamp, _: float(stamp.chance.scenario == scenario))

    def _earned(self, components: Collection[str], factor: Callable[[Stamp, str], float]) -> tuple[Array, float]:
        earned = np.concatenate([_own(stamp, components, factor).ravel() for stamp in self.stamps])
        constant = 0.0
        for stamp in self.stamps:
            forms = {name: form for name, form in stamp.template.money.items() if name in components}
            for name, form in forms.items():
                for piece in form.constant:
                    first, after = (0, 1) if piece.span is None else piece.span.bounds(self.steps)
                    value = stamp.evaluate(piece.value, first, after)
                    constant += factor(stamp, name) * float(np.broadcast_to(value, (stamp.count, after - first)).sum())
            for (kind, (name, _)), shares in self._shares.get(stamp, {}).items():
                for share in shares if kind == "money" and name in components else ():
                    value = factor(stamp, name) * self._share_value(stamp, share)
                    if share.column_first is None:
                        constant += float(value.sum())
                    else:
                        self._touched(earned, share)[:] += value
        return earned, constant

    def _touched(self, vector: Array, share: _Share) -> Array:
        """The part of a vector over all columns that a share touches; shape (blocks, steps)."""
        first = share.column_first or 0
        return self.blocks(vector, share.provider)[:, first : first + share.after - share.first]

    def _matrix(self) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
        counts = np.zeros(self.row_count, dtype=np.int64)
        for stamp in self.stamps:
            own = counts[self._rows_of(stamp)].reshape(stamp.count, stamp.layout.row_count)
            own += stamp.layout.entries_of_row
            for row, share in self._row_shares(stamp):
                own[0, row] += share.provider.count
        outcomes = [(outcome.row, *self._outcome_entries(stamp, outcome)) for stamp, outcome in self._outcomes]
        for place, columns, _ in outcomes:
            counts[place] += columns.size
        start = np.zeros(self.row_count + 1, dtype=np.int32)
        np.cumsum(counts, out=start[1:])
        column = np.empty(start[-1], dtype=np.int32)
        value = np.empty(start[-1])
        for stamp in self.stamps:
            rows = self._rows_of(stamp)
            if stamp in self._shares:
                self._fill_with_shares(stamp, start[rows], column, value)
            else:
                entries = slice(start[rows.start], start[rows.stop])
                shape = (stamp.count, stamp.layout.entry_column.size)
                column[entries].reshape(shape)[:] = stamp.layout.entry_column + self._block_columns(stamp)
                value[entries].reshape(shape)[:] = stamp.matrix()
        for place, columns, values in outcomes:
            entries = slice(start[place + 1] - columns.size, start[place + 1])
            column[entries], value[entries] = columns, values
        return start, column, value

    def _outcome_entries(self, stamp: Stamp, outcome: _Outcome) -> tuple[NDArray[np.int32], Array]:
        earned, _ = self._outcome(outcome.scenario)
        columns = np.flatnonzero(earned).astype(np.int32)
        return columns, float(stamp.evaluate(outcome.factor, 0, 1)) * earned[columns]

    def _rows_of(self, stamp: Stamp) -> slice:
        start = self.row_at[stamp]
        return slice(start, start + stamp.count * stamp.layout.row_count)

    def _block_columns(self, stamp: Stamp) -> NDArray[np.int32]:
        """First column of each block; shape (N, 1)."""
        first = self.column_at[stamp] + np.arange(stamp.count, dtype=np.int32) * stamp.layout.column_count
        return first[:, np.newaxis].astype(np.int32)

    def _row_shares(self, stamp: Stamp) -> Iterator[tuple[slice, _Share]]:
        for (kind, name), shares in self._shares.get(stamp, {}).items():
            if kind == "row":
                start = stamp.rows(name).start
                for share in shares:
                    if share.column_first is not None:
                        yield slice(start + share.first, start + share.after), share

    def _fill_with_shares(
        self, stamp: Stamp, row_start: NDArray[np.int32], column: NDArray[np.int32], value: Array
    ) -> None:
        layout = stamp.layout
        next_free = row_start.astype(np.int64)
        own_rows = np.repeat(np.arange(layout.row_count), layout.entries_of_row)
        own_first = np.cumsum(layout.entries_of_row) - layout.entries_of_row
        own = next_free[own_rows] + np.arange(own_rows.size) - own_first[own_rows]
        column[own] = layout.entry_column + self.column_at[stamp]
        value[own] = stamp.matrix()[0]
        next_free += layout.entries_of_row
        for rows, share in self._row_shares(stamp):
            count = share.provider.count
            places = next_free[rows][:, np.newaxis] + np.arange(count)
            steps = np.arange(share.after - share.first, dtype=np.int32)[:, np.newaxis]
            column[places] = self._block_columns(share.provider).T + (share.column_first or 0) + steps
            value[places] = self._share_value(stamp, share).T
            next_free[rows] += count


def _own(stamp: Stamp, components: Collection[str], factor: Callable[[Stamp, str], float]) -> Array:
    """What each column of a stamp earns by the block's own money; shape (N, columns)."""
    if stamp.chance is CERTAIN:
        return stamp.earned(components)
    by_factor: dict[float, list[str]] = {}
    for component in components:
        by_factor.setdefault(factor(stamp, component), []).append(component)
    first, *others = [scale * stamp.earned(names) for scale, names in by_factor.items()]
    return sum(others, start=first)
