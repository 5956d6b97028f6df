"""Who does what, and at what cost per MWh? One table and one sentence for terminal and page."""

from vpp.domain.plan import Plan
from vpp.domain.wear import Shift, Work
from vpp.report.story import energy_text
from vpp.report.tables import html_table
from vpp.report.wording import MISSING, NARROW_SPACE, listed, money, number

Table = tuple[list[str], list[list[str]]]
"""Head and rows."""
NOTHING_KWH = 0.5
"""A store whose discharge differs by no more does the same."""
WORK_NOTE = (
    "Of a MWh discharged: costs are the energy that the store draws, at rest too, at the price of the meter, and its "
    "wear, with hours and starts of its machines; earnings are the energy that it gives. They are of this plan alone: "
    "a store that ends fuller or emptier than it began costs more or less."
)


def work_table(plan: Plan) -> Table | None:
    """Each store with what it discharges, costs and earns; nothing where there is one store, or all rest."""
    if len(plan.work) < 2 or all(work.discharged_kwh <= NOTHING_KWH for work in plan.work):  # noqa: PLR2004
        return None
    head = ["Store", "technology", "discharged", "cycles", "wear", "costs/MWh", "earns/MWh"]
    return head, [_row(work) for work in plan.work]


def _row(work: Work) -> list[str]:
    told = [work.asset_id, work.technology, energy_text(work.discharged_kwh), number(work.full_cycle_count, 2)]
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


def work_part(plan: Plan) -> str:
    """Who does what, as a part of the page; nothing where one store does all the work."""
    found = work_table(plan)
    if found is None:
        return ""
    table = html_table(*found, numbers_from=2, identity="work")
    return f'{table}<p class="note">In {plan.money.currency}. {WORK_NOTE}</p>'
