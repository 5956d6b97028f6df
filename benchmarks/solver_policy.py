"""Up to how many stores is the simplex method faster than the interior-point method, and which one after a change?

What `SIMPLEX_MOST_STORES` and `method_for` in `optimizer/search.py` rest on. Here the peer of the interior-point method
is the dual simplex method on the same model, so that a ratio below 1 says that interior point is faster.
"""

import time

from benchmarks.fleet import Fleet, problem_of, seeded
from benchmarks.timing import Result, Sample, compared
from optimizer.highs import Ending, Method
from optimizer.loading import load

STORES = (5, 10, 20, 30, 40)
REPETITIONS = 5
TOO_LONG_S = 60.0
"""A run that takes longer counts with this time."""


def measure(**_: bool) -> list[Result]:
    """Compare the two methods from a cold start, without and with a reserve that couples the stores."""
    return [
        _methods(f"interior point, {count} × 96, {kind}", count, hold_share)
        for kind, hold_share in (("energy only", 0.0), ("reserve", 0.2))
        for count in STORES
    ]


def _methods(what: str, count: int, hold_share: float) -> Result:
    samples = []
    for seed in range(REPETITIONS):
        fleet = seeded(count, 96, seed=seed, hold_share=hold_share)
        dual, interior = _cold(fleet, Method.DUAL_SIMPLEX), _cold(fleet, Method.INTERIOR_POINT)
        samples.append((interior, dual))
    return compared(what, "dual simplex", samples, None)


def _cold(fleet: Fleet, method: Method) -> Sample:
    solver = load(problem_of(fleet), {}).solver
    started = time.perf_counter()
    answer = solver.run(method, time_limit_s=TOO_LONG_S)
    elapsed_s = time.perf_counter() - started
    return elapsed_s, -answer.cost / 1000 if answer.ending is Ending.OPTIMAL else float("nan")
