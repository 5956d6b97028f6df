"""What would it have cost to do otherwise? One more search, with the wanted power held in its step."""

from dataclasses import dataclass, replace
from datetime import datetime
from math import copysign

from optimizer.conflicts import conflicts
from optimizer.groups.connection.schema import Connection
from optimizer.planner import conclude
from optimizer.problem import Problem, Wanted
from optimizer.search import search
from optimizer.storage.schema import MachineStore
from vpp.domain.errors import Conflict
from vpp.domain.plan import Plan

BEYOND = 1e-4
"""Share by which a power beyond the nearest one is tried."""
WITHIN = (0.0, 1e-6, 1e-5)
"""Shares by which a nearest power is taken back until a plan has it; its edge is known to a tolerance only."""
DECIMALS = 6
"""A nearest power is tried with so many decimals."""
UNLIMITED_KW = 1e9
"""More than any asset moves."""
SAME_DIGIT = 1e-2
"""A share of the last decimal that is noise."""


@dataclass(frozen=True)
class Contrast:
    """A wanted power, and what comes of it."""

    wanted: Wanted
    plan: Plan | None
    """The best plan with the wanted power; `None` where no plan has it."""
    conflicts: tuple[Conflict, ...] = ()
    """The limits that the wanted power contradicts."""
    nearest_kw: float | None = None
    """The nearest power that a plan has; `None` where the wanted one is possible, or none was found."""
    nearest_plan: Plan | None = None
    """The best plan with that power."""


def contrast(problem: Problem, wanted: Wanted, created: datetime) -> Contrast:
    """Plan once more with a wanted power in one step.

    Args:
        problem: What was planned.
        wanted: The power.
        created: Instant of planning, in UTC.

    """
    found = search(replace(problem, wanted=wanted))
    if found.has_plan:
        return Contrast(wanted, conclude(problem, found, created))
    reasons = _own_reasons(problem, wanted) if _has_machines(problem, wanted) else ()
    near = search(replace(problem, wanted=replace(wanted, is_nearest_enough=True)))
    if not near.has_plan:
        return Contrast(wanted, None, reasons or conflicts(found))
    schedules = {schedule.asset_id: schedule for schedule in conclude(problem, near, created).schedules}
    reached = schedules[wanted.asset_id].export_kw[wanted.step]
    reasons = reasons or _beyond(problem, wanted, reached) or conflicts(found)
    inwards = max(1.0, abs(reached)) * (1 if wanted.export_kw < reached else -1)
    for nearest_kw in (_rounded(reached + share * inwards, inwards) for share in WITHIN):
        tried = search(replace(problem, wanted=replace(wanted, export_kw=nearest_kw)))
        if tried.has_plan:
            return Contrast(wanted, None, reasons, nearest_kw, conclude(problem, tried, created))
    return Contrast(wanted, None, reasons)


def _has_machines(problem: Problem, wanted: Wanted) -> bool:
    """Whether an asset decides in every step what runs, so that the limits of a whole site hide behind its binaries."""
    asset = next(asset for asset in problem.assets if asset.id == wanted.asset_id)
    return isinstance(asset, MachineStore)


def _own_reasons(problem: Problem, wanted: Wanted) -> tuple[Conflict, ...]:
    """The limits of the asset that a power contradicts in its own step, whatever the rest of the site does."""
    asset = tuple(asset for asset in problem.assets if asset.id == wanted.asset_id)
    free = Connection(import_limit_kw=UNLIMITED_KW, export_limit_kw=UNLIMITED_KW)
    alone = replace(problem, assets=asset, connection=free, reserves=(), tariff=(), wanted=wanted)
    found = search(replace(alone, end_value_per_mwh={wanted.asset_id: 0.0}))
    return () if found.has_plan else tuple(c for c in conflicts(found) if c.owner == wanted.asset_id)


def _beyond(problem: Problem, wanted: Wanted, reached_kw: float) -> tuple[Conflict, ...]:
    """The limits that a little more than the nearest power contradicts: those that it runs into first."""
    little = BEYOND * max(1.0, abs(reached_kw))
    towards_kw = reached_kw + (little if wanted.export_kw > reached_kw else -little)
    found = search(replace(problem, wanted=replace(wanted, export_kw=towards_kw)))
    return () if found.has_plan else conflicts(found)


def _rounded(kw: float, inwards: float) -> float:
    """To the last of `DECIMALS`, and not beyond the edge, which lies against `inwards`."""
    whole = round(kw, DECIMALS)
    if abs(whole - kw) * 10**DECIMALS < SAME_DIGIT:
        return whole + 0.0
    step = copysign(10.0**-DECIMALS, inwards)
    return round(whole if (whole - kw) * inwards > 0 else whole + step, DECIMALS) + 0.0
