"""How does a site become a model in the solver?"""

from dataclasses import dataclass, replace

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
    assembly = assemble(problem, exclusive)
    arrays = replace(assembly.program.arrays(), is_binary=assembly.is_binary)
    return Loaded(assembly, arrays, Solver(arrays))
