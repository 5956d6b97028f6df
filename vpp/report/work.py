"""Who does what, and at what cost per MWh? One table and one sentence for terminal and page."""

from vpp.domain.plan import Plan
from vpp.domain.wear import Shift, Work
from vpp.report.story import energy_text
from vpp.report.tables import MOST_TABLED, html_table, section, text
from vpp.report.wear import Table
from vpp.report.wording import MISSING, NARROW_SPACE, listed, money, number

NOTHING_KWH = 0.5
"""A store whose discharge differs by no more does the same."""
WORK_NOTE = (
    "Of a MWh discharged: costs are the energy that the store draws, at the price of the meter, and its wear, with "
    "hours and starts of its machines; earnings are the energy that it gives. They are of this plan alone: a store "
    "that ends fuller or emptier than it began costs more or less."
)


def work_table(plan: Plan, *, has_starts: bool) -> Table | None:
    """Each store with what it discharges, costs and earns; nothing where one store does all the work."""
    if len(plan.work) < 2:  # noqa: PLR2004 - alone it shares nothing
        return None
    head = ["Store", "technology", "discharged", "cycles", *(["starts"] if has_starts else [])]
    return [*head, "wear", "costs/MWh", "earns/MWh"], [_row(work, has_starts=has_starts) for work in plan.work]


def _row(work: Work, *, has_starts: bool) -> list[str]:
    starts = MISSING if work.start_count is None else f"{work.start_count:,}"
    told = [work.asset_id, work.technology, energy_text(work.discharged_kwh), number(work.full_cycle_count, 2)]
    told += [starts] if has_starts else []
    per_mwh = (work.cost_per_mwh, work.earned_per_mwh)
    return [*told, money(work.wear_cost), *(MISSING if value is None else money(value) for value in per_mwh)]


def shift(plan: Plan) -> str:
    """What the price of wear changes, in two sentences; empty where it changes nothing, or is none."""
    if plan.shift is None:
        return ""
    moved = [
        (name, f"{energy_text(abs(kwh))} {'more' if kwh > 0 else 'less'}")
        for name, kwh in plan.shift.discharged_kwh.items()
        if abs(kwh) > NOTHING_KWH
    ]
    if not moved:
        return ""
    (name, first), *others = moved
    told = listed([f"{name} discharges {first}", *(f"{other} {change}" for other, change in others)])
    energy, wear = (f"{money(abs(value))}{NARROW_SPACE}{plan.money.currency}" for value in _sums(plan.shift))
    earns = f"earns {energy} {'less' if plan.shift.energy < 0 else 'more'}"
    saves = f"saves {wear} of wear" if plan.shift.wear >= 0 else f"costs {wear} more of wear"
    return f"Because wear has a price, {told}. That {earns} and {saves}."


def _sums(shift: Shift) -> tuple[float, float]:
    return shift.energy, shift.wear


def work_section(plan: Plan) -> str:
    """Who does what; nothing where one store does all the work."""
    found = work_table(plan, has_starts=any(work.start_count is not None for work in plan.work))
    if found is None:
        return ""
    if len(plan.work) > MOST_TABLED:
        return section("Who does what", f"<p>What each of {len(plan.work):,} stores does is in plan.json.</p>")
    told = shift(plan)
    words = f"<p>{text(told)}</p>" if told else ""
    note = f'<p class="note">In {plan.money.currency}. {WORK_NOTE}</p>'
    return section("Who does what", f"{html_table(*found, numbers_from=2, identity='work')}{words}{note}")
