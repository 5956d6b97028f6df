"""What flows into a store by itself, and what of it is spilled?"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import series
from optimizer.problem import Inputs, Parameters
from optimizer.storage.machines import TwoMachines


def inflow_parameters(store: TwoMachines, inputs: Inputs) -> Parameters:
    """Power of the inflow, and how little each step's spill is liked: less the earlier, so that a store fills first."""
    inflow_kw = store.kw_per_inflow * inputs.series["inflow"]
    return {"inflow_kw": inflow_kw, "spill_weight": np.linspace(2, 1, inflow_kw.size)}


def let_in(b: Any) -> Callable[[int], Any]:
    """Natural inflow, of which what does not fit may pass by.

    Returns:
        What stays of it in a step [kW].

    """
    series(b, "inflow_kw", "spill_weight")
    b.spill_kw = pyo.Var(b.time, bounds=lambda b, t: (0, b.inflow_kw[t]))
    return lambda t: b.inflow_kw[t] - b.spill_kw[t]
