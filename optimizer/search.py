"""How is the best answer found, with binaries only where they can matter?

The linear relaxation is solved first. Where it charges and discharges at once (or imports and exports at once), that
step becomes a decision between the two, and the search goes on until no step does both. Every model on the way is a
relaxation of the full one, so the first answer that does both nowhere is optimal for it.
"""

import time
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.assembly import CONNECTION, Assembly, assemble
from optimizer.assets import model_of
from optimizer.highs import Answer, Ending, Method, Solver, Stand
from optimizer.problem import Problem

SIMPLEX_MOST_STORES = 30
"""Up to so many stores the simplex method is faster than the interior-point method; measured in `benchmarks/`."""
BOTH_AT_ONCE_KW = 1e-6
"""Up to this power both directions at once are noise."""
ROUNDS_STEP_BY_STEP = 3
"""After so many rounds, or at once where time is limited, every step of an asset that does both becomes a decision."""

Steps = NDArray[np.bool_]


class Watch(Protocol):
    """Whoever follows a search. With a watch, Ctrl-C ends the search with its best answer."""

    def built(self, rows: int, columns: int) -> None:
        """Take note of the size of a model before it is solved."""

    def searching(self, stand: Stand) -> None:
        """Take note, several times a second, of how a long search stands."""


@dataclass(frozen=True)
class Found:
    """An answer, and the model it belongs to."""

    problem: Problem
    assembly: Assembly
    solver: Solver
    answer: Answer
    prices: Answer
    """The answer whose dual prices mean something: the same, or the linear program with its binaries held."""
    build_s: float
    solve_s: float


def search(problem: Problem, watch: Watch | None = None) -> Found:
    """Find the best answer within the problem's time limit.

    The ending of the answer says whether it is optimal, the best found in time, or none at all.
    """
    started = time.perf_counter()
    limit_s, solve_s = problem.options.time_limit_s, 0.0
    exclusive = _known_exclusions(problem)
    for round_number in range(problem.horizon.count * (len(problem.assets) + 1) + 1):
        assembly = assemble(problem, exclusive)
        solver = Solver(replace(assembly.program.arrays(), is_binary=assembly.is_binary))
        if watch is not None:
            watch.built(assembly.program.row_count, assembly.program.column_count)
        run_started = time.perf_counter()
        answer = solver.run(
            method_for(assembly),
            gap_fraction=problem.options.gap_fraction,
            time_limit_s=None if limit_s is None else max(started + limit_s - run_started, 0.01),
            watch=None if watch is None else watch.searching,
        )
        solve_s += time.perf_counter() - run_started
        every_step = round_number >= ROUNDS_STEP_BY_STEP or limit_s is not None
        more = _both_at_once(assembly, answer, exclusive, every_step=every_step)
        if not more:
            break
        exclusive |= more
    run_started = time.perf_counter()
    prices = _priced(assembly, solver, answer)
    solve_s += time.perf_counter() - run_started
    return Found(problem, assembly, solver, answer, prices, time.perf_counter() - started - solve_s, solve_s)


def method_for(assembly: Assembly) -> Method:
    """The faster method for a model of this size."""
    stores = sum(("stored_kwh", ()) in part.stamp.template.ports for part in assembly.parts.values())
    return Method.DUAL_SIMPLEX if stores <= SIMPLEX_MOST_STORES else Method.INTERIOR_POINT


def _known_exclusions(problem: Problem) -> dict[str, Steps]:
    """Where two directions exclude each other from the start: where that was asked for, or where doing both pays."""
    exclusive: dict[str, Steps] = {}
    for asset in problem.assets:
        exclusion = model_of(asset).exclusion(asset)
        if exclusion is not None and exclusion.when == "always":
            exclusive[asset.id] = np.ones(problem.horizon.count, dtype=bool)
    if problem.energy.export_price_per_mwh is not None:
        pays = np.array(problem.energy.export_price_per_mwh) > np.array(problem.energy.import_price_per_mwh)
        if pays.any():
            exclusive[CONNECTION] = pays
    return exclusive


def _both_at_once(assembly: Assembly, answer: Answer, known: dict[str, Steps], *, every_step: bool) -> dict[str, Steps]:
    """Owners that do both in a step that was not yet a decision, with all the steps that now are."""
    more: dict[str, Steps] = {}
    if answer.ending in (Ending.INFEASIBLE, Ending.NOTHING):
        return more
    for owner, part in assembly.parts.items():
        if part.exclusion is None or part.exclusion.when == "never":
            continue
        first, second = (assembly.column(answer.value, owner, name) for name in part.exclusion.columns)
        does_both = np.minimum(first, second) > BOTH_AT_ONCE_KW
        if does_both.any():
            already = known.get(owner, np.zeros_like(does_both))
            if (does_both & ~already).any():
                more[owner] = np.ones_like(already) if every_step else already | does_both
    return more


def _priced(assembly: Assembly, solver: Solver, answer: Answer) -> Answer:
    if answer.ending in (Ending.INFEASIBLE, Ending.NOTHING) or not assembly.is_binary.any():
        return answer
    binaries = np.flatnonzero(assembly.is_binary).astype(np.int32)
    solver.fix_binaries(binaries, answer.value[binaries])
    return solver.run(method_for(assembly))
