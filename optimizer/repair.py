"""What is done where no plan keeps every promise?

Level by level, in the order of their priority, as little as possible is given up; what a level came to is held, and
the money decides among the plans that are left (lexicographic optimisation; Isermann, "Linear lexicographic
optimization", OR Spektrum 4, 1982). Physics, and the limits of devices and of the grid, never give way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.aim import given_up_kwh, promised
from optimizer.asset import Asset
from optimizer.conflicts import refusal
from optimizer.highs import Ending
from optimizer.priorities import Giving, Level
from optimizer.problem import Problem
from optimizer.search import Found, Watch, search
from vpp.domain.plan import Outcome, Plan, Repair, Schedule

SLACK_KWH = 1e-7
"""What a level came to is held with so much room, and with the solver's tolerance for each step, which it needs."""
NOTHING = 1e-4
"""Up to so many kWh or kW nothing is missing,"""
NO_SHARE = 1e-9
"""nor up to this share of what is promised beside them."""

WINDOW = len(Level)
"""The level of a store that was measured outside its window, after all promises."""
OUTSIDE_SHARE = 0.01
"""Up to this share of its capacity a store outside its window is one at its edge, measured as well as can be."""
GIVEN = ("critical load", "upward reserve", "downward reserve", "energy at the end")
"""Limits, as models label them, that are promises."""


@dataclass(frozen=True)
class Concession:
    """What a site gives up so that there is a plan."""

    problem: Problem
    """The problem with what each level may give up; it has a plan."""
    levels: Mapping[Level, Found]
    """For each level the answer that gives up least of it, those before it held."""


def concede(problem: Problem, watch: Watch | None = None) -> Concession:
    """Give up as little as possible, level by level; a level of which the site has no promise is passed over.

    Raises:
        InfeasibleError: no plan keeps the limits that never give way, or none was found in the time allowed.

    """
    giving, levels = Giving(), dict[Level, Found]()
    found: Found | None = None
    for level in promised(problem):
        before, found = found, search(replace(problem, giving=replace(giving, aim=level)), watch)
        if not found.has_plan:
            if before is None or found.answer.ending is Ending.INFEASIBLE:
                raise refusal(found)
            found = replace(before, answer=replace(before.answer, ending=Ending.STOPPED))
        room_kwh = SLACK_KWH + found.solver.tolerance * problem.horizon.count / 10
        reached = {
            (future.name, level): given_up_kwh(found.assembly, future, found.prices.value, level) + room_kwh
            for future in problem.futures
        }
        stopped = giving.stopped | (frozenset() if found.answer.ending is Ending.OPTIMAL else {level})
        giving, levels[level] = Giving({**giving.most_kwh, **reached}, stopped=stopped), found
    return Concession(replace(problem, giving=giving), levels)


def find(problem: Problem, watch: Watch | None = None, found: Found | None = None) -> tuple[Found, Concession | None]:
    """The best answer that keeps every promise; where there is none, the best of those that break the least.

    Args:
        problem: What is to be planned.
        watch: Told how far a long search is.
        found: The answer of a search for it, if there was one.

    Raises:
        InfeasibleError: no plan keeps the limits that never give way, or none was found in the time allowed.

    """
    found = found or search(problem, watch)
    if found.has_plan:
        return found, None
    if found.answer.ending is not Ending.INFEASIBLE:
        raise refusal(found)
    concession = concede(problem, watch)
    settled = search(concession.problem, watch)
    if not settled.has_plan:
        raise refusal(settled)
    return settled, concession


def settled(problem: Problem, made: Plan) -> Problem:
    """The problem itself, or, where its plan gives up promises, the same with what it gives up of them."""
    if not made.most_given_up_kwh:
        return problem
    most_kwh = {(name, Level(level)): kwh for (name, level), kwh in made.most_given_up_kwh.items()}
    return replace(problem, giving=Giving(most_kwh))


