"""How does a site become a model in the solver?"""

from dataclasses import dataclass, replace

import numpy as np

from optimizer.assembly import Assembly, Exclusive, assemble
from optimizer.highs import Solver
from optimizer.problem import Problem
from optimizer.program import Arrays


@dataclass(frozen=True)
class Loaded:
    """A site in the solver."""

    assembly: Assembly
    arrays: Arrays
    """The model as it was handed over; what was changed since stands in the solver alone."""
    solver: Solver


def load(problem: Problem, exclusive: Exclusive) -> Loaded:
    """Assemble a site and hand it to the solver."""
    assembly, arrays = _assembled(problem, exclusive)
    return Loaded(assembly, arrays, Solver(arrays))


def reload(former: Loaded, problem: Problem, exclusive: Exclusive) -> Loaded:
    """Assemble a site and hand it to a solver that may know one of the same shape.

    Where it does, the solver goes on from its last basis, which saves most of the work when little has changed.
    """
    assembly, arrays = _assembled(problem, exclusive)
    if not _has_same_shape(former.arrays, arrays):
        return Loaded(assembly, arrays, Solver(arrays))
    has_same_matrix = np.array_equal(former.arrays.value, arrays.value)
    former.solver.continue_with(arrays, has_same_matrix=has_same_matrix)
    return Loaded(assembly, arrays, former.solver)


def _assembled(problem: Problem, exclusive: Exclusive) -> tuple[Assembly, Arrays]:
    assembly = assemble(problem, exclusive)
    return assembly, replace(assembly.program.arrays(), is_binary=assembly.is_binary)


def _has_same_shape(former: Arrays, arrays: Arrays) -> bool:
    """Whether two linear programs have their coefficients in the same places."""
    return (
        not former.is_binary.any()
        and not arrays.is_binary.any()
        and arrays.cost.size > 0
        and np.array_equal(former.start, arrays.start)
        and np.array_equal(former.column, arrays.column)
    )
