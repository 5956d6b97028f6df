"""What do ports and money come to, for given values of the columns?"""

from collections.abc import Iterable

import numpy as np

from optimizer.expression import Array
from optimizer.program import Program
from optimizer.stamp import Stamp
from optimizer.template import Form, Name


def port_values(program: Program, value: Array, stamp: Stamp, port: Name) -> Array:
    """What a port offers; shape (N, steps)."""
    return _form_values(program, value, stamp, stamp.template.ports[port])


def money_earned(
    program: Program, value: Array, components: frozenset[str], stamps: Iterable[Stamp]
) -> dict[str, float]:
    """Money of some stamps by component, in thousandths of the currency; components that none has are left out."""
    earned: dict[str, float] = {}
    for stamp in stamps:
        for component in components & stamp.template.money.keys():
            form = stamp.template.money[component]
            earned[component] = earned.get(component, 0.0) + float(_form_values(program, value, stamp, form).sum())
    return earned


def _form_values(program: Program, value: Array, stamp: Stamp, form: Form) -> Array:
    """A form at every step; shape (N, steps), or (N, 1) for a form without time."""
    total = np.zeros((stamp.count, program.steps if form.timed else 1))
    for piece in form.constant:
        first, after = (0, 1) if piece.span is None else piece.span.bounds(program.steps)
        total[:, first:after] += stamp.evaluate(piece.value, first, after)
    for term in form.terms:
        first, after = (0, 1) if term.piece.span is None else term.piece.span.bounds(program.steps)
        column = _column_values(program, value, stamp, term.column)
        if term.offset is not None:
            column = column[:, first + term.offset : after + term.offset]
        product = stamp.evaluate(term.piece.value, first, after) * column
        if form.timed:
            total[:, first:after] += product
        else:
            total += product.sum(axis=1, keepdims=True)
    return total


def _column_values(program: Program, value: Array, stamp: Stamp, name: Name) -> Array:
    """Values of a column family or an inlet; shape (N, steps) or (N, 1)."""
    if name not in stamp.template.inlets:
        return program.blocks(value, stamp)[:, stamp.columns(name)]
    total = np.zeros((1, program.steps))
    for provider, port in program.sources(stamp, name):
        total += _form_values(program, value, provider, port).sum(axis=0, keepdims=True)
    return total
