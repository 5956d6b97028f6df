"""How is the best answer found, with binaries only where they can matter?

The linear relaxation is solved first. If it charges and discharges at once somewhere, and the stores that do so are
alone with that decision, their directions are found exactly, one store after the other. Otherwise each step that does
both (or imports and exports at once) becomes a decision between the two, and the search goes on until no step does
both. Every model on the way is a relaxation of the full one, so the first answer that does both nowhere is optimal.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.assembly import CONNECTION, Assembly
from optimizer.directions import decide_directions, hold_directions
from optimizer.highs import Answer, Ending, Method, Solver, Stand
from optimizer.loading import Loaded, load, reload
from optimizer.problem import Options, Problem
from optimizer.tariff.fee import least_per_mwh

SIMPLEX_MOST_STORES = 60
"""Up to so many stores the simplex method is faster than the interior-point method; measured in `benchmarks/`."""
BOTH_AT_ONCE_KW = 1e-6
"""Up to this power both directions at once are noise."""
MOST_WORK = 200_000
"""Without a time limit a search ends after so many nodes times binaries: the same work, and so the same plan, on every
machine. For 200 binaries it takes some five seconds, after which a gap hardly closes further."""
ROUNDS_STEP_BY_STEP = 3
"""After so many rounds, or at once where time is limited, every step of an asset that does both becomes a decision."""

LEAST_SOLVE_S = 0.01
"""A search that is late still gets this long for its last step."""

Steps = NDArray[np.bool_]


class Watch(Protocol):
    """Whoever follows a search. With a watch, Ctrl-C ends the search with its best answer."""

    def built(self, rows: int, columns: int) -> None:
        """Take note of the size of a model before it is solved."""

    def searching(self, stand: Stand) -> None:
        """Take note, several times a second, of how a long search stands."""

    def deciding(self, stores: int, steps: int) -> None:
        """Take note that stores are decided one by one."""


@dataclass(frozen=True)
class Found:
    """An answer, and the model it belongs to."""

    problem: Problem
    assembly: Assembly
    solver: Solver
    answer: Answer
    prices: Answer
    """The answer whose dual prices mean something: the same, or the linear program with its binaries held."""
    first: Loaded
    """The model that the search began with; the next search of a like problem may go on from it."""
    build_s: float
    solve_s: float

    @property
    def has_plan(self) -> bool:
        """Whether there is a feasible answer at all."""
        return self.answer.has_values and self.prices.ending is Ending.OPTIMAL


def search(problem: Problem, watch: Watch | None = None, former: Loaded | None = None) -> Found:
    """Find the best answer within the problem's time limit.

    Args:
        problem: The site, the horizon and everything known about it.
        watch: Told how far a long search is.
        former: The model that an earlier search of a like problem began with; its numbers are replaced.

    Returns:
        An answer whose ending says whether it is optimal, the best found in time, or none at all.

    """
    clock = _Clock(problem.options)
    exclusive = _known_exclusions(problem)
    loaded = first = load(problem, exclusive) if former is None else reload(former, problem, exclusive)
    for round_number in range(problem.horizon.count * (len(loaded.assembly.parts) + 1) + 1):
        if round_number:
            loaded = load(problem, exclusive)
        if watch is not None:
            watch.built(loaded.assembly.program.row_count, loaded.assembly.program.column_count)
        answer = clock.search(loaded, watch)
        every_step = round_number >= ROUNDS_STEP_BY_STEP
        more = _both_at_once(loaded.assembly, answer, exclusive, every_step=every_step)
        if more and not exclusive and problem.wanted is None and problem.giving is None:
            if watch is not None:
                watch.deciding(len(more), problem.horizon.count)
            answer, more = _decided_one_by_one(loaded, answer, more, clock, watch)
        if not more or answer.ending is Ending.STOPPED:
            break
        exclusive |= more
    prices = answer
    if answer.has_values and (more or loaded.assembly.is_integer.any()):
        prices = _directed(loaded, answer, clock)
    return Found(problem, loaded.assembly, loaded.solver, answer, prices, first, clock.build_s, clock.solve_s)


def _decided_one_by_one(
    loaded: Loaded, answer: Answer, more: dict[str, Steps], clock: "_Clock", watch: Watch | None
) -> tuple[Answer, dict[str, Steps]]:
    """The answer with the directions of independent stores decided, and who still does both."""
    error = 0.0
    while more:
        added = decide_directions(loaded, list(more))
        if added is None:
            break
        error += added
        answer = clock.search(loaded, watch) if loaded.assembly.is_integer.any() else clock.solve(loaded)
        more = _both_at_once(loaded.assembly, answer, {}, every_step=False)
    is_exact = error <= clock.options.gap_fraction * abs(answer.cost)
    ending = answer.ending if is_exact or not answer.has_values else Ending.STOPPED
    return replace(answer, ending=ending, cost_bound=answer.cost_bound - error), more


def _directed(loaded: Loaded, answer: Answer, clock: "_Clock") -> Answer:
    """The best that can be done with the directions of an answer.

    It is the answer itself, cleaned of the solver's tolerance for binaries, unless the search was stopped while some
    step still went both ways; then it goes the stronger of the two.
    """
    integers = np.flatnonzero(loaded.assembly.is_integer).astype(np.int32)
    loaded.solver.fix_integers(integers, answer.value[integers])
    hold_directions(loaded, answer.value)
    return clock.solve(loaded)


class _Clock:
    """Keeps the time of a search apart: what the solver took, and the rest."""

    def __init__(self, options: Options) -> None:
        self._started, self.options, self.solve_s = time.perf_counter(), options, 0.0

    def search(self, loaded: Loaded, watch: Watch | None) -> Answer:
        """Solve within what is left of the time, or of the work where time is not limited."""
        limit_s, integers = self.options.time_limit_s, int(loaded.assembly.is_integer.sum())
        left_s = None if limit_s is None else max(self._started + limit_s - time.perf_counter(), LEAST_SOLVE_S)
        return self._timed(
            lambda: loaded.solver.run(
                method_for(loaded.assembly),
                gap_fraction=self.options.gap_fraction,
                time_limit_s=left_s,
                most_nodes=MOST_WORK // integers if integers and limit_s is None else None,
                watch=None if watch is None else watch.searching,
            )
        )

    def solve(self, loaded: Loaded) -> Answer:
        """Solve a linear program to its end."""
        return self._timed(lambda: loaded.solver.run(method_for(loaded.assembly)))

    def _timed(self, run: Callable[[], Answer]) -> Answer:
        started = time.perf_counter()
        answer = run()
        self.solve_s += time.perf_counter() - started
        return answer

    @property
    def build_s(self) -> float:
        """Time since the start that was not spent in the solver."""
        return time.perf_counter() - self._started - self.solve_s


def method_for(assembly: Assembly) -> Method:
    """The faster method for a model of this size."""
    stores = sum(("stored_kwh", ()) in part.stamp.template.ports for part in assembly.parts.values())
    return Method.DUAL_SIMPLEX if stores <= SIMPLEX_MOST_STORES else Method.INTERIOR_POINT


def _known_exclusions(problem: Problem) -> dict[str, Steps]:
    """Where two directions exclude each other from the start, because doing both would pay."""
    exclusive: dict[str, Steps] = {}
    if problem.giving is not None and problem.giving.aim is not None:
        return exclusive  # money is no aim, so nothing pays
    for future in problem.futures:
        energy = future.problem.energy
        if energy.export_price_per_mwh is not None:
            fees = [entry for entry in problem.tariff if entry.kind == "energy"]
            fee_per_mwh = sum((least_per_mwh(fee, problem.horizon) for fee in fees), np.zeros(problem.horizon.count))
            pays = np.array(energy.export_price_per_mwh) > np.array(energy.import_price_per_mwh) + fee_per_mwh
            if pays.any():
                exclusive[future.owner(CONNECTION)] = pays
    return exclusive


def _both_at_once(assembly: Assembly, answer: Answer, known: dict[str, Steps], *, every_step: bool) -> dict[str, Steps]:
    """Owners that do both in a step that was not yet a decision, with all the steps that now are."""
    more: dict[str, Steps] = {}
    if not answer.has_values:
        return more
    for owner, part in assembly.parts.items():
        if part.exclusion is None or not part.exclusion.is_enforced:
            continue
        first, second = (assembly.column(answer.value, owner, name) for name in part.exclusion.columns)
        does_both = np.minimum(first, second) > BOTH_AT_ONCE_KW
        if does_both.any():
            already = known.get(owner, np.zeros_like(does_both))
            if (does_both & ~already).any():
                more[owner] = np.ones_like(already) if every_step else already | does_both
    return more
