"""One Problem in, one Plan out."""

import time
from dataclasses import replace
from datetime import datetime

from optimizer.ageing.account import wear_of
from optimizer.alternatives import with_alternatives
from optimizer.explain import accounts
from optimizer.highs import Ending
from optimizer.limits import binding_limits, stored_values
from optimizer.problem import Problem
from optimizer.repair import GIVEN, Concession, find, read_repairs, settled
from optimizer.search import Found, Watch, search
from optimizer.spread import (
    mean_money,
    mean_net,
    mean_positions,
    merged_limits,
    merged_values,
    objective,
    read_outcome,
    read_spread,
    weight_of_shown,
)
from optimizer.tariff.reading import read_tariff
from optimizer.work import free_of_wear, shift_of, work_of
from vpp.domain.plan import BindingLimit, Plan, Repair, Status, Timing, Verification


def plan(problem: Problem, created: datetime, watch: Watch | None = None) -> Plan:
    """Find the best plan, read it, and verify it.

    Args:
        problem: The site, the horizon and everything known about it.
        created: Instant of planning, in UTC.
        watch: Told how far a long search is. With a watch, Ctrl-C ends the search with its best answer.

    Raises:
        InfeasibleError: no plan keeps every limit, or none was found in the time allowed.
        UnverifiedPlanError: independent arithmetic refutes the plan.

    """
    found, concession = find(problem, watch)
    return _with_alternatives(conclude(found.problem, found, created), concession)


def explained(problem: Problem, created: datetime, watch: Watch | None = None) -> Plan:
    """As `plan`, with what a MWh is worth to each asset, which takes longer than a small plan may.

    Raises:
        InfeasibleError: no plan keeps every limit, or none was found in the time allowed.
        UnverifiedPlanError: independent arithmetic refutes the plan.

    """
    found, concession = find(problem, watch)
    made = replace(conclude(found.problem, found, created), accounts=accounts(found.problem, found))
    return _with_alternatives(made, concession)


def _with_alternatives(made: Plan, concession: Concession | None) -> Plan:
    return made if concession is None else replace(made, repairs=with_alternatives(made.repairs, concession))


def conclude(problem: Problem, found: Found, created: datetime) -> Plan:
    """Read an answer as a plan and verify it.

    Raises:
        UnverifiedPlanError: independent arithmetic refutes the plan.

    """
    started = time.perf_counter()
    assembly, value = found.assembly, found.prices.value
    outcomes, verifications = zip(*(read_outcome(f, assembly, value) for f in problem.futures), strict=True)
    money, shown = mean_money(outcomes), outcomes[problem.shown]
    reached = objective(problem, outcomes, assembly, value)
    missed = max(0.0, -found.answer.cost_bound / 1000 - reached)
    energy, repairs, limits = problem.energy, read_repairs(problem, outcomes), _limits(found)
    return Plan(
        site_id=problem.site_id,
        site_name=problem.site_name,
        created=created,
        horizon=problem.horizon,
        status=_status(found, repairs),
        repairs=repairs,
        most_given_up_kwh=_given_up(problem),
        money=money,
        bound=money.net + missed,
        gap_fraction=missed / max(abs(money.net), 1e-9),
        schedules=shown.schedules,
        positions=mean_positions(outcomes),
        tariff=read_tariff(problem.futures[problem.shown], found, shown.schedules, weight_of_shown(problem, found)),
        import_price_per_mwh=energy.import_price_per_mwh,
        export_price_per_mwh=energy.export_price_per_mwh or energy.import_price_per_mwh,
        import_limit_kw=problem.connection.import_limit_kw,
        export_limit_kw=problem.connection.highest_export_kw,
        limits=merged_limits(limits, assembly),
        stored_value_per_mwh=merged_values(stored_values(found), assembly),
        verification=Verification(passed=True, worst_violation=max(v.worst_violation for v in verifications)),
        spread=read_spread(problem, outcomes, found, limits),
        timing=Timing(build=found.build_s, solve=found.solve_s, verify=time.perf_counter() - started),
        model_rows=assembly.program.row_count,
        model_columns=assembly.program.column_count,
    )


def _given_up(problem: Problem) -> dict[tuple[str, int], float]:
    most_kwh = {} if problem.giving is None else problem.giving.most_kwh
    return {(scenario, int(level)): kwh for (scenario, level), kwh in most_kwh.items()}


def _limits(found: Found) -> list[BindingLimit]:
    """Limits that bind; promises that gave way are none."""
    given = GIVEN if found.problem.giving is not None else ()
    return [limit for limit in binding_limits(found) if limit.limit not in given]


def _status(found: Found, repairs: tuple[Repair, ...]) -> Status:
    if repairs:
        return Status.REPAIRED
    return Status.OPTIMAL if found.answer.ending is Ending.OPTIMAL else Status.FEASIBLE


def compare(problem: Problem, best: Plan) -> Plan:
    """Add what the site would earn with its stores left alone, what capacity and wear cost, and who does what."""
    problem = settled(problem, best)
    idle = search(replace(problem, reserves=(), resting=frozenset(asset.id for asset in problem.assets)))
    without = {
        reserve.product: search(replace(problem, reserves=tuple(r for r in problem.reserves if r is not reserve)))
        for reserve in problem.reserves
    }
    best, unpriced = replace(best, work=work_of(problem, best.schedules)), free_of_wear(problem)
    return replace(
        best,
        shift=None if unpriced is None else shift_of(problem, best, search(unpriced)),
        ageing=wear_of(problem, best.schedules),
        idle_net=_net(idle) if idle.answer.ending is Ending.OPTIMAL else None,
        reserve_cost={product: _net(found) - best.money.net for product, found in without.items()} or None,
    )


def _net(found: Found) -> float:
    return mean_net(found.problem, found.assembly, found.prices.value)
