"""Which method of HiGHS is the faster one, and up to which size?

What `SIMPLEX_MOST_STORES` in `optimizer/search.py` and `SMALL_COLUMNS` in `optimizer/highs.py` rest on. All runs start
cold on one model of a seeded fleet. In the first block the interior-point method is compared with the dual simplex
method, in the second the simplex method as small models have it with HiGHS's own defaults; a ratio below 1 says that
the method named first is faster.
"""

import time
from collections.abc import Callable

from benchmarks import raw
from benchmarks.fleet import Fleet, problem_of, seeded
from benchmarks.timing import Result, Sample, compared
from optimizer.highs import Ending, Method
from optimizer.loading import load

STORES, MANY_STORES = (5, 10, 20, 30, 40, 60), (100, 150)
FEW_STORES = (1, 2, 3, 5, 10)
REPETITIONS = 5
TOO_LONG_S = 60.0
"""A run that takes longer counts with this time."""
KINDS = (("energy only", 0.0), ("reserve", 0.2))
SMALL = {"presolve": "off", "simplex_dual_edge_weight_strategy": 1}

Run = Callable[[Fleet], Sample]


def measure(*, slow: bool) -> list[Result]:
    """Compare without and with a reserve that couples the stores; `slow` adds more than sixty."""
    return [
        *_compare("interior point", _interior, "dual simplex", _dual, (*STORES, *MANY_STORES) if slow else STORES),
        *_compare("no presolve, Devex", _small, "HiGHS's defaults", _defaults, FEW_STORES),
    ]


def _compare(name: str, run: Run, peer: str, peer_run: Run, counts: tuple[int, ...]) -> list[Result]:
    results: list[Result] = []
    for kind, hold_share in KINDS:
        for count in counts:
            fleets = [seeded(count, 96, seed=seed, hold_share=hold_share) for seed in range(REPETITIONS)]
            samples = [(run(fleet), peer_run(fleet)) for fleet in fleets]
            results.append(compared(f"{name}, {count} × 96, {kind}", peer, samples, None))
    return results


def _interior(fleet: Fleet) -> Sample:
    return _ours(fleet, Method.INTERIOR_POINT)


def _dual(fleet: Fleet) -> Sample:
    return _ours(fleet, Method.DUAL_SIMPLEX)


def _ours(fleet: Fleet, method: Method) -> Sample:
    solver = load(problem_of(fleet), {}).solver
    started = time.perf_counter()
    answer = solver.run(method, time_limit_s=TOO_LONG_S)
    elapsed_s = time.perf_counter() - started
    return elapsed_s, -answer.cost / 1000 if answer.ending is Ending.OPTIMAL else float("nan")


def _defaults(fleet: Fleet) -> Sample:
    return _by_hand(fleet, {})


def _small(fleet: Fleet) -> Sample:
    return _by_hand(fleet, SMALL)


def _by_hand(fleet: Fleet, options: dict[str, object]) -> Sample:
    solver = raw.loaded(raw.filled(fleet))
    for option, choice in options.items():
        solver.setOptionValue(option, choice)
    started = time.perf_counter()
    net, _ = raw.solved(solver)
    return time.perf_counter() - started, net
