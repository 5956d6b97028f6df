"""Which days are planned? Days that every peer can express: batteries behind one meter, one price, no wear, no reserve.

The batteries stay, and each day has prices of its own. Stored energy ends where it began, neither lower nor higher,
because EMHASS knows no other end.
"""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from benchmarks.fleet import Fleet, problem_of, seeded
from optimizer.problem import Problem

STEPS = 96
BATTERIES_SEED = 11


def days(batteries: int, count: int, *, is_ever_negative: bool = False) -> list[Fleet]:
    """Days of a quarter-hourly price; the meter of several batteries carries 60 % of their power."""
    limit_share = 1.0 if batteries == 1 else 0.6
    fleet = seeded(batteries, STEPS, seed=BATTERIES_SEED, limit_share=limit_share)
    return [
        replace(
            fleet,
            wear_per_mwh=np.zeros(batteries),
            price_per_mwh=seeded(1, STEPS, seed=seed, is_ever_negative=is_ever_negative).price_per_mwh,
        )
        for seed in range(count)
    ]


def site_of(fleet: Fleet) -> Problem:
    """The day as our own problem, whose batteries end at exactly one half."""
    problem = problem_of(fleet)
    ends = {"final_soc_fraction": 0.5, "final_soc_max_fraction": 0.5}
    return replace(problem, assets=tuple(asset.model_copy(update=ends) for asset in problem.assets))


def document_of(fleet: Fleet) -> dict[str, Any]:
    """The day as JSON."""
    numbers = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(fleet).items()}
    return numbers | {"count": fleet.count, "steps": fleet.steps}
