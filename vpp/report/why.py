"""Why does an asset do what it does, step by step? From what a MWh is worth to it, and from what holds it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

from vpp.domain.plan import Account, Plan, Schedule
from vpp.report.actions import NOTHING_KW
from vpp.report.story import kind
from vpp.report.wording import listed, number

IS_RUNNING = "is_discharging"
"""A flow that only a store with machines has: whether one runs."""
SAME_PER_MWH = 0.005
"""Worths that differ by no more read the same."""


class Because(Enum):
    """What decides in a step."""

    GIVING_PAYS = "giving pays"
    TAKING_PAYS = "taking pays"
    GIVING_JUST_PAYS = "giving just pays"
    TAKING_JUST_PAYS = "taking just pays"
    NEITHER_PAYS = "neither pays"
    HELD = "held back"
    """Something would pay, but a limit forbids it."""
    OFF = "not worth running"
    """A MWh would pay, but not a machine that has to start, to run at its lowest power or to rest first."""
    ON = "worth running"
    """A MWh would not pay, but not to run would cost more: a start, a standby load, what its lowest power brings."""
    NOTHING_THERE = "nothing there"
    """There is nothing to give."""
    GIVEN = "given"
    """It can do nothing else."""


@dataclass(frozen=True)
class Reason:
    """Why an asset does what it does in one step."""

    verb: str
    """`charges`, `discharges`, `rests`, `gives`, `takes`, `is curtailed` or `is given`."""
    because: Because
    limits: tuple[str, ...]
    """Names of the limits that bind in this step, its own before those of the site."""


@dataclass(frozen=True)
class Spell:
    """Consecutive steps of one reason."""

    first: int
    after: int
    reason: Reason


@dataclass(frozen=True)
class Held:
    """A limit that binds in a step."""

    owner: str
    name: str
    bound: float | None
    unit: str
    worth_per_unit: float
    """What one more unit in this step alone would earn."""


def power_of(schedule: Schedule, step: int) -> float:
    """Power out of an asset without its standing load [kW]."""
    charge, discharge = (schedule.flows.get(name) for name in ("charge_kw", "discharge_kw"))
    if charge is None or discharge is None:
        return schedule.export_kw[step]
    return discharge[step] - charge[step]


def reasons(plan: Plan, schedule: Schedule) -> list[Reason]:
    """Why an asset does what it does, step by step."""
    account = plan.accounts.get(schedule.asset_id)
    if account is None:
        return [Reason("is given", Because.GIVEN, ())] * plan.horizon.count
    limits = [
        tuple(dict.fromkeys(held.name for held in at_step)) for at_step in limits_of(plan, schedule.asset_id, account)
    ]
    return [Reason(*_verdict(schedule, account, step), limits[step]) for step in range(plan.horizon.count)]


def limits_of(plan: Plan, asset_id: str, account: Account) -> list[list[Held]]:
    """Step by step the limits that bind: those of an asset, then those of the site that change what a MWh is worth.

    Of a plan over scenarios those of the one that is shown.
    """
    assets = {schedule.asset_id for schedule in plan.schedules}
    limits = plan.limits if plan.spread is None else plan.spread.limits
    found: list[list[Held]] = [[] for _ in range(plan.horizon.count)]
    own = [limit for limit in limits if limit.owner == asset_id]
    for limit in (*own, *(limit for limit in limits if limit.owner not in assets)):
        for step, worth in zip(limit.steps, limit.worths_per_unit, strict=True):
            if limit.owner == asset_id or not is_price(plan, account, step):
                found[step].append(Held(limit.owner, limit.limit, limit.bound, limit.unit, worth))
    return found


def is_price(plan: Plan, account: Account, step: int) -> bool:
    """Whether a MWh out of an asset is worth just what is paid or received for it at the meter."""
    here, spread = account.meter_per_mwh[step], plan.spread
    if spread is not None and spread.shortfall_price_per_mwh is not None and spread.surplus_price_per_mwh is not None:
        shortfall, surplus = spread.shortfall_price_per_mwh[step], spread.surplus_price_per_mwh[step]
        low, high = {1: (surplus, surplus), 0: (surplus, shortfall), -1: (shortfall, shortfall)}[beside(plan, step)]
        return low - SAME_PER_MWH < here < high + SAME_PER_MWH
    prices = plan.import_price_per_mwh[step], plan.export_price_per_mwh[step]
    return min(abs(here - price) for price in prices) < SAME_PER_MWH


def beside(plan: Plan, step: int) -> int:
    """Whether more (1), less (−1) or just what was sold ahead (0) is metered in the scenario that is shown."""
    spread = plan.spread
    more_kw = 0.0 if spread is None else plan.site_export_kw[step] - (spread.scheduled_kw or plan.site_export_kw)[step]
    return 0 if abs(more_kw) <= NOTHING_KW else 1 if more_kw > 0 else -1


def _verdict(schedule: Schedule, account: Account, step: int) -> tuple[str, Because]:
    kw, is_store, worth = power_of(schedule, step), kind(schedule) == "store", account.meter_per_mwh[step]
    above, below = account.gives_above_per_mwh, account.takes_below_per_mwh
    gain_giving = 0.0 if above is None else worth - above[step]
    gain_taking = 0.0 if below is None else below[step] - worth
    available_kw = None if schedule.available_kw is None else schedule.available_kw[step]
    if available_kw is not None and available_kw <= NOTHING_KW:
        return "rests", Because.NOTHING_THERE
    is_curtailed = available_kw is not None and available_kw - kw > NOTHING_KW
    if kw > NOTHING_KW:
        verb = "is curtailed" if is_curtailed else "discharges" if is_store else "gives"
        return verb, _pays(gain_giving, (Because.GIVING_PAYS, Because.GIVING_JUST_PAYS), schedule)
    if kw < -NOTHING_KW:
        verb = "charges" if is_store else "takes"
        return verb, _pays(gain_taking, (Because.TAKING_PAYS, Because.TAKING_JUST_PAYS), schedule)
    would_pay = max(gain_giving, gain_taking) > SAME_PER_MWH
    if not would_pay:
        return "is curtailed" if is_curtailed else "rests", Because.NEITHER_PAYS
    return "is curtailed" if is_curtailed else "rests", Because.OFF if IS_RUNNING in schedule.flows else Because.HELD


def _pays(gain_per_mwh: float, verdicts: tuple[Because, Because], schedule: Schedule) -> Because:
    """That a move pays or just pays, or that it does not and a machine runs all the same."""
    if gain_per_mwh < -SAME_PER_MWH and IS_RUNNING in schedule.flows:
        return Because.ON
    return verdicts[0] if gain_per_mwh > SAME_PER_MWH else verdicts[1]


def spells(plan: Plan, schedule: Schedule) -> list[Spell]:
    """An asset's plan as spells of one reason each; while it rests, the limits of the whole spell are told together."""
    found, first = [], 0
    for (_, because, _), members in groupby(reasons(plan, schedule), _told_apart):
        alike = list(members)
        names = tuple(dict.fromkeys(name for reason in alike for name in reason.limits))
        found.append(Spell(first, first + len(alike), Reason(alike[0].verb, because, names)))
        first += len(alike)
    return found


