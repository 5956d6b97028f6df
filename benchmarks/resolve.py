"""How much of the time of a re-solve is ours, after a new state of charge?

The peer keeps its model in HiGHS, changes one row's bounds, runs from its last basis and reads the columns. Ours takes
a newly measured state, finds the parameters that it changes, writes them where they go, runs and reads the columns.
"""

from dataclasses import replace

import numpy as np

from benchmarks import raw
from benchmarks.fleet import Fleet, problem_of, seeded
from benchmarks.timing import Result, side_by_side
from optimizer.assembly import asset_parameters
from optimizer.loading import load
from optimizer.ports import MONEY
from optimizer.problem import State
from optimizer.search import method_for
from optimizer.update import update

MOST_OVER_RAW = 2.0
MOVE_SHARES = np.random.default_rng(5).uniform(0.45, 0.55, 1000)
"""States of charge that are measured, one after the other."""


def measure(**_: bool) -> list[Result]:
    """Compare for one battery and for ten."""
    return [
        _after_new_states("re-solve after a new state of charge, 1 × 96", seeded(1, 96, seed=2, limit_share=1.0), 201),
        _after_new_states("re-solve after new states of charge, 10 × 96", seeded(10, 96, seed=2, hold_share=0.2), 21),
    ]


def _after_new_states(what: str, fleet: Fleet, repetitions: int) -> Result:
    problem = problem_of(fleet)
    loaded = load(problem, {})
    method = method_for(loaded.assembly)
    loaded.solver.run(method)
    by_hand = raw.loaded(raw.filled(fleet))
    raw.solved(by_hand)
    cost, offset = loaded.assembly.program.costs(MONEY)
    first_rows = np.arange(fleet.count, dtype=np.int32) * (fleet.steps * (5 if fleet.hold_kw else 1))

    def ours(number: int) -> float:
        share = MOVE_SHARES[number]
        states = {a.id: State(share * a.energy_capacity_kwh) for a in problem.assets}  # type: ignore[attr-defined]
        now = replace(problem, states=states)
        for asset in now.assets:
            part = loaded.assembly.parts[asset.id]
            update(loaded.assembly.program, loaded.solver, part.stamp, part.block, asset_parameters(now, asset))
        return -float(cost @ loaded.solver.run(method).value + offset) / 1000

    def peer(number: int) -> float:
        stored_kwh = MOVE_SHARES[number] * fleet.capacity_kwh
        by_hand.changeRowsBounds(fleet.count, first_rows, stored_kwh, stored_kwh)
        return raw.solved(by_hand)[0]

    return side_by_side(what, "HiGHS, rows changed by hand", (ours, peer), repetitions, MOST_OVER_RAW)
