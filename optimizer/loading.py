"""How does a site become a model in the solver, and how does the model take in the site's next state?"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimizer.aim import with_aim
from optimizer.assembly import Assembly, Exclusive, assemble, every_parameters, shape_of
from optimizer.highs import Solver
from optimizer.problem import Problem
from optimizer.program import Arrays
from optimizer.update import update
from optimizer.wanted import with_wanted


@dataclass(frozen=True)
class Loaded:
    """A site in the solver."""

    assembly: Assembly
    solver: Solver
    shape: Hashable
    """What a site of another shape differs in: blocks, their options, or the number of steps."""

    @cached_property
    def arrays(self) -> Arrays:
        """The model as its parameters make it; bounds that a search held since stand in the solver alone."""
        return replace(self.assembly.program.arrays(), is_integer=self.assembly.is_integer)


def load(problem: Problem, exclusive: Exclusive) -> Loaded:
    """Assemble a site and hand it to the solver."""
    assembly = assemble(problem, exclusive)
    arrays = replace(assembly.program.arrays(), is_integer=assembly.is_integer)
    arrays = with_wanted(with_aim(arrays, assembly, problem), assembly, problem)
    return Loaded(assembly, Solver(arrays), shape_of(problem, exclusive))


def reload(former: Loaded, problem: Problem, exclusive: Exclusive) -> Loaded:
    """Take the numbers of a site into the model of an earlier one of the same shape, and go on from its last basis.

    A site of another shape, or one with binaries, is loaded anew.
    """
    if former.shape != shape_of(problem, exclusive) or former.assembly.is_integer.any():
        return load(problem, exclusive)
    program, solver, parts = former.assembly.program, former.solver, former.assembly.parts
    kinds: set[str] = set()
    for stamp in program.stamps:
        kinds |= update(program, solver, stamp, 0, {"step_h": problem.step_h})
    for owner, parameters in every_parameters(problem).items():
        kinds |= update(program, solver, parts[owner].stamp, parts[owner].block, parameters)
    loaded = Loaded(former.assembly, solver, former.shape)
    if "matrix" in kinds:
        solver.reload(loaded.arrays)
    else:
        every_column = np.arange(program.column_count, dtype=np.int32)
        solver.change_columns(every_column, *program.column_bounds())  # what the last search held is free again
    return loaded
