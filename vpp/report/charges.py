"""What the grid charges, entry by entry of the tariff: the same rows in terminal and page."""

from collections.abc import Iterator

from vpp.domain.plan import Plan
from vpp.domain.tariff import Billed, BilledPeriod
from vpp.report.story import energy_text
from vpp.report.wording import NARROW_SPACE, Calendar, money, quantity, rate, signed

HEAD = ("Tariff", "charged", "when")


def charge_rows(plan: Plan, calendar: Calendar, spans: int = 2) -> list[tuple[str, str, str, str]]:
    """Name, quantity, when it was set, and cash of every entry and period."""
    return [row for billed in plan.tariff for row in _rows(calendar, billed, spans)]


def of_shown(plan: Plan) -> str:
    """Whose bill the rows are; empty where nothing is uncertain."""
    spread = plan.spread
    if spread is None:
        return ""
    cash = money(plan.money.tariff)
    name, currency = spread.outcomes[spread.shown].name, f"{NARROW_SPACE}{plan.money.currency}"
    return f"The bill of {name}; on average over {len(spread.outcomes):,} scenarios it comes to {cash}{currency}."


def _rows(calendar: Calendar, billed: Billed, spans: int) -> Iterator[tuple[str, str, str, str]]:
    if billed.kind == "energy":
        yield billed.entry, f"{energy_text(billed.energy_kwh)} {billed.of}", "", signed(billed.cash, 2)
        return
    for each in billed.periods:
        name = billed.entry if len(billed.periods) == 1 else f"{billed.entry}, {each.period}"
        told = f"{quantity(each.billed)}{NARROW_SPACE}kW {billed.of}"
        above = f", {quantity(each.owed)} owed" if each.owed else ""
        yield name, f"{told}{above}", _when(calendar, each, spans), signed(each.cash, 2)


def _when(calendar: Calendar, each: BilledPeriod, spans: int) -> str:
    is_paid = round(each.cash, 2) != 0
    if is_paid and each.steps:
        return calendar.spans(each.steps, spans)
    if not is_paid and round(each.worth_per_kw or 0.0, 3):
        return f"held: one kW more earns {rate(each.worth_per_kw or 0.0)}"
    return "a share of an earlier peak" if is_paid else "not raised"
