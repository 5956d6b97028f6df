"""Where do the numbers of a template go, for a horizon of a given length and for N blocks at once?

`Layout` places a template's columns, rows and coefficients for one number of steps; it is found once and kept.
`Stamp` holds the parameters of N blocks and evaluates the template's coefficients for all of them together.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from optimizer.expression import ZERO, Array, Coefficient, Parameter, evaluate
from optimizer.ports import AC_BUS, PREFERENCE
from optimizer.template import Form, Name, Piece, Template, Term

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """A coefficient with the steps and the places it is for."""

    value: Coefficient
    first: int
    after: int
    """Steps `first … after − 1`; `0 … 1` for a value without time."""
    target: slice
    """Places, one per step: columns, rows, or entries of the row-wise matrix."""


class Layout:
    """Columns, rows and matrix entries of one block of a template, family by family, in order of time."""

    def __init__(self, template: Template, steps: int) -> None:
        self.template = template
        self.steps = steps
        self.column_at, self.column_count = _positions(((n, c.timed) for n, c in template.columns.items()), steps)
        self.row_at, self.row_count = _positions(((n, r.form.timed) for n, r in template.rows.items()), steps)
        self.lower = self._placed((self.column_at[n], c.lower) for n, c in template.columns.items())
        self.upper = self._placed((self.column_at[n], c.upper) for n, c in template.columns.items())
        self.row_lower = self._placed((self.row_at[n], r.lower) for n, r in template.rows.items())
        self.row_upper = self._placed((self.row_at[n], r.upper) for n, r in template.rows.items())
        self.row_constant = self._placed((self.row_at[n], r.form.constant) for n, r in template.rows.items())
        self.money = {
            component: [
                self._place(term.piece, self.column_at[term.column], term.offset)
                for term in form.terms
                if term.column in self.column_at
            ]
            for component, form in template.money.items()
        }
        self._arrange_matrix()

    def _placed(self, families: Iterable[tuple[int, tuple[Piece, ...]]]) -> list[Placed]:
        """All pieces but zeros, given the first place of each family."""
        return [self._place(piece, start) for start, pieces in families for piece in pieces if piece.value != ZERO]

    def _place(self, piece: Piece, start: int, offset: int | None = 0) -> Placed:
        if piece.span is None:
            return Placed(piece.value, 0, 1, slice(start, start + 1))
        first, after = piece.span.bounds(self.steps)
        if offset is None:
            return Placed(piece.value, first, after, slice(start, start + 1))
        return Placed(piece.value, first, after, slice(start + first + offset, start + after + offset))

    def _arrange_matrix(self) -> None:
        """Order the block's own entries row by row, and remember where each coefficient's entries went."""
        values: list[tuple[Coefficient, int, int]] = []
        rows, columns = [_NOWHERE], [_NOWHERE]
        for name, line in self.template.rows.items():
            for term in line.form.terms:
                if term.column in self.column_at:
                    first, after = (0, 1) if term.piece.span is None else term.piece.span.bounds(self.steps)
                    values.append((term.piece.value, first, after))
                    rows.append(self._row_places(name, line.form, first, after))
                    columns.append(self._column_places(term, first, after))
        row, column = np.concatenate(rows), np.concatenate(columns)
        order = np.lexsort((column, row))
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        self.entry_column = column[order].astype(np.int32)
        self.entries_of_row = np.bincount(row, minlength=self.row_count)
        edges = np.cumsum([len(part) for part in rows])
        self.matrix = [
            (value, first, after, _as_slice(place[a:b]))
            for (value, first, after), a, b in zip(values, edges[:-1], edges[1:], strict=True)
        ]

    def _row_places(self, name: Name, form: Form, first: int, after: int) -> Index:
        start = self.row_at[name]
        return start + np.arange(first, after) if form.timed else np.full(after - first, start)

    def _column_places(self, term: Term, first: int, after: int) -> Index:
        start = self.column_at[term.column]
        if term.offset is None:
            return np.full(after - first, start)
        return start + term.offset + np.arange(first, after)


_NOWHERE: Index = np.empty(0, dtype=np.int64)


def _positions(families: Iterable[tuple[Name, bool]], steps: int) -> tuple[dict[Name, int], int]:
    starts: dict[Name, int] = {}
    total = 0
    for name, timed in families:
        starts[name] = total
        total += steps if timed else 1
    return starts, total


def _as_slice(places: Index) -> slice | Index:
    """Evenly spaced places as a slice, which numpy fills without looking at each."""
    if places.size == 1:
        return slice(int(places[0]), int(places[0]) + 1)
    gaps = np.diff(places)
    if places.size and gaps[0] > 0 and (gaps == gaps[0]).all():
        return slice(int(places[0]), int(places[-1]) + 1, int(gaps[0]))
    return places


@lru_cache(maxsize=256)
def layout_of(template: Template, steps: int) -> Layout:
    """The layout of a template, found once per length."""
    return Layout(template, steps)


@dataclass(frozen=True)
class Chance:
    """How much the money of a block counts in the objective."""

    scenario: int | None = None
    """Number of the scenario that the block belongs to; `None` for the first stage, or where there are none."""
    weight: float = 1.0
    """Probability of the scenario."""
    mean_share: float = 1.0
    """Share of the objective that is the mean of all scenarios."""

    def factor(self, component: str) -> float:
        """What money of a component is multiplied by; a preference counts in every scenario as by itself."""
        return self.weight if component == PREFERENCE else self.weight * self.mean_share


CERTAIN = Chance()


class Stamp:
    """N blocks of one template, with their parameters.

    Attributes:
        owners: Ids of the N blocks, in order.
        values: Parameters by name; shape `(N or 1, indices…)`, with time as the first index of a series.
        bus: Bus on which the ports sit.
        inlet_bus: Bus whose ports the inlets sum.
        chance: How much its money counts in the objective.

    """

    def __init__(
        self,
        template: Template,
        steps: int,
        parameters: Mapping[str, Mapping[str, float | Array]],
        *,
        step_h: Array,
        bus: str = AC_BUS,
        inlet_bus: str = AC_BUS,
        chance: Chance = CERTAIN,
    ) -> None:
        self.layout = layout_of(template, steps)
        self.template = template
        self.owners = tuple(parameters)
        self.bus = bus
        self.inlet_bus = inlet_bus
        self.chance = chance
        self.values: dict[str, Array] = {"step_h": step_h[np.newaxis, :].copy()}
        for name in next(iter(parameters.values())):
            stacked = np.array([own[name] for own in parameters.values()], dtype=np.float64)
            self.values[name] = stacked

    @property
    def count(self) -> int:
        """Number of blocks, N."""
        return len(self.owners)

    def evaluate(self, value: Coefficient, first: int, after: int, blocks: slice = slice(None)) -> Array | float:
        """A coefficient at the steps `first … after − 1`: a number, or an array that broadcasts to (N, steps)."""

        def value_of(parameter: Parameter) -> Array:
            array = self.values[parameter.name]
            if array.shape[0] > 1:
                array = array[blocks]
            if parameter.offset is None:
                return array[(slice(None), *parameter.key, np.newaxis)]
            return array[(slice(None), slice(first + parameter.offset, after + parameter.offset), *parameter.key)]

        return evaluate(value, value_of)

    def fill(self, array: Array, placed: Iterable[Placed], blocks: slice = slice(None)) -> Array:
        """Add coefficients to an array of shape (N, places)."""
        for p in placed:
            value = self.evaluate(p.value, p.first, p.after, blocks)
            if p.after - p.first > p.target.stop - p.target.start:
                value = np.sum(np.broadcast_to(value, (array.shape[0], p.after - p.first)), axis=1, keepdims=True)
            array[:, p.target] += value
        return array

    def matrix(self) -> Array:
        """The blocks' own matrix entries, row by row; shape (N, entries)."""
        entries = np.empty((self.count, self.layout.entry_column.size))
        for value, first, after, target in self.layout.matrix:
            entries[:, target] = self.evaluate(value, first, after)
        return entries

    def bounds(self, blocks: slice = slice(None)) -> tuple[Array, Array]:
        """Lowest and highest value of each column; shape (N, columns)."""
        shape = (len(range(*blocks.indices(self.count))), self.layout.column_count)
        return (
            self.fill(np.zeros(shape), self.layout.lower, blocks),
            self.fill(np.zeros(shape), self.layout.upper, blocks),
        )

    def row_bounds(self, blocks: slice = slice(None)) -> tuple[Array, Array]:
        """Lowest and highest value of each row, less the row's own constant; shape (N, rows)."""
        shape = (len(range(*blocks.indices(self.count))), self.layout.row_count)
        constant = self.fill(np.zeros(shape), self.layout.row_constant, blocks)
        return (
            self.fill(np.zeros(shape), self.layout.row_lower, blocks) - constant,
            self.fill(np.zeros(shape), self.layout.row_upper, blocks) - constant,
        )

    def earned(self, components: Collection[str]) -> Array:
        """What each column earns by the block's own money; shape (N, columns)."""
        placed = [p for component, found in self.layout.money.items() if component in components for p in found]
        return self.fill(np.zeros((self.count, self.layout.column_count)), placed)

    def is_integer(self) -> NDArray[np.bool_]:
        """Which of a block's columns take whole numbers only; shape (columns,)."""
        mask = np.zeros(self.layout.column_count, dtype=bool)
        for name, column in self.template.columns.items():
            if column.is_integer:
                mask[self.columns(name)] = True
        return mask

    def columns(self, name: Name) -> slice:
        """Places of a column family in a block."""
        start = self.layout.column_at[name]
        return slice(start, start + (self.layout.steps if self.template.columns[name].timed else 1))

    def rows(self, name: Name) -> slice:
        """Places of a row family in a block."""
        start = self.layout.row_at[name]
        return slice(start, start + (self.layout.steps if self.template.rows[name].form.timed else 1))
