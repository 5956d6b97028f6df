"""How does a Pyomo block become a template?

A block is written for one asset over the whole horizon, as its mathematics reads. Compiling 8,760 steps one by one
would take longer than solving them, so the block is compiled over a few steps, and the pattern that its rows follow
along time is carried on to the length that is needed. The pattern is checked against a second, longer horizon; a block
that does not repeat along time is compiled at full length instead.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from optimizer.expression import ZERO, Coefficient, is_timed, read
from optimizer.labels import Label, read_label
from optimizer.ports import INLETS, MONEY, PORTS, PREFERENCE, PROSPECT, RISK
from optimizer.template import Column, Form, Name, Piece, Row, Span, Template, Term

Build = Callable[[Any, Any], None]
"""Writes the mathematics of one asset, group or market into a block that has `time` and `step_h`, for given options."""

COUNTED = (*MONEY, PREFERENCE, PROSPECT, RISK)
"""Expressions that make up the solver's objective."""

PROBE_STEPS = 7
"""Length of the short horizon. Up to three steps at either end may differ from those between."""
CHECK_STEPS = 10
"""Length of the horizon on which the pattern is checked; up to this length a block is compiled as it is."""


@lru_cache(maxsize=256)
def compile_block(build: Build, options: Any, steps: int) -> Template:
    """Compile a block for a horizon of `steps`.

    Args:
        build: Writes the block; called with a model that has `time` and `step_h`, and with `options`.
        options: Hashable choice of what the block contains.
        steps: Number of steps.

    Raises:
        UnreadableExpressionError: a coefficient that is no plain arithmetic of parameters.
        ValueError: a constraint or an expression that is not linear in the variables.

    """
    repeating = _compile_repeating(build, options) if steps > CHECK_STEPS else None
    return repeating or _Listing(build, options, steps).as_it_is()


@lru_cache(maxsize=256)
def _compile_repeating(build: Build, options: Any) -> Template | None:
    try:
        template = _Listing(build, options, PROBE_STEPS).carried_on()
    except _NoPatternError:
        return None
    longer = _Listing(build, options, CHECK_STEPS).as_it_is()
    return template if _contents(template, CHECK_STEPS) == _contents(longer, CHECK_STEPS) else None


class _NoPatternError(Exception):
    """The short horizon does not say how a longer one would look."""


_Found = dict[Any, list[int | None]]
"""For each distinct value, the steps at which it was found; `None` for a value without time."""
_Spans = Callable[[list[int]], Iterable[Span]]


@dataclass
class _Line:
    """A family of columns, rows or expressions, as it is found member by member."""

    label: Label | None
    timed: bool
    is_integer: bool = False
    terms: _Found = field(default_factory=dict)
    constant: _Found = field(default_factory=dict)
    lower: _Found = field(default_factory=dict)
    upper: _Found = field(default_factory=dict)


