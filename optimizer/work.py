"""Who does what? What each store discharges, what that costs and earns, and what the price of wear changes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from optimizer.asset import Asset
from optimizer.assets import check_of
from optimizer.problem import Problem
from optimizer.search import Found
from optimizer.spread import read_outcome
from vpp.domain.plan import Money, Plan, Schedule
from vpp.domain.wear import Shift, Work

MOST_STORES = 20
"""Of more stores nobody reads what each does, and a plan without a price of wear is not made for comparison."""
FREE_OF_WEAR = {"ageing": None, "throughput_cost_per_mwh": 0.0}


def work_of(problem: Problem, schedules: tuple[Schedule, ...]) -> tuple[Work, ...]:
    """What each store does that trades energy, in the order of the site."""
    return tuple(_works(problem, schedules))


def _works(problem: Problem, schedules: tuple[Schedule, ...]) -> Iterator[Work]:
    for asset, schedule in zip(problem.assets, schedules, strict=True):
        if schedule.stored_kwh is not None and "discharge_kw" in schedule.flows:
            yield _work(problem, asset, schedule)


def _work(problem: Problem, asset: Asset, schedule: Schedule) -> Work:
    step_h, export_kw, energy = problem.step_h, np.array(schedule.export_kw), problem.energy
    stored_kwh = (schedule.initial_kwh or 0.0, *(schedule.stored_kwh or ()))
    selling = np.array(energy.export_price_per_mwh or energy.import_price_per_mwh)
    taken_kwh = sum(max(0.0, before - after) for before, after in pairwise(stored_kwh))
    return Work(
        asset_id=asset.id,
        technology=getattr(asset, "technology", None) or schedule.asset_type,
        discharged_kwh=float(step_h @ np.array(schedule.flows["discharge_kw"])),
        full_cycle_count=taken_kwh / (schedule.energy_capacity_kwh or 1.0),
        start_count=_starts(schedule),
        drawn_cost=float((step_h * np.maximum(0, -export_kw)) @ np.array(energy.import_price_per_mwh)) / 1000,
        wear_cost=float(check_of(asset).wear(asset, problem.inputs_of(asset), schedule)),
        given_cash=float((step_h * np.maximum(0, export_kw)) @ selling) / 1000,
    )


def _starts(schedule: Schedule) -> int | None:
    """Starts of a store's machines within the horizon."""
    if "is_discharging" not in schedule.flows:
        return None
    running = [np.array(schedule.flows[name]) > 0 for name in ("is_charging", "is_discharging")]
    return sum(int(np.count_nonzero(np.diff(runs.astype(int)) > 0)) + int(runs[0]) for runs in running)


def free_of_wear(problem: Problem) -> Problem | None:
    """The problem with wear that costs nothing; nothing where that is the same, or of no interest.

    It is of interest where several stores share the work and nothing is uncertain.
    """
    stores = [asset for asset in problem.assets if hasattr(asset, "energy_capacity_kwh")]
    if not 1 < len(stores) <= MOST_STORES or problem.scenarios:
        return None
    assets = tuple(_free_of_wear(asset) for asset in problem.assets)
    return None if assets == problem.assets else replace(problem, assets=assets)


def _free_of_wear(asset: Asset) -> Asset:
    fields = type(asset).model_fields
    return asset.model_copy(update={name: free for name, free in FREE_OF_WEAR.items() if name in fields})


def shift_of(problem: Problem, best: Plan, found: Found) -> Shift | None:
    """What a plan does otherwise than the best one free of wear, which then bears the wear that it makes.

    Args:
        problem: What was planned.
        best: The plan.
        found: The answer to the problem free of wear.

    Returns:
        Nothing where there is no such answer.

    """
    if not found.has_plan:
        return None
    (future,) = found.problem.futures
    other, _ = read_outcome(future, found.assembly, found.prices.value)
    worn = {work.asset_id: work for work in work_of(problem, other.schedules)}
    wear = sum(work.wear_cost for work in worn.values())
    return Shift(
        discharged_kwh={w.asset_id: w.discharged_kwh - worn[w.asset_id].discharged_kwh for w in best.work},
        energy=_without_wear(best.money) - _without_wear(other.money),
        wear=wear + best.money.wear,
    )


def _without_wear(money: Money) -> float:
    return money.net - money.wear
