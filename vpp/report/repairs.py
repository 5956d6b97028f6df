"""Which promises does a plan break, and what would have kept them? In words."""

from collections.abc import Iterator
from datetime import datetime
from math import ceil, floor
from zoneinfo import ZoneInfo

from vpp.domain.plan import Alternative, Plan, Repair, Schedule
from vpp.report.wording import MISSING, NARROW_SPACE, Calendar, clock, day_and_month, number, quantity

MOST_TOLD = 8
"""Of more broken promises the rest are summed up."""


def repairs_told(plan: Plan) -> list[str]:
    """Every broken promise in a sentence; of many the gravest, and one sentence for the rest."""
    told = [repair_message(plan, repair) for repair in plan.repairs[:MOST_TOLD]]
    rest = plan.repairs[MOST_TOLD:]
    if rest:
        promises = "promise is" if len(rest) == 1 else "promises are"
        amount = _amount(sum(repair.given_up_kwh for repair in rest), "kWh")
        told.append(f"{len(rest)} more {promises} not kept, {amount} in all.")
    return told


LEAST = 0.001
"""What is missing is told to so many kWh or kW."""


def repair_message(plan: Plan, repair: Repair) -> str:
    """What is missing, when, and what would do: one sentence."""
    told = _missing(plan, repair)
    where = f" in scenario {repair.scenario}" if repair.scenario else ""
    where += "" if repair.is_least else ", as far as the search went"
    ways = ", or ".join(_ways(plan, repair))
    return f"{told}{where}; possible {ways}." if ways else f"{told}{where}."


def repair_row(plan: Plan, repair: Repair) -> tuple[str, str, str, str, str]:
    """Promise, what is missing of how much, when, and what would do."""
    name = repair.constraint if repair.asset_id is None else f"{repair.asset_id}: {repair.constraint}"
    when = _until(plan, plan.horizon.end) if "at the end" in repair.constraint else _steps(plan, repair)
    where = f" ({repair.scenario})" if repair.scenario else ""
    amounts = _amount(repair.amount, repair.unit), _amount(repair.promised, repair.unit)
    return f"{name}{where}", *amounts, when, ", or ".join(_ways(plan, repair)) or MISSING


def _steps(plan: Plan, repair: Repair) -> str:
    return Calendar(plan.horizon).spans(repair.steps)


def _missing(plan: Plan, repair: Repair) -> str:
    when = _steps(plan, repair)
    schedule = next((s for s in plan.schedules if s.asset_id == repair.asset_id), None)
    if schedule is None:
        missing, promised = _amount(repair.amount, repair.unit), _amount(repair.promised, repair.unit)
        product = repair.constraint.removesuffix(" held")
        return f"{product} is not held in full: up to {missing} of {promised} missing, {when}"
    kind = schedule.asset_type.replace("_", " ")
    name = schedule.asset_id if schedule.asset_id == kind else f"{kind} {schedule.asset_id}"
    if repair.constraint == "load served":
        cut, wanted = _amount(repair.amount, "kWh"), _amount(repair.promised, "kWh")
        return f"{name} is cut by {cut} of {wanted}, {when}"
    if "stored energy" in repair.constraint:
        way, end = ("below", "lowest") if repair.constraint.startswith("lowest") else ("above", "highest")
        beyond, bound = _amount(repair.amount, "kWh"), _amount(repair.promised, "kWh")
        return f"{name} begins {beyond} {way} its {end} {bound} and goes no further that way"
    until, target = _until(plan, plan.horizon.end), _target(schedule, repair)
    if repair.constraint == "most energy at the end":
        return f"{name} cannot come down to {target} by {until}: {_amount(repair.amount, 'kWh')} too much"
    return f"{name} cannot reach {target} by {until}: {_amount(repair.amount, 'kWh')} short"


def _target(schedule: Schedule, repair: Repair) -> str:
    """The energy promised, as a share of what the store holds."""
    if not schedule.energy_capacity_kwh:
        return _amount(repair.promised, repair.unit)
    percent = 100 * repair.promised / schedule.energy_capacity_kwh
    return f"{number(percent, 0 if abs(percent - round(percent)) < 0.05 else 1)}{NARROW_SPACE}%"  # noqa: PLR2004


def _ways(plan: Plan, repair: Repair) -> Iterator[str]:
    for way in repair.alternatives:
        if isinstance(way.value, datetime):
            yield f"by {_until(plan, way.value)}"
        else:
            yield f"with {_limit(plan, repair, way, way.value)}"


def _limit(plan: Plan, repair: Repair, way: Alternative, value: float) -> str:
    is_other_asset = way.owner != repair.asset_id and any(s.asset_id == way.owner for s in plan.schedules)
    owner = f" for {way.owner}" if is_other_asset else ""
    article = "an" if way.change[0] in "aeiou" else "a"
    if way.instead_of is None:
        return f"{article} {way.change}{owner} that is wider by {_enough(value, 0.0)}{NARROW_SPACE}{way.unit}"
    enough, was = _enough(value, way.instead_of), _amount(way.instead_of, way.unit)
    return f"{article} {way.change} of {enough}{NARROW_SPACE}{way.unit}{owner} instead of {was}"


def _enough(value: float, was: float) -> str:
    """A limit rounded away from what it was, so that it still does."""
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 3  # noqa: PLR2004
    shift: float = 10**decimals
    return quantity((ceil(value * shift - 1e-6) if value >= was else floor(value * shift + 1e-6)) / shift)


def _amount(value: float, unit: str) -> str:
    is_hidden = 0 < value < LEAST / 2
    return f"{f'under {LEAST:g}' if is_hidden else quantity(value)}{NARROW_SPACE}{unit}"


def _until(plan: Plan, at: datetime) -> str:
    """A local time; with its date where that is not the day of the plan."""
    local = at.astimezone(ZoneInfo(plan.horizon.timezone))
    days = Calendar(plan.horizon).days
    if (local.hour, local.minute) == (0, 0) and local.date().toordinal() == days[-1].toordinal() + 1:
        return "24:00" if len(days) == 1 else f"{day_and_month(days[-1])} 24:00"
    if len(days) == 1 and local.date() == days[0]:
        return clock(local)
    return f"{day_and_month(local.date())} {clock(local)}"
