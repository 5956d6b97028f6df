"""How long until 1,000 batteries × 96 steps with a coupled reserve stand in the solver, and in how much memory?

The peers are numpy arrays filled by hand, and Pyomo's own two ways into HiGHS. Nothing is solved while the clock runs;
that the models are the same is checked on the optimum of a small fleet and on the matrix of the large one.
"""

import time
from functools import partial

import numpy as np

from benchmarks import pyomo_peer, raw
from benchmarks.fleet import CREATED, Array, problem_of, seeded
from benchmarks.timing import Comparison, Figure, Result, compared, in_new_processes, peak_memory_mb, side_by_side
from optimizer.loading import load
from optimizer.planner import plan
from optimizer.problem import Problem

LARGE, MIDDLE, SMALL = 1000, 100, 10
STEPS = 96
MOST_OVER_RAW, MOST_OVER_PYOMO, MOST_MEMORY_MB = 2.0, 1 / 200, 300.0
NOTHING_SOLVED = float("nan")
fleet_of = partial(seeded, steps=STEPS, seed=7, hold_share=0.2)


def measure(*, slow: bool) -> list[Result]:
    """Compare with both peers; `slow` builds the large fleet in Pyomo as well, which takes minutes."""
    fleet, problem = fleet_of(LARGE), problem_of(fleet_of(LARGE))
    results: list[Result] = [
        side_by_side(
            f"model ready, {LARGE} × {STEPS}, reserve",
            "arrays by hand + passModel",
            (partial(_ours, problem), lambda _: _unsolved(raw.loaded(raw.filled(fleet)))),
            repetitions=7,
            most=MOST_OVER_RAW,
        ),
        _largest_difference(),
        Figure("peak memory of the process, ours", max(in_new_processes(_our_memory_mb, 3)), "MB", MOST_MEMORY_MB),
        Figure("peak memory of the process, arrays by hand", max(in_new_processes(_raw_memory_mb, 3)), "MB"),
    ]
    for transfer in pyomo_peer.TRANSFERS:
        results.append(_over_pyomo(MIDDLE, transfer, repetitions=5))
        if slow:
            results.append(_over_pyomo(LARGE, transfer, repetitions=1))
    return results


def _ours(problem: Problem, _number: int) -> float:
    return _unsolved(load(problem, {}))


def _unsolved(_model: object) -> float:
    return NOTHING_SOLVED


def _over_pyomo(count: int, transfer: str, repetitions: int) -> Comparison:
    """Repetitions in turn; the objectives that are compared are those of a small fleet, solved on both sides."""
    small = fleet_of(SMALL)
    ours_net, peer_net = plan(problem_of(small), CREATED).money.net, pyomo_peer.best_net(small)
    fleet, problem, samples = fleet_of(count), problem_of(fleet_of(count)), []
    load(problem, {})
    for _ in range(repetitions):
        started = time.perf_counter()
        load(problem, {})
        between = time.perf_counter()
        pyomo_peer.ready(fleet, transfer)
        samples.append(((between - started, ours_net), (time.perf_counter() - between, peer_net)))
    return compared(f"model ready, {count} × {STEPS}, reserve", transfer, samples, MOST_OVER_PYOMO)


def _largest_difference() -> Figure:
    """Between the two large models: bounds and costs of all columns, and all rows at one random point.

    Both order their columns alike, so that only rows have to be sorted. Our rows for the energy at the end, which are
    bounds of columns there, and the preference that breaks ties are left out.
    """
    fleet = fleet_of(LARGE)
    by_hand, loaded = raw.filled(fleet), load(problem_of(fleet), {})
    ours, (cost, _) = loaded.arrays, loaded.assembly.program.costs(("energy", "wear"))
    point = np.random.default_rng(3).uniform(size=cost.size)
    has_partner = np.diff(ours.start) > 1
    mine = _activity(ours.start, ours.column, ours.value, point)[has_partner]
    theirs = _activity(by_hand.start, by_hand.column, by_hand.value, point)
    differences = [
        np.abs(cost - by_hand.cost).max(),
        _bound_difference(ours.lower, by_hand.lower),
        _bound_difference(ours.upper, by_hand.upper),
        np.abs(np.sort(mine) - np.sort(theirs)).max(),
    ]
    return Figure("largest difference of costs, bounds and rows", float(max(differences)), "kW", 1e-6)


def _bound_difference(ours: Array, by_hand: Array) -> float:
    """Largest difference of bounds before the last step."""
    mine, theirs = (np.nan_to_num(bound.reshape(LARGE * 5, STEPS)[:, :-1]) for bound in (ours, by_hand))
    return float(np.abs(mine - theirs).max())


def _activity(start: "np.ndarray", column: "np.ndarray", value: Array, point: Array) -> Array:
    return np.add.reduceat(value * point[column], start[:-1])


def _our_memory_mb(_number: int) -> float:
    loaded = load(problem_of(fleet_of(LARGE)), {})
    assert loaded.arrays.cost.size == LARGE * STEPS * 5
    return peak_memory_mb()


def _raw_memory_mb(_number: int) -> float:
    raw.loaded(raw.filled(fleet_of(LARGE)))
    return peak_memory_mb()
