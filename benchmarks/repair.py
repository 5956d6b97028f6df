"""How much longer does a plan take that breaks a promise?

Batteries are to be full at the end of a day whose meter carries nine tenths of what that takes. The peer is the plan of
the same site with no more promised than the repaired plan reaches, so that both end with the same money. Ours looks
first for a plan that keeps everything, then gives way level by level, and then tries what would have kept the promise
for the first few batteries.
"""

from dataclasses import replace

from benchmarks.fleet import CREATED, Fleet, problem_of, seeded
from benchmarks.timing import Result, side_by_side
from optimizer.planner import plan
from optimizer.problem import Problem

REPETITIONS = 11
FULL_FRACTION = 0.9
SHARE_CARRIED = 0.9
SHORT_FRACTION = 1e-9
"""The peer's promise is smaller by so much, for the rounding of what was reached."""


def measure(**_: bool) -> list[Result]:
    """Compare fleets of three sizes."""
    return [_fleet(count) for count in (1, 10, 30)]


def _fleet(count: int) -> Result:
    broken = [_broken(seeded(count, 96, seed=seed)) for seed in range(REPETITIONS + 1)]
    kept = [_kept(problem) for problem in broken]
    return side_by_side(
        f"a promise broken, {count} × 96",
        "the plan with that much less promised",
        (lambda k: plan(broken[k], CREATED).money.net, lambda k: plan(kept[k], CREATED).money.net),
        REPETITIONS,
        None,
    )


def _broken(fleet: Fleet) -> Problem:
    needed_kwh = float((fleet.capacity_kwh * (FULL_FRACTION - 0.5) / fleet.charge_efficiency).sum())
    limit_kw = SHARE_CARRIED * needed_kwh / (fleet.steps * fleet.step_h)
    problem = problem_of(replace(fleet, limit_kw=limit_kw))
    full = tuple(asset.model_copy(update={"final_soc_fraction": FULL_FRACTION}) for asset in problem.assets)
    return replace(problem, assets=full)


def _kept(problem: Problem) -> Problem:
    reached = plan(problem, CREATED).schedules
    return replace(
        problem,
        assets=tuple(
            asset.model_copy(
                update={"final_soc_fraction": schedule.stored_kwh[-1] / asset.energy_capacity_kwh - SHORT_FRACTION}
            )
            for asset, schedule in zip(problem.assets, reached, strict=True)
        ),
    )
