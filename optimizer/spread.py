"""What does a plan come to over all its scenarios? Each is read and verified by itself, then all are weighed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from optimizer.assembly import RISK, SCHEDULED, Assembly
from optimizer.expression import Array
from optimizer.ports import MONEY, OUTCOME
from optimizer.problem import Future, Problem
from optimizer.reading import held, read_money, read_positions, read_prospect, read_schedules
from optimizer.risk import mean_of_worst
from optimizer.search import Found
from optimizer.verify import verify
from vpp.domain.plan import BindingLimit, Money, Outcome, Position, Spread, Values, Verification


def read_outcome(future: Future, assembly: Assembly, value: Array) -> tuple[Outcome, Verification]:
    """What a plan does and earns in one scenario.

    Raises:
        UnverifiedPlanError: independent arithmetic refutes it.

    """
    own = assembly.of(future)
    problem = held(future.problem, own, value)
    schedules = read_schedules(problem, own, value)
    scheduled_kw = own.column(value, SCHEDULED, "scheduled_kw") if SCHEDULED in own.parts else None
    positions = read_positions(problem, schedules, scheduled_kw)
    money = read_money(problem, own, value)
    verification = verify(problem, schedules, positions, money)
    prices = problem.energy.import_price_per_mwh
    return Outcome(future.name, future.weight, money, schedules, positions, prices), verification


def read_spread(
    problem: Problem, outcomes: tuple[Outcome, ...], found: Found, limits: Sequence[BindingLimit]
) -> Spread | None:
    """How the outcomes of a plan differ; nothing where nothing is uncertain.

    Args:
        problem: What was planned.
        outcomes: What comes of it in each scenario.
        found: What was found for all of them.
        limits: What limits it, scenario by scenario.

    """
    if not problem.scenarios:
        return None
    imbalance, product = problem.futures[problem.shown].problem.energy.imbalance, problem.energy.product
    ahead_kw = tuple(p.quantity_kw for p in outcomes[0].positions if p.product == product)
    nets, weights = [o.money.net for o in outcomes], [o.weight for o in outcomes]
    return Spread(
        outcomes=outcomes,
        shown=problem.shown,
        cvar=mean_of_worst(nets, weights, problem.risk.cvar_alpha),
        cvar_alpha=problem.risk.cvar_alpha,
        cvar_weight=problem.risk.cvar_weight,
        scheduled_kw=None if imbalance is None else ahead_kw,
        limits=tuple(_limits_of_shown(problem, found, limits)),
        shortfall_price_per_mwh=None if imbalance is None else imbalance.shortfall_price_per_mwh,
        surplus_price_per_mwh=None if imbalance is None else imbalance.surplus_price_per_mwh,
    )


def _limits_of_shown(problem: Problem, found: Found, limits: Sequence[BindingLimit]) -> Iterator[BindingLimit]:
    """The limits of the scenario that is shown, in its money; those that all scenarios share as they are."""
    plain, future, weight = found.assembly.plain, problem.futures[problem.shown], weight_of_shown(problem, found)
    for limit in limits:
        name = plain.get(limit.owner)
        if name is None:
            yield limit
        elif limit.owner == future.owner(name):
            worths = tuple(worth / weight for worth in limit.worths_per_unit)
            yield replace(limit, owner=name, worth_per_unit=limit.worth_per_unit / weight, worths_per_unit=worths)


def mean_money(outcomes: Sequence[Outcome]) -> Money:
    """Money by component, the mean of all outcomes."""
    if len(outcomes) == 1:
        return outcomes[0].money
    means = {name: sum(o.weight * getattr(o.money, name) for o in outcomes) for name in MONEY}
    return Money(outcomes[0].money.currency, **means)


def mean_net(problem: Problem, assembly: Assembly, value: Array) -> float:
    """What an answer earns in the mean of all scenarios."""
    return sum(future.weight * read_money(future.problem, assembly.of(future), value).net for future in problem.futures)


def objective(problem: Problem, outcomes: Sequence[Outcome], assembly: Assembly, value: Array) -> float:
    """What the search maximises: the mean of all scenarios, and that of the worst by its share."""
    reached = [
        outcome.money.net + read_prospect(assembly.of(future), value)
        for future, outcome in zip(problem.futures, outcomes, strict=True)
    ]
    weights, share = [outcome.weight for outcome in outcomes], problem.risk.cvar_weight
    mean = sum(weight * net for weight, net in zip(weights, reached, strict=True))
    return (1 - share) * mean + share * mean_of_worst(reached, weights, problem.risk.cvar_alpha) if share else mean


def weight_of_shown(problem: Problem, found: Found) -> float:
    """How much the money of the scenario that is shown counts in the objective, the worst of them by their share."""
    future = problem.futures[problem.shown]
    if not future.name:
        return 1.0
    weight = future.weight * (1 - problem.risk.cvar_weight)
    if RISK in found.assembly.parts:
        part, row = found.assembly.parts[RISK], ("tail", (problem.shown,))
        price = float(found.prices.row_dual[found.assembly.program.rows(part.stamp, row, part.block)][0])
        terms = part.stamp.template.rows[row].form.terms
        outcome = next(term for term in terms if term.column == (OUTCOME, (problem.shown,)))
        weight += float(part.stamp.evaluate(outcome.piece.value, 0, 1)) * price
    return weight


def mean_positions(outcomes: Sequence[Outcome]) -> tuple[Position, ...]:
    """What is sold and bought in the mean of all outcomes; what some sell and others buy in a step stands apart.

    Each price is the mean over the energy it is paid for, so that quantity, price and cash agree.
    """
    if len(outcomes) == 1:
        return outcomes[0].positions
    positions: list[Position] = []
    for members in zip(*(outcome.positions for outcome in outcomes), strict=True):
        weighed = sorted(
            zip(members, (o.weight for o in outcomes), strict=True), key=lambda pair: pair[0].quantity_kw < 0
        )
        sides = [_mean(list(side)) for _, side in groupby(weighed, key=lambda pair: pair[0].quantity_kw < 0)]
        positions += [p for p in sides if p.quantity_kw] or sides[:1]
    return tuple(positions)


def _mean(members: list[tuple[Position, float]]) -> Position:
    first = members[0][0]
    quantity_kw = sum(weight * position.quantity_kw for position, weight in members)
    if len({position.price for position, _ in members}) == 1:
        price = first.price
    else:
        paid = sum(weight * position.quantity_kw * position.price for position, weight in members)
        price = paid / quantity_kw if quantity_kw else first.price
    return replace(
        first, quantity_kw=quantity_kw, price=price, cash=sum(weight * position.cash for position, weight in members)
    )


def merged_limits(limits: Sequence[BindingLimit], assembly: Assembly) -> tuple[BindingLimit, ...]:
    """The limits of all scenarios: one that binds in several is one limit, wider in all of them at once."""
    if not assembly.plain:
        return tuple(limits)
    groups: dict[tuple[str, str, float | None], list[BindingLimit]] = {}
    for limit in limits:
        owner = assembly.plain.get(limit.owner, limit.owner)
        groups.setdefault((owner, limit.limit, limit.bound), []).append(limit)
    merged = [_merged(owner, members) for (owner, _, _), members in groups.items()]
    return tuple(sorted(merged, key=lambda limit: -limit.worth_per_unit * abs(limit.bound or 1.0)))


def _merged(owner: str, members: list[BindingLimit]) -> BindingLimit:
    worths: dict[int, float] = {}
    for member in members:
        for step, worth in zip(member.steps, member.worths_per_unit, strict=True):
            worths[step] = worths.get(step, 0.0) + worth
    steps = sorted(worths)
    return replace(
        members[0],
        owner=owner,
        steps=tuple(steps),
        worth_per_unit=sum(member.worth_per_unit for member in members),
        worths_per_unit=tuple(worths[step] for step in steps),
    )


def merged_values(values: dict[str, Values], assembly: Assembly) -> dict[str, Values]:
    """What one more MWh in a store would earn if it were there in all scenarios."""
    if not assembly.plain:
        return values
    merged: dict[str, Values] = {}
    for owner, own in values.items():
        name = assembly.plain.get(owner, owner)
        before = merged.get(name, (0.0,) * len(own))
        merged[name] = tuple(a + b for a, b in zip(before, own, strict=True))
    return merged
