"""What does a plan take of its stores' lives? Its cycles are counted afterwards, beside what it paid for them."""

from collections.abc import Iterator

from optimizer.ageing.cycles import cycles_of, full_cycles, life_used_fraction
from optimizer.ageing.schema import Ageing
from optimizer.asset import Asset
from optimizer.assets import check_of
from optimizer.problem import Problem
from vpp.domain.plan import Schedule
from vpp.domain.wear import Wear


def wear_of(problem: Problem, schedules: tuple[Schedule, ...]) -> tuple[Wear, ...]:
    """The account of every store that has a law of ageing, in the order of the site."""
    return tuple(_wears(problem, schedules))


def _wears(problem: Problem, schedules: tuple[Schedule, ...]) -> Iterator[Wear]:
    for asset, schedule in zip(problem.assets, schedules, strict=True):
        ageing: Ageing | None = getattr(asset, "ageing", None)
        if ageing is not None and schedule.soc_fraction is not None:
            yield _wear(problem, asset, ageing, schedule)


def _wear(problem: Problem, asset: Asset, ageing: Ageing, schedule: Schedule) -> Wear:
    capacity_kwh, initial_kwh = schedule.energy_capacity_kwh, schedule.initial_kwh
    assert capacity_kwh is not None, "a store has a capacity"
    assert initial_kwh is not None, "a store begins with some energy"
    cycles = cycles_of([initial_kwh / capacity_kwh, *(schedule.soc_fraction or ())])
    used = life_used_fraction(ageing, cycles)
    resting = _resting_cost(problem, ageing, schedule, capacity_kwh)
    charged = float(check_of(asset).wear(asset, problem.inputs_of(asset), schedule))
    return Wear(
        asset_id=asset.id,
        cycling_cost=charged - resting,
        resting_cost=resting,
        rainflow_cost=ageing.replacement_cost_per_kwh * capacity_kwh * used,
        life_used_fraction=used,
        full_cycle_count=full_cycles(cycles),
    )


def _resting_cost(problem: Problem, ageing: Ageing, schedule: Schedule, capacity_kwh: float) -> float:
    hours, stored_kwh = problem.horizon.step_hours, schedule.stored_kwh or ()
    costs = (
        band.price_per_mwh_h * h * max(0.0, kwh - band.above_soc_fraction * capacity_kwh) / 1000
        for band in ageing.bands
        for h, kwh in zip(hours, stored_kwh, strict=True)
    )
    return sum(costs, start=0.0)
