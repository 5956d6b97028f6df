"""What `vpp explain` prints: every asset in spells of one reason, or one step in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vpp.domain.errors import Conflict
from vpp.domain.plan import Account, Plan, Schedule
from vpp.report.binding import told_limits, worth
from vpp.report.scenario_reasons import (
    in_every_scenario,
    meter_beside_schedule,
    on_average,
    whose_figures,
    worst_row,
)
from vpp.report.story import energy_text, kind
from vpp.report.terminal import sentences, table
from vpp.report.why import Because, in_words, is_price, limits_of, power_of, reasons, spells
from vpp.report.wording import MINUS, NARROW_SPACE, Calendar, between, listed, money, quantity, rate, signed

MOST_ASSETS = 6
"""A plan of more assets is told about those that could do otherwise and move most."""
MOST_SPELLS = 40
MOST_MOVES = 12
COMPONENTS = ("energy", "capacity", "wear", "tariff", "penalties", "net")
SAME = 0.005
"""Money that differs by no more reads the same."""
WORDS = 2
"""Columns of words that begin a table of spells."""
WITHOUT_PRICE = {
    Because.HELD: "It would pay to move, but a limit, or the other direction, forbids it.",
    Because.OFF: "A MWh would pay, but not to run for it: it has to start, has a lowest power, or must rest first.",
    Because.ON: "A MWh would not pay, but to run does: starts, lowest power, own consumption or rest are why.",
    Because.NOTHING_THERE: "There is nothing to give.",
}
"""Why an asset does what no price says."""
MOVED_KW = 1e-3
"""A step in which the power differs by no more is the same."""


def overview(plan: Plan, asset_id: str | None, notes: Sequence[str], *, width: int) -> str:
    """Every asset, or one of them, in spells of one reason.

    Args:
        plan: The plan.
        asset_id: The asset that was asked for; `None` for all.
        notes: What is to be said before.
        width: Columns of the terminal.

    """
    calendar = Calendar(plan.horizon)
    lines = ["", f"  Why: {plan.site_name}, {calendar.title()}", ""]
    lines += [line for note in notes for line in (*sentences(note, width), "")]
    told = [s for s in plan.schedules if asset_id in (None, s.asset_id)]
    can = sorted((s for s in told if s.asset_id in plan.accounts), key=lambda s: -_moved_kwh(plan, s))
    shown = {s.asset_id for s in (can[:MOST_ASSETS] if asset_id is None else told)}
    for schedule in told:
        if schedule.asset_id in shown:
            lines += [*_spell_table(plan, schedule, calendar, width), ""]
    given = [s.asset_id for s in told if s.asset_id not in plan.accounts and s.asset_id not in shown]
    if given:
        lines += [*sentences(f"Given, and nothing to decide: {', '.join(given)}.", width), ""]
    if len(can) > MOST_ASSETS and asset_id is None:
        lines += [f"  {len(can) - MOST_ASSETS:,} more that move less: --asset ID, or --json for all.", ""]
    if asset_id is None:
        lines += _limit_table(plan, calendar, width)
    lines += [*sentences(_legend(plan), width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _moved_kwh(plan: Plan, schedule: Schedule) -> float:
    return sum(abs(kw) * h for kw, h in zip(schedule.export_kw, plan.horizon.step_hours, strict=True))


def _legend(plan: Plan) -> str:
    told = f"{whose_figures(plan)} What limits it is told of all scenarios together. " if plan.spread else ""
    return told + (
        f"meter: what one more MWh out of the asset is worth, in {plan.money.currency}; stored: one more MWh in the "
        "store. More about one step: --asset ID --at TIME; what another power there would have cost: --want KW."
    )


def _spell_table(plan: Plan, schedule: Schedule, calendar: Calendar, width: int) -> Iterator[str]:
    account = plan.accounts.get(schedule.asset_id)
    yield f"  {schedule.asset_id}   {schedule.asset_type.replace('_', ' ')}"
    if account is None:
        yield "    its power is given"
        return
    found = spells(plan, schedule)
    has_store = account.stored_per_mwh is not None
    rows = [
        (
            calendar.span(s.first, s.after),
            s.reason.verb,
            _range(account.meter_per_mwh[s.first : s.after]),
            *([_range(account.stored_per_mwh[s.first : s.after])] if account.stored_per_mwh else []),
            in_words(plan, schedule, s),
        )
        for s in found[:MOST_SPELLS]
    ]
    head = ("When", "Does", "meter", *(["stored"] if has_store else []), "Because")
    yield from _with_reason(head, rows, width)
    if len(found) > len(rows):
        yield f"  … and {len(found) - len(rows):,} more spells: --json has all"


def _with_reason(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """A table whose last column is words, which go on below themselves where they do not fit."""
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head) - 1)]
    left = 2 + sum(widths) + 2 * len(widths)
    for row in (head, *rows):
        cells = [
            f"{c:<{w}}" if k < WORDS else f"{c:>{w}}" for k, (c, w) in enumerate(zip(row[:-1], widths, strict=True))
        ]
        words = [line.strip() for line in sentences(row[-1], max(24, width - left) + 4)]
        yield f"  {'  '.join(cells)}  {words[0]}"
        yield from (f"{'':<{left}}{line}" for line in words[1:])


def _range(values: Sequence[float]) -> str:
    return between(min(values), max(values))


def _limit_table(plan: Plan, calendar: Calendar, width: int) -> Iterator[str]:
    told = told_limits(plan)
    if not told:
        yield "  No limit binds."
    else:
        rows = [
            (
                limit.name.replace(NARROW_SPACE, " "),
                calendar.spans(limit.steps, 2) if limit.steps else "at the end",
                worth(plan, limit),
            )
            for limit in told
        ]
        yield from table(("What limits it", "when", "one more earns"), rows, numbers_from=2, width=width)
    yield ""


def step_text(plan: Plan, schedule: Schedule, step: int) -> list[str]:
    """Why an asset does what it does in one step, in sentences."""
    calendar, reason = Calendar(plan.horizon), reasons(plan, schedule)[step]
    account, span = plan.accounts.get(schedule.asset_id), calendar.span(step, step + 1)
    kw = power_of(schedule, step)
    size = "" if abs(kw) < MOVED_KW else f" {quantity(abs(kw))}{NARROW_SPACE}kW"
    if account is None:
        return [f"{schedule.asset_id}: {signed(schedule.export_kw[step], 1)}{NARROW_SPACE}kW, {span}. It is given."]
    told = [f"{schedule.asset_id} {_doing(reason.verb, size)}, {span}."]
    told += [whose_figures(plan), _meter(plan, account, step)] if plan.spread else [_meter(plan, account, step)]
    told += _even(plan, schedule, account, step)
    told.append(_decision(account, step, reason.because, kind(schedule) == "store"))
    for held in limits_of(plan, schedule.asset_id, account)[step]:
        bound = "" if held.bound is None else f" {quantity(held.bound)}{NARROW_SPACE}{held.unit}"
        told.append(
            f"It runs into {held.owner}: {held.name}{bound}. One {held.unit} more of it in this step would earn "
            f"{rate(held.worth_per_unit)}{NARROW_SPACE}{plan.money.currency}."
        )
    return told


def _doing(verb: str, size: str) -> str:
    return f"is curtailed to{size or ' nothing'}" if verb == "is curtailed" else f"{verb}{size}"


def _meter(plan: Plan, account: Account, step: int) -> str:
    """What a MWh is worth there, and how that comes from the price."""
    here = account.meter_per_mwh[step]
    if plan.spread is not None and plan.spread.scheduled_kw is not None:
        return meter_beside_schedule(plan, plan.spread, account, step)
    buy, sell = plan.import_price_per_mwh[step], plan.export_price_per_mwh[step]
    price = f"the price, {money(buy)}" if buy == sell else f"prices of {money(buy)} to buy and {money(sell)} to sell"
    told = f"A MWh out of it is worth {money(here)}{NARROW_SPACE}{plan.money.currency} here"
    if is_price(plan, account, step):
        return f"{told}: {price}." if buy != sell else f"{told}, the price."
    return f"{told}, with {price}: what limits or charges the site makes the difference."


def _even(plan: Plan, schedule: Schedule, account: Account, step: int) -> Iterator[str]:
    """From which worth on giving and taking pay."""
    taking, giving = ("charging", "discharging") if kind(schedule) == "store" else ("taking", "giving")
    stored, arriving, drawn = account.stored_per_mwh, account.stored_per_taken, account.drawn_per_given
    if stored is not None:
        yield f"A MWh in the store is worth {money(stored[step])}{NARROW_SPACE}{plan.money.currency} at the end of it."
    if account.takes_below_per_mwh is not None:
        loss = None
        if stored is not None and arriving is not None:
            told = f"{_percent(arriving[step])} of what is drawn arrives there"
            loss = Loss(told, arriving[step] * stored[step], "whatever else it uses up")
        yield _pays(f"{taking} pays below", account.takes_below_per_mwh[step], loss)
    if account.gives_above_per_mwh is not None:
        loss = None
        if stored is not None and drawn is not None:
            told = f"{_percent(1 / drawn[step])} of what is taken out comes out"
            loss = Loss(told, drawn[step] * stored[step], "wear and whatever else it uses up")
        yield _pays(f"{giving} pays above", account.gives_above_per_mwh[step], loss)


class Loss(NamedTuple):
    """What losses make of the worth of a MWh in the store."""

    told: str
    worth_per_mwh: float
    rest: str
    """What accounts for the difference to where it pays."""


def _pays(verb: str, edge_per_mwh: float, loss: Loss | None) -> str:
    """From which worth on something pays, and why from there."""
    if loss is None:
        return f"{verb.capitalize()} {money(edge_per_mwh)}."
    rest = edge_per_mwh - loss.worth_per_mwh
    beside = "" if abs(rest) < SAME else f", {'and' if rest > 0 else 'less'} {money(abs(rest))} for {loss.rest}"
    return f"{loss.told}: {money(loss.worth_per_mwh)}{beside}. So {verb} {money(edge_per_mwh)}."


def _percent(share: float) -> str:
    return f"{100 * share:.4g}{NARROW_SPACE}%"


def _decision(account: Account, step: int, because: Because, is_store: bool) -> str:  # noqa: FBT001 - a fact beside others
    here = account.meter_per_mwh[step]
    above = 0.0 if account.gives_above_per_mwh is None else account.gives_above_per_mwh[step]
    below = 0.0 if account.takes_below_per_mwh is None else account.takes_below_per_mwh[step]
    give, take = ("discharges", "charges") if is_store else ("gives", "takes")
    match because:
        case Because.GIVING_PAYS:
            return f"It {give} because {money(here)} is more than {money(above)}: each MWh earns {money(here - above)}."
        case Because.TAKING_PAYS:
            return f"It {take} because {money(here)} is less than {money(below)}: each MWh earns {money(below - here)}."
        case Because.GIVING_JUST_PAYS | Because.TAKING_JUST_PAYS:
            return f"At {money(here)} it just pays: a little more or less earns the same."
        case Because.HELD | Because.OFF | Because.ON | Because.NOTHING_THERE:
            return WITHOUT_PRICE[because]
        case _:
            return f"At {money(here)} neither earns anything, so it rests."


@dataclass(frozen=True)
class Move:
    """Steps in which an asset does something else than planned."""

    asset_id: str
    first: int
    after: int
    planned_kw: float
    instead_kw: float
    energy_kwh: float
    """More out of the asset than planned."""


def moves(plan: Plan, other: Plan) -> list[Move]:
    """Where two plans of the same horizon differ, by asset and spell, the largest first."""
    found = []
    for before, after in zip(plan.schedules, other.schedules, strict=True):
        changes = [b - a for a, b in zip(before.export_kw, after.export_kw, strict=True)]
        first = 0
        while first < len(changes):
            end = first + 1
            if abs(changes[first]) > MOVED_KW:
                while end < len(changes) and changes[end] * changes[first] > 0 and abs(changes[end]) > MOVED_KW:
                    end += 1
                found.append(_move(plan, before, after, first, end))
            first = end
    return sorted(found, key=lambda move: -abs(move.energy_kwh))


def _move(plan: Plan, before: Schedule, after: Schedule, first: int, end: int) -> Move:
    step_h = plan.horizon.step_hours[first:end]
    planned, instead = (
        sum(kw * h for kw, h in zip(s.export_kw[first:end], step_h, strict=True)) for s in (before, after)
    )
    return Move(before.asset_id, first, end, planned / sum(step_h), instead / sum(step_h), instead - planned)


@dataclass(frozen=True)
class Instead:
    """Another power in one step, and what comes of it."""

    wanted_kw: float
    plan: Plan | None
    """The best plan with it; `None` where none has it."""
    conflicts: Sequence[Conflict]
    """The limits that it contradicts."""
    nearest_kw: float | None
    nearest_plan: Plan | None
    """The nearest power that a plan has, and the best such plan."""


def contrast_text(plan: Plan, schedule: Schedule, step: int, instead: Instead, *, width: int) -> Iterator[str]:
    """What another power in one step comes to, and what else it changes."""
    span, planned_kw = Calendar(plan.horizon).span(step, step + 1), schedule.export_kw[step]
    other, kw = instead.plan, instead.wanted_kw
    if other is None:
        names = [f"{c.owner}: {c.limit}" for c in instead.conflicts]
        given = "its power is given, or all there is"
        otherwise = given if schedule.asset_id not in plan.accounts else "no plan has it"
        against = f"it contradicts {listed(names)}" if names else otherwise
        told = f"{_kw(kw)}, {span}, is not possible: {against}."
        other, kw = instead.nearest_plan, instead.nearest_kw if instead.nearest_kw is not None else kw
        if other is None:
            yield from sentences(told, width)
            return
        is_same = plan.spread is None or (abs(plan.money.net - other.money.net) < SAME and not moves(plan, other))
        is_planned = abs(kw - planned_kw) < MOVED_KW and is_same
        told += f" The nearest that is possible is {_kw(kw)}{', as planned' if is_planned else ''}."
        yield from sentences(told, width)
        if is_planned:
            return
    told = f"{_kw(kw)}, {span}, instead of {_kw(planned_kw)} {_cost(plan, other)}."
    yield from sentences(" ".join(filter(None, (told, in_every_scenario(plan)))), width)
    yield ""
    yield from _difference(plan, other, width)
    yield ""
    yield from _changes(plan, other, width)


def _kw(kw: float) -> str:
    sign = "+" if kw > 0 else MINUS if kw < 0 else ""
    return f"{sign}{quantity(abs(kw))}{NARROW_SPACE}kW"


def _cost(plan: Plan, other: Plan) -> str:
    less, currency = plan.money.net - other.money.net, plan.money.currency + on_average(plan)
    if abs(less) < SAME:
        return "costs nothing"
    return f"costs {money(less)}{NARROW_SPACE}{currency}" if less > 0 else f"earns {money(-less)} {currency} more"


def _difference(plan: Plan, other: Plan, width: int) -> Iterator[str]:
    pairs = [(name, getattr(plan.money, name), getattr(other.money, name)) for name in COMPONENTS]
    rows = [
        (name, money(then), money(now), signed(now - then, 2))
        for name, then, now in pairs
        if then or now or name == "net"
    ]
    rows += worst_row(plan, other)
    yield from table((plan.money.currency, "as planned", "instead", "difference"), rows, numbers_from=1, width=width)


def _changes(plan: Plan, other: Plan, width: int) -> Iterator[str]:
    found, calendar = moves(plan, other), Calendar(plan.horizon)
    if not found:
        yield "  Nothing changes."
        return
    rows = [
        (
            calendar.span(move.first, move.after),
            move.asset_id,
            _kw(move.planned_kw).replace(NARROW_SPACE, " "),
            _kw(move.instead_kw).replace(NARROW_SPACE, " "),
            f"{'+' if move.energy_kwh > 0 else MINUS}{energy_text(abs(move.energy_kwh)).replace(NARROW_SPACE, ' ')}",
        )
        for move in found[:MOST_MOVES]
    ]
    yield from table(("What changes", "Asset", "planned", "instead", "energy out"), rows, numbers_from=2, width=width)
    if len(found) > len(rows):
        yield f"  … and {len(found) - len(rows):,} more"