def _told_apart(reason: Reason) -> tuple[str, Because, tuple[str, ...]]:
    return reason.verb, reason.because, () if reason.because is Because.NEITHER_PAYS else reason.limits


def in_words(plan: Plan, schedule: Schedule, spell: Spell) -> str:
    """The reason of a spell in a few words, such as `under 356: charging pays; charge power`."""
    account = plan.accounts.get(schedule.asset_id)
    if account is None:
        return "its power is given"
    steps, is_store = range(spell.first, spell.after), kind(schedule) == "store"
    give, take = ("discharging", "charging") if is_store else ("giving", "taking")
    above = _between([account.gives_above_per_mwh[k] for k in steps] if account.gives_above_per_mwh else None)
    below = _between([account.takes_below_per_mwh[k] for k in steps] if account.takes_below_per_mwh else None)
    match spell.reason.because:
        case Because.GIVING_PAYS if schedule.available_kw is not None:
            told = f"all there is: above {above} it pays"
        case Because.GIVING_PAYS:
            told = f"above {above} {give} pays"
        case Because.TAKING_PAYS:
            told = f"below {below} {take} pays"
        case Because.GIVING_JUST_PAYS:
            told = f"at {above} {give} just pays"
        case Because.TAKING_JUST_PAYS:
            told = f"at {below} {take} just pays"
        case Because.HELD:
            told = "it would pay to move, if it could"
        case Because.OFF:
            told = "a MWh would pay, but not to run for it: starts, lowest power, own consumption or rest"
        case Because.ON:
            told = "a MWh would not pay, but to run does: starts, lowest power, own consumption or rest"
        case Because.NOTHING_THERE:
            return "nothing is available"
        case _:
            sides = [f"above {above}" if above else "", f"below {below}" if below else ""]
            told = f"pays only {' or '.join(filter(None, reversed(sides)))}"
    limits = spell.reason.limits
    return f"{told}; {listed(limits)}" if limits else told


def _between(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} … {high}"