class _Listing:
    """Everything that a block of `steps` steps contains, grouped by equal coefficients."""

    def __init__(self, build: Build, options: Any, steps: int) -> None:
        self.steps = steps
        self.model = pyo.ConcreteModel()
        self.model.time = pyo.RangeSet(0, steps - 1)
        self.model.step_h = pyo.Param(self.model.time, mutable=True, initialize=1.0)
        build(self.model, options)
        self.place_of: dict[int, tuple[Name, int | None]] = {}
        self.columns = self._lines(pyo.Var, self._add_column)
        self.rows = self._lines(pyo.Constraint, self._add_row)
        self.forms = self._lines(
            pyo.Expression, lambda line, step, expression: self._add_form(line, step, expression.expr)
        )
        variables = self._lines(pyo.Var, self._add_form)
        self.forms |= {name: line for name, line in variables.items() if name[0] in PORTS}

    def _lines(self, kind: Any, add: Callable[[_Line, int | None, Any], None]) -> dict[Name, _Line]:
        lines: dict[Name, _Line] = {}
        for component in self.model.component_objects(kind):
            timed = is_timed(component, self.model.time)
            for index, member in component.items():
                key = () if index is None else index if isinstance(index, tuple) else (index,)
                name, step = ((component.local_name, key[1:]), key[0]) if timed else ((component.local_name, key), None)
                if kind is pyo.Var:
                    self.place_of[id(member)] = (name, step)
                add(lines.setdefault(name, _Line(read_label(component.doc or ""), timed)), step, member)
        return lines

    def _add_column(self, line: _Line, step: int | None, variable: Any) -> None:
        lowest, highest = variable.domain.bounds()
        line.is_integer = variable.is_integer()
        self._add_bounds(
            line,
            step,
            lowest if variable.lower is None else variable.lower,
            highest if variable.upper is None else variable.upper,
        )

    def _add_row(self, line: _Line, step: int | None, constraint: Any) -> None:
        lower, body, upper = constraint.to_bounded_expression()
        self._add_form(line, step, body)
        self._add_bounds(line, step, lower, upper)

    def _add_form(self, line: _Line, step: int | None, expression: Any) -> None:
        linear = generate_standard_repn(expression, compute_values=False, quadratic=False)
        if not linear.is_linear():
            raise ValueError(f"{expression}: not linear in the variables")
        for variable, coefficient in zip(linear.linear_vars, linear.linear_coefs, strict=True):
            column, column_step = self.place_of[id(variable)]
            base = column_step if step is None else step
            offset = None if column_step is None or base is None else column_step - base
            self._note(line.terms, base, coefficient, column, offset)
        self._note(line.constant, step, linear.constant)

    def _add_bounds(self, line: _Line, step: int | None, lower: Any, upper: Any) -> None:
        self._note(line.lower, step, -np.inf if lower is None else lower)
        self._note(line.upper, step, np.inf if upper is None else upper)

    def _note(self, found: _Found, step: int | None, expression: Any, *place: Any) -> None:
        value = read(expression, self.model.time, step)
        found.setdefault((*place, value) if place else value, []).append(step)

    def as_it_is(self) -> Template:
        """The template for exactly this number of steps."""
        return self._template(lambda steps: [Span(run[0], run[-1] + 1) for run in _runs(steps)])

    def carried_on(self) -> Template:
        """The template for any greater number of steps, every edge counted from the end that is nearer.

        Raises:
            _NoPatternError: an edge lies in the middle, so that it belongs to neither end.

        """
        return self._template(
            lambda steps: [Span(self._anchor(run[0]), self._anchor(run[-1] + 1) or None) for run in _runs(steps)]
        )

    def _anchor(self, edge: int) -> int:
        middle = self.steps // 2
        if edge in (middle, middle + 1):
            raise _NoPatternError
        return edge if edge < middle else edge - self.steps

    def _template(self, spans: _Spans) -> Template:
        columns = {name: _column(line, spans) for name, line in self.columns.items()}
        parameters = self.model.component_objects(pyo.Param)
        return Template(
            columns={name: column for name, column in columns.items() if name[0] not in INLETS},
            inlets={name: column for name, column in columns.items() if name[0] in INLETS},
            rows={
                name: Row(_form(line, spans), _pieces(line.lower, spans), _pieces(line.upper, spans), line.label)
                for name, line in self.rows.items()
            },
            ports={name: _form(line, spans) for name, line in self.forms.items() if name[0] in PORTS},
            money={name[0]: _form(line, spans) for name, line in self.forms.items() if name[0] in COUNTED},
            series=frozenset(p.local_name for p in parameters if is_timed(p, self.model.time)),
        )


def _column(line: _Line, spans: _Spans) -> Column:
    return Column(line.timed, line.is_integer, _pieces(line.lower, spans), _pieces(line.upper, spans), line.label)


def _form(line: _Line, spans: _Spans) -> Form:
    terms = tuple(
        Term(column, offset, piece)
        for (column, offset, value), steps in line.terms.items()
        for piece in _pieces({value: steps}, spans)
    )
    return Form(line.timed, terms, tuple(piece for piece in _pieces(line.constant, spans) if piece.value != ZERO))


def _pieces(found: _Found, spans: _Spans) -> tuple[Piece, ...]:
    return tuple(Piece(span, value) for value, steps in found.items() for span in _spans_of(steps, spans))


def _spans_of(steps: list[int | None], spans: _Spans) -> Iterable[Span | None]:
    timed = [step for step in steps if step is not None]
    return spans(timed) if timed else [None]


def _runs(steps: list[int]) -> Iterator[list[int]]:
    """Maximal runs of consecutive steps."""
    ordered = sorted(set(steps))
    breaks = [k for k in range(1, len(ordered)) if ordered[k] != ordered[k - 1] + 1]
    for first, after in zip([0, *breaks], [*breaks, len(ordered)], strict=True):
        yield ordered[first:after]


def _contents(template: Template, steps: int) -> dict[Any, Any]:
    """What the template says at a given length, in a form that can be compared."""

    def told(pieces: Iterable[Piece]) -> set[tuple[Coefficient, int | None]]:
        return {(piece.value, step) for piece in pieces for step in piece.steps(steps)}

    def form(value: Form) -> Any:
        terms = {(t.column, t.offset, *entry) for t in value.terms for entry in told([t.piece])}
        return terms, told(value.constant)

    columns = template.columns | template.inlets
    return {
        **{("column", name): (told(c.lower), told(c.upper)) for name, c in columns.items()},
        **{("row", name): (form(r.form), told(r.lower), told(r.upper)) for name, r in template.rows.items()},
        **{("port", name): form(value) for name, value in template.ports.items()},
        **{("money", name): form(value) for name, value in template.money.items()},
    }
