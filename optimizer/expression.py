"""How does a coefficient depend on parameters? Pyomo's expression tree, read once, evaluated with numpy.

A coefficient of a model row is an arithmetic expression of mutable `pyo.Param`s. `read` turns Pyomo's tree into a
value that can be compared and hashed, with time indices made relative to the row; `evaluate` computes it for all
assets and all steps at once.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.core.expr import numeric_expr as pe
from pyomo.core.expr.numvalue import NumericConstant, native_numeric_types, value

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Parameter:
    """A parameter, with its time index relative to the row that uses it."""

    name: str
    offset: int | None
    """Steps after the row's own step; `None` for a parameter without time."""
    key: tuple[Any, ...]
    """The indices beside time, such as a reserve class."""


@dataclass(frozen=True)
class Operation:
    """A sum, product, quotient or power of coefficients."""

    kind: str
    operands: "tuple[Coefficient, ...]"


Coefficient = Number | Parameter | Operation
ZERO = Number(0.0)

_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda first, *rest: sum(rest, first),
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
}
_KINDS: tuple[tuple[Any, str], ...] = (
    (pe.SumExpression, "add"),
    (pe.ProductExpression, "multiply"),
    (pe.DivisionExpression, "divide"),
    (pe.PowExpression, "power"),
)


class UnreadableExpressionError(TypeError):
    """A model uses an operation that coefficients cannot have."""


def read(expression: Any, time: Any, base: int | None) -> Coefficient:
    """Read a Pyomo expression of parameters and numbers.

    Args:
        expression: A number, a `ParamData`, or an arithmetic expression of these.
        time: The `RangeSet` of steps; a parameter whose first index is this set is a series.
        base: Step of the row, from which time indices are counted; `None` for a row without time.

    Raises:
        UnreadableExpressionError: another operation, or a series in a row without time.

    """
    if expression.__class__ in native_numeric_types or isinstance(expression, NumericConstant):
        return Number(float(value(expression)))
    if getattr(expression, "is_parameter_type", bool)():
        return _read_parameter(expression, time, base)
    if isinstance(expression, pe.NegationExpression):
        return combine("multiply", Number(-1.0), read(expression.args[0], time, base))
    for pyomo_type, kind in _KINDS:
        if isinstance(expression, pyomo_type):
            return combine(kind, *(read(argument, time, base) for argument in expression.args))
    raise UnreadableExpressionError(f"{expression}: a coefficient may add, multiply, divide and raise parameters only")


def _read_parameter(parameter: Any, time: Any, base: int | None) -> Coefficient:
    component, index = parameter.parent_component(), parameter.index()
    name = component.local_name
    key = () if index is None else index if isinstance(index, tuple) else (index,)
    if not is_timed(component, time):
        return Parameter(name, None, key)
    if base is None:
        raise UnreadableExpressionError(f"{parameter}: a row without time may not use a value of one step")
    return Parameter(name, key[0] - base, key[1:])


def is_timed(component: Any, time: Any) -> bool:
    """Whether the first index of a Pyomo component is time."""
    return bool(component.is_indexed() and next(iter(component.index_set().subsets())) is time)


def combine(kind: str, *operands: Coefficient) -> Coefficient:
    """An operation, folded where its operands are numbers or neutral."""
    if all(isinstance(operand, Number) for operand in operands):
        return Number(float(_OPERATIONS[kind](*(operand.value for operand in operands if isinstance(operand, Number)))))
    if kind == "multiply":
        if ZERO in operands:
            return ZERO
        operands = tuple(operand for operand in operands if operand != Number(1.0))
    if kind == "add":
        operands = tuple(operand for operand in operands if operand != ZERO)
    return operands[0] if len(operands) == 1 else Operation(kind, operands)


def evaluate(coefficient: Coefficient, value_of: Callable[[Parameter], Array]) -> Array | float:
    """Evaluate with `value_of`, which answers each parameter with an array; all arrays broadcast together."""
    if isinstance(coefficient, Number):
        return coefficient.value
    if isinstance(coefficient, Parameter):
        return value_of(coefficient)
    result: Array = _OPERATIONS[coefficient.kind](*[evaluate(operand, value_of) for operand in coefficient.operands])
    return result


def parameters_in(coefficient: Coefficient) -> Iterator[Parameter]:
    """Every parameter that a coefficient uses."""
    if isinstance(coefficient, Parameter):
        yield coefficient
    elif isinstance(coefficient, Operation):
        for operand in coefficient.operands:
            yield from parameters_in(operand)
