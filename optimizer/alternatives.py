"""What would have kept a broken promise? Each answer is a change that was tried, all else as in the plan."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from optimizer.aim import bound_of
from optimizer.limits import binding_limits
from optimizer.longer import longer
from optimizer.priorities import Level, Wider
from optimizer.problem import Problem
from optimizer.repair import GIVEN, NOTHING, SLACK_KWH, WINDOW, Concession
from optimizer.search import Found, search
from optimizer.spread import merged_limits
from vpp.domain.plan import Alternative, BindingLimit, Repair

MOST_REPAIRS = 3
"""For so many broken promises alternatives are looked for, those of the highest priority first."""
MOST_LIMITS = 2
"""So many limits are tried for each, the one first whose widening by a hundredth helps most."""
LATEST_S = 86_400
"""A later end is looked for within so many seconds."""


def with_alternatives(repairs: tuple[Repair, ...], concession: Concession) -> tuple[Repair, ...]:
    """Each repair with what would have kept the promise, for the first few."""
    return tuple(
        replace(repair, alternatives=tuple(_alternatives(repair, concession)))
        if number < MOST_REPAIRS and repair.level < WINDOW
        else repair
        for number, repair in enumerate(repairs)
    )


def _alternatives(repair: Repair, concession: Concession) -> Iterator[Alternative]:
    kept = _with_promise_kept(repair, concession.problem)
    if repair.level is Level.END:
        yield from _later(kept)
    found = concession.levels[Level(repair.level)]
    for limit in _candidates(found)[:MOST_LIMITS]:
        yield from _wider(kept, limit)


def _with_promise_kept(repair: Repair, problem: Problem) -> Problem:
    """The problem with this promise kept, and no other broken further to make up for it."""
    assert problem.giving is not None
    place = (repair.scenario, Level(repair.level))
    left_kwh = max(0.0, problem.giving.most_kwh[place] - repair.given_up_kwh) + SLACK_KWH
    owner = repair.asset_id or repair.constraint.removesuffix(" held")
    return replace(
        problem,
        giving=replace(problem.giving, most_kwh={**problem.giving.most_kwh, place: left_kwh}, kept=frozenset({owner})),
    )


def _candidates(found: Found) -> list[BindingLimit]:
    """Limits that would lessen what is given up if they were wider."""
    integers = found.assembly.is_integer.astype(np.float64)
    free = {
        name: not found.assembly.program.blocks(integers, part.stamp)[part.block].any()
        for name, part in found.assembly.parts.items()
    }
    limits = merged_limits([x for x in binding_limits(found) if free[x.owner]], found.assembly)
    return list({(x.owner, x.limit): x for x in reversed(limits) if x.limit not in GIVEN}.values())[::-1]


def _wider(kept: Problem, limit: BindingLimit) -> Iterator[Alternative]:
    """The limit at which the promise would be kept, where there is one."""
    assert kept.giving is not None
    tried = search(replace(kept, giving=replace(kept.giving, aim=Wider(limit.owner, limit.limit))))
    if not tried.has_plan:
        return
    excess = float(tried.prices.value[tried.assembly.program.column_count])
    side, bounds = bound_of(tried.assembly.of(kept.futures[0]), limit.owner, limit.limit)
    if excess <= NOTHING:
        return
    if np.ptp(bounds):
        yield Alternative(limit.limit, excess, limit.unit, limit.owner)
    else:
        enough = float(bounds[0]) + (excess if side == "upper" else -excess)
        yield Alternative(limit.limit, abs(enough), limit.unit, limit.owner, abs(float(bounds[0])))


def _later(kept: Problem) -> Iterator[Alternative]:
    """The first end by which the promise would be kept, if all went on as in the last step."""
    least, most, latest = 0, 1, LATEST_S // kept.horizon.step_s
    while not _is_kept(longer(kept, most)):
        if most >= latest:
            return
        least, most = most, min(2 * most, latest)
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if _is_kept(longer(kept, middle)) else (middle, most)
    yield Alternative("later", longer(kept, most).horizon.end, "utc")


def _is_kept(problem: Problem) -> bool:
    return search(problem).has_plan
