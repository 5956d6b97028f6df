"""What is given up of a site's promises, level by level.

A block that has a promise offers what it gives up of it as the port `given_up_kwh[t, level]`: load that is cut,
reserve power that is missing times the length of the step, energy that a store lacks or has too much at the end.
"""

from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet
from optimizer.priorities import Giving, Level
from optimizer.problem import Parameters


def parameters(giving: Giving) -> Parameters:
    """Most that may be given up over the horizon; shape (levels,)."""
    return {"most_kwh": np.array([giving.most_of("", level) for level in Level])}


def build(b: Any, chosen: None) -> None:  # noqa: ARG001 - one signature for all blocks
    """total[t, level] = total[t−1, level] + Σ given_up[t, level] ≤ most[level]."""
    b.levels = pyo.RangeSet(int(min(Level)), int(max(Level)))
    b.most_kwh = pyo.Param(b.levels, mutable=True, initialize=1.0)
    given_up_kwh = inlet(b, "given_up_kwh", b.levels)
    b.total_kwh = pyo.Var(b.time, b.levels, bounds=lambda b, t, level: (0, b.most_kwh[level]))  # noqa: ARG005

    @b.Constraint(b.time, b.levels)
    def count(b: Any, t: int, level: int) -> Any:
        before_kwh = b.total_kwh[t - 1, level] if t else 0
        return b.total_kwh[t, level] == before_kwh + given_up_kwh[t, level]