def read_repairs(problem: Problem, outcomes: Sequence[Outcome]) -> tuple[Repair, ...]:
    """Every promise that a plan breaks, the gravest first; over scenarios, where it breaks most."""
    outside = [repair for asset in problem.assets for repair in _outside(problem, asset)]
    if problem.giving is None:
        return tuple(outside)
    worst: dict[tuple[str, str | None], Repair] = {}
    for outcome in outcomes:
        for repair in _repairs(problem, outcome):
            key, is_least = (repair.constraint, repair.asset_id), Level(repair.level) not in problem.giving.stopped
            if key not in worst or repair.amount > worst[key].amount:
                worst[key] = replace(repair, is_least=is_least)
    return (*sorted(worst.values(), key=lambda repair: repair.level), *outside)


def _outside(problem: Problem, asset: Asset) -> Iterator[Repair]:
    """A store that was measured outside its window, which opens for it: that is said, and gives nothing up."""
    state, capacity_kwh = problem.states.get(asset.id), getattr(asset, "energy_capacity_kwh", None)
    if state is None or capacity_kwh is None:
        return
    lowest_kwh = getattr(asset, "min_soc_fraction", 0.0) * capacity_kwh
    highest_kwh = getattr(asset, "max_soc_fraction", 1.0) * capacity_kwh
    for name, bound_kwh, beyond_kwh in (
        ("lowest stored energy", lowest_kwh, lowest_kwh - state.stored_kwh),
        ("highest stored energy", highest_kwh, state.stored_kwh - highest_kwh),
    ):
        if beyond_kwh > OUTSIDE_SHARE * capacity_kwh:
            yield Repair(WINDOW, name, asset.id, beyond_kwh, "kWh", bound_kwh, 0.0, (0,))


def _repairs(problem: Problem, outcome: Outcome) -> Iterator[Repair]:
    for schedule in outcome.schedules:
        yield from _cuts(problem, outcome, schedule)
    for reserve in problem.reserves:
        held_kw = [position.quantity_kw for position in outcome.positions if position.product == reserve.product]
        missing_kw = np.array(reserve.hold_kw) - held_kw
        is_missing = missing_kw > NOTHING + NO_SHARE * np.array(reserve.hold_kw)
        if is_missing.any():
            steps = np.flatnonzero(is_missing)
            yield Repair(
                level=Level.CAPACITY,
                constraint=f"{reserve.product} held",
                asset_id=None,
                amount=float(missing_kw.max()),
                unit="kW",
                promised=float(np.array(reserve.hold_kw)[steps].max()),
                given_up_kwh=float(problem.step_h @ np.maximum(missing_kw, 0.0)) * reserve.power,
                steps=tuple(steps.tolist()),
                scenario=outcome.name,
            )
    for schedule in outcome.schedules:
        least_kwh = NOTHING + NO_SHARE * (schedule.energy_capacity_kwh or 0.0)
        if schedule.stored_kwh is not None and abs(schedule.lacking_kwh) > least_kwh:
            yield Repair(
                level=Level.END,
                constraint=f"{'least' if schedule.lacking_kwh > 0 else 'most'} energy at the end",
                asset_id=schedule.asset_id,
                amount=abs(schedule.lacking_kwh),
                unit="kWh",
                promised=schedule.stored_kwh[-1] + schedule.lacking_kwh,
                given_up_kwh=abs(schedule.lacking_kwh),
                steps=(problem.horizon.count - 1,),
                scenario=outcome.name,
            )


def _cuts(problem: Problem, outcome: Outcome, schedule: Schedule) -> Iterator[Repair]:
    cut_kw = np.array(schedule.flows.get("cut_kw", ()))
    wanted_kw = cut_kw - np.array(schedule.export_kw) if cut_kw.size else cut_kw
    steps = np.flatnonzero(cut_kw > NOTHING + NO_SHARE * wanted_kw)
    if steps.size:
        yield Repair(
            level=Level.SERVICE,
            constraint="load served",
            asset_id=schedule.asset_id,
            amount=float(problem.step_h @ cut_kw),
            unit="kWh",
            promised=float(problem.step_h[steps] @ wanted_kw[steps]),
            given_up_kwh=float(problem.step_h @ cut_kw),
            steps=tuple(steps.tolist()),
            scenario=outcome.name,
        )
