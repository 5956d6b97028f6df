"""What does a block look like as sparse rows whose numbers are functions of its parameters?

A template serves any number of assets: it says which column meets which row at which steps, and how each coefficient
follows from the parameters. It comes from `optimizer.compile`; `optimizer.stamp` fills it with numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from optimizer.expression import Coefficient, parameters_in
from optimizer.labels import Label

Name = tuple[str, tuple[Any, ...]]
"""A component of the block and its indices beside time, such as `("up_kw", (0,))`."""


@dataclass(frozen=True)
class Span:
    """Consecutive steps, as a slice: its ends count from the first step or, where negative, from the last."""

    start: int
    stop: int | None

    def bounds(self, steps: int) -> tuple[int, int]:
        """First step, and the step after the last one, in a horizon of `steps`."""
        first, after, _ = slice(self.start, self.stop).indices(steps)
        return first, max(first, after)


@dataclass(frozen=True)
class Piece:
    """A value over a span of steps; the span is `None` for a value without time."""

    span: Span | None
    value: Coefficient

    def steps(self, count: int) -> Iterator[int | None]:
        """The steps meant, in a horizon of `count`."""
        if self.span is None:
            yield None
        else:
            yield from range(*self.span.bounds(count))


@dataclass(frozen=True)
class Term:
    """A coefficient of one column family in a form.

    The piece's steps are those of the form, or those of the column where only the column has time.
    """

    column: Name
    offset: int | None
    """Steps from the form to the column; `None` for a column without time."""
    piece: Piece


@dataclass(frozen=True)
class Form:
    """A linear form per step, or a single one: Σ terms + constant."""

    timed: bool
    terms: tuple[Term, ...]
    constant: tuple[Piece, ...]


@dataclass(frozen=True)
class Row:
    """A constraint per step, or a single one: lower ≤ form ≤ upper."""

    form: Form
    lower: tuple[Piece, ...]
    upper: tuple[Piece, ...]
    label: Label | None
    """Names of its two limits; `None` where it is no limit but a law."""


@dataclass(frozen=True)
class Column:
    """A variable per step, or a single one."""

    timed: bool
    is_integer: bool
    lower: tuple[Piece, ...]
    upper: tuple[Piece, ...]
    label: Label | None
    """Names of its two limits."""


@dataclass(frozen=True, eq=False)
class Template:
    """A block as column families, row families, ports and money."""

    columns: dict[Name, Column]
    inlets: dict[Name, Column]
    """Columns that stand for the sum of a port over a bus. They are replaced by that sum, never given to the solver."""
    rows: dict[Name, Row]
    ports: dict[Name, Form]
    money: dict[str, Form]
    """Money earned by component, and the preference that breaks ties."""
    series: frozenset[str]
    """Parameters whose first index is time."""


def is_timed(line: Row | Column) -> bool:
    """Whether there is one row or column per step."""
    return line.form.timed if isinstance(line, Row) else line.timed


def parameter_names(pieces: Iterable[Piece]) -> frozenset[str]:
    """Names of the parameters that any of these values depends on."""
    return frozenset(parameter.name for piece in pieces for parameter in parameters_in(piece.value))
