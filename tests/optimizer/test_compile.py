"""A block compiled over a few steps is the block over many."""

import pyomo.environ as pyo
import pytest

from optimizer.blocks import scalars, series
from optimizer.compile import CHECK_STEPS, _compile_repeating, _contents, _Listing, compile_block
from optimizer.expression import UnreadableExpressionError
from optimizer.template import Span


def running_sum(b, window):
    """Each step limits the sum of the last `window` steps."""
    scalars(b, "limit")
    series(b, "weight")
    b.x = pyo.Var(b.time, bounds=(0, b.limit))

    @b.Constraint(b.time)
    def recent(b, t):
        return sum(b.weight[k] * b.x[k] for k in range(max(0, t - window + 1), t + 1)) <= b.limit


def middle_only(b, _options):
    """A constraint on the middle of the horizon, which no short horizon can announce."""
    scalars(b, "limit")
    b.x = pyo.Var(b.time)
    b.middle = pyo.Constraint(expr=b.x[len(b.time) // 2] <= b.limit)


def test_a_window_of_three_steps_is_carried_on_to_any_length():
    assert _compile_repeating(running_sum, 3) is not None
    template = compile_block(running_sum, 3, 40)
    assert _contents(template, 40) == _contents(_Listing(running_sum, 3, 40).as_it_is(), 40)


def test_a_window_that_is_longer_than_the_probe_is_compiled_at_full_length():
    assert _compile_repeating(running_sum, 9) is None
    template = compile_block(running_sum, 9, 30)
    assert _contents(template, 30) == _contents(_Listing(running_sum, 9, 30).as_it_is(), 30)


def test_a_constraint_on_the_middle_is_not_guessed():
    assert _compile_repeating(middle_only, None) is None
    (row,) = compile_block(middle_only, None, 21).rows.values()
    assert [term.piece.span for term in row.form.terms] == [Span(10, 11)]


def test_short_horizons_are_compiled_as_they_are():
    for steps in range(1, CHECK_STEPS + 1):
        template = compile_block(running_sum, 3, steps)
        assert _contents(template, steps) == _contents(_Listing(running_sum, 3, steps).as_it_is(), steps)


def test_equal_coefficients_of_all_steps_become_one():
    template = compile_block(running_sum, 1, 8760)
    (row,) = template.rows.values()
    assert len(row.form.terms) == 1
    assert row.form.terms[0].piece.span == Span(0, None)


def test_a_block_is_compiled_once():
    assert compile_block(running_sum, 2, 96) is compile_block(running_sum, 2, 97)


def test_a_coefficient_that_is_no_arithmetic_is_refused():
    def build(b, _options):
        scalars(b, "a")
        b.x = pyo.Var(b.time)
        b.row = pyo.Constraint(b.time, rule=lambda b, t: pyo.exp(b.a) * b.x[t] <= 1)

    with pytest.raises(UnreadableExpressionError, match="add, multiply, divide and raise"):
        compile_block(build, None, 24)


def test_a_product_of_variables_is_refused():
    def build(b, _options):
        b.x = pyo.Var(b.time)
        b.row = pyo.Constraint(b.time, rule=lambda b, t: b.x[t] * b.x[t] <= 1)

    with pytest.raises(ValueError, match="not linear"):
        compile_block(build, None, 24)


def test_a_label_that_names_no_unit_is_refused():
    def build(b, _options):
        b.x = pyo.Var(b.time, doc="highest power")

    with pytest.raises(ValueError, match=r"a label reads"):
        compile_block(build, None, 24)
