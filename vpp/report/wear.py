"""What do a plan's cycles take of its stores, and what comes out of what goes in? One table for terminal and page."""

from collections.abc import Sequence
from itertools import pairwise

from vpp.domain.efficiency import round_trips
from vpp.domain.plan import Plan, Schedule
from vpp.report.tables import MOST_TABLED, html_table, section
from vpp.report.wording import MISSING, NARROW_SPACE, money, number
from vpp.report.work import work_part

HOURS_PER_YEAR = 8766
MOST_YEARS = 100
"""A longer life is not worth a number."""
NOTHING = 0.005
"""A sum of money up to this is none."""

TRIPS_NOTE = (
    "Full cycles: energy taken out of the store, in capacities. Efficiency: energy out over energy in at the "
    "terminals, for a store that ends as it began and has no inflow."
)
WEAR_NOTE = (
    "The plan prices a cycle by the depth at which its energy lies in the store; afterwards cycles are counted by "
    "rainflow. The two part where a store ends otherwise than it began, and within a depth segment. "
    "Cycles last: how long a life is if nothing else takes of it."
)
Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Head and rows."""


def wear_table(plan: Plan) -> Table:
    """Each store with a law of ageing: life used, what the plan was charged, what is counted afterwards."""
    has_rest = any(wear.resting_cost > NOTHING for wear in plan.ageing)
    hours = sum(plan.horizon.step_hours)
    head = ["Ageing", "life used", "cycles", "cost in plan", "by rainflow"]
    head += ["at rest"] if has_rest else []
    rows = []
    for wear in plan.ageing:
        row = [wear.asset_id, share(wear.life_used_fraction), number(wear.full_cycle_count, 2)]
        row += [money(wear.cycling_cost), money(wear.rainflow_cost)]
        row += [money(wear.resting_cost)] if has_rest else []
        rows.append([*row, lasting(wear.life_used_fraction, hours)])
    return [*head, "cycles last"], rows


def stores_section(plan: Plan) -> str:
    """How much comes out of each store again, and what a plan costs of its life."""
    stores = [schedule for schedule in plan.schedules if schedule.stored_kwh is not None]
    if not stores:
        return section("Stores", "<p>The site has no store.</p>")
    if len(stores) > MOST_TABLED:
        return section("Stores", f"<p>What the plan takes of {len(stores):,} stores is in plan.json.</p>")
    head = ("Store", "full cycles", "efficiency", "with own consumption")
    table = html_table(head, [_store_row(plan, store) for store in stores], numbers_from=1, identity="stores")
    body = f'{table}<p class="note">{TRIPS_NOTE}</p>{work_part(plan)}'
    if not plan.ageing:
        return section("Stores", body)
    worn = html_table(*wear_table(plan), numbers_from=1, identity="wear")
    return section("Stores", f'{body}{worn}<p class="note">Costs in {plan.money.currency}. {WEAR_NOTE}</p>')


def _store_row(plan: Plan, schedule: Schedule) -> list[str]:
    trips = round_trips(schedule, plan.horizon.step_hours)
    told = [MISSING, MISSING] if trips is None else [f"{100 * trip:.1f}{NARROW_SPACE}%" for trip in trips]
    return [schedule.asset_id, number(_full_cycles(schedule), 2), *told]


def _full_cycles(schedule: Schedule) -> float:
    """Energy that leaves the store, in capacities, counted from what it holds."""
    before = (schedule.initial_kwh or 0.0, *(schedule.stored_kwh or ()))
    lost_kwh = sum(max(0.0, a - b) for a, b in pairwise(before))
    return lost_kwh / (schedule.energy_capacity_kwh or 1.0)


def share(fraction: float) -> str:
    """A small share in per cent, with three digits that say something."""
    return f"{100 * fraction:.3g}{NARROW_SPACE}%" if fraction else f"0{NARROW_SPACE}%"


def lasting(used_fraction: float, hours: float) -> str:
    """How long a life lasts of which a share is used in some hours."""
    years = hours / HOURS_PER_YEAR / used_fraction if used_fraction > 0 else MOST_YEARS
    if years >= MOST_YEARS:
        return f"{MOST_YEARS}+{NARROW_SPACE}years"
    return f"{number(years, 0 if years >= 10 else 1)}{NARROW_SPACE}years"  # noqa: PLR2004 - one decimal says nothing
