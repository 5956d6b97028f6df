"""How bad are the worst scenarios? Conditional value at risk, as one more block and as plain arithmetic.

After Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2(3), 2000: of outcomes x_s
with probabilities w_s, the mean of the worst 1 − α is max over z of z − Σ w_s·max(0, z − x_s) / (1 − α).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import scalars
from optimizer.ports import OUTCOME
from optimizer.problem import Parameters, Problem


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    scenario_count: int


def parameters(problem: Problem) -> Parameters:
    """Weights of the scenarios, the share of them that counts as worst, and how much that share counts."""
    return {
        "probability": np.array([scenario.weight for scenario in problem.scenarios]),
        "tail_fraction": 1 - problem.risk.cvar_alpha,
        "cvar_weight": problem.risk.cvar_weight,
    }


def build(b: Any, chosen: Options) -> None:
    """shortfall[s] ≥ threshold − outcome[s]; risk = λ·(threshold − Σ w[s]·shortfall[s] / (1 − α))."""
    b.scenarios = pyo.RangeSet(0, chosen.scenario_count - 1)
    scalars(b, "tail_fraction", "cvar_weight")
    b.probability = pyo.Param(b.scenarios, mutable=True, initialize=1.0)
    b.add_component(OUTCOME, pyo.Var(b.scenarios))
    outcome = b.component(OUTCOME)
    b.threshold = pyo.Var()
    b.shortfall = pyo.Var(b.scenarios, domain=pyo.NonNegativeReals)
    b.tail = pyo.Constraint(b.scenarios, rule=lambda b, s: b.shortfall[s] + outcome[s] >= b.threshold)
    missing = sum(b.probability[s] * b.shortfall[s] for s in b.scenarios)
    b.risk = pyo.Expression(expr=b.cvar_weight * (b.threshold - missing / b.tail_fraction))


def mean_of_worst(outcomes: Sequence[float], weights: Sequence[float], alpha: float) -> float:
    """Mean of the worst 1 − alpha of all weight, the last outcome counted by the part of its weight that belongs there.

    Args:
        outcomes: What each scenario comes to.
        weights: Their probabilities, which sum to one.
        alpha: From 0, the mean of all, to below 1.

    """
    order = np.argsort(outcomes, kind="stable")
    ahead = np.cumsum(np.array(weights)[order]) - np.array(weights)[order]
    counted = np.clip(1 - alpha - ahead, 0, np.array(weights)[order])
    return float(counted @ np.array(outcomes)[order] / counted.sum())
