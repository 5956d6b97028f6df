"""What `vpp plan` prints: the result of a plan as text."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vpp.domain.plan import Plan
from vpp.report.actions import actions, periods
from vpp.report.binding import told_limits, worth
from vpp.report.charges import HEAD, charge_rows, of_shown
from vpp.report.refusals import NARROW
from vpp.report.repairs import repairs_told
from vpp.report.scenarios import spread_rows, told_spread
from vpp.report.sparkline import Columns, sparkline
from vpp.report.story import assumptions, costs, energy_text, groups, headline, total, trade
from vpp.report.wear import wear_table
from vpp.report.wording import NARROW_SPACE, Calendar, between, money, number, quantity, signed
from vpp.report.work import shift, work_table

MOST_ACTIONS = 16
MOST_PERIODS = 31
MOST_LIMITS = 5
MOST_WORN = 8
BAR_ROOM = 48
"""Columns beside a sparkline: its name, range and unit."""
SPANS_FROM = ((110, 3), (96, 2), (0, 1))
"""From so many columns on, a table names so many spans of time in a row."""


def summary(plan: Plan, written: Sequence[Path], *, width: int, shows_bars: bool) -> str:
    """The whole result, ready to print.

    Args:
        plan: The plan.
        written: Files that hold it.
        width: Columns of the terminal.
        shows_bars: Whether to draw sparklines, as on a terminal.

    """
    calendar = Calendar(plan.horizon)
    lines = ["", *_title(plan, calendar, width), ""]
    lines += [line for told in repairs_told(plan) for line in sentences(told, width)]
    lines += [""] if plan.repairs else []
    for text in (headline(plan), told_spread(plan), trade(plan), costs(plan), shift(plan), assumptions(plan)):
        lines += sentences(text, width)
    lines.append("")
    if shows_bars:
        lines += [*_bars(plan, width), ""]
    lines += [*_periods(plan, width), *_actions(plan, calendar, width), *_money(plan), *_charges(plan, calendar, width)]
    lines += [*_work(plan, width), *_ageing(plan, width), *_scenarios(plan, width)]
    lines += [*_limits(plan, calendar, width), *_files(written)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title(plan: Plan, calendar: Calendar, width: int) -> Iterator[str]:
    """Site, days and status; on two lines where one is too short."""
    status = str(plan.status).upper()
    when = f"{calendar.title()}   {plan.horizon.timezone}   {calendar.steps()}"
    if 2 + len(plan.site_name) + 3 + len(when) + 3 + len(status) <= width:
        yield f"  {f'{plan.site_name}   {when}':<{width - 4 - len(status)}}  {status}"
    else:
        yield f"  {plan.site_name:<{width - 6 - len(status)}}  {status}"
        yield f"  {when}"


def sentences(text: str, width: int) -> list[str]:
    """Sentences on as many lines as they need; no line breaks between a number and its unit."""
    lines = textwrap.wrap(text, width - 4, break_long_words=False, break_on_hyphens=False)
    return [f"  {line.replace(NARROW_SPACE, ' ')}" for line in lines]


def _bars(plan: Plan, width: int) -> Iterator[str]:
    columns = Columns(plan.horizon, max(24, width - BAR_ROOM))
    power = "kW, + export"
    rows: list[tuple[str, Sequence[float], str, str]] = [
        ("price", plan.import_price_per_mwh, _range(plan.import_price_per_mwh), f"{plan.money.currency}/MWh"),
        ("meter", plan.site_export_kw, _range(plan.site_export_kw, signed), power),
    ]
    for name, members in groups(plan).items():
        export_kw = total([schedule.export_kw for schedule in members])
        rows.append((name, export_kw, _range(export_kw, signed), power))
        capacity_kwh = sum(schedule.energy_capacity_kwh or 0.0 for schedule in members)
        stored = [schedule.stored_kwh for schedule in members if schedule.stored_kwh is not None]
        if stored and capacity_kwh:
            percent = [100 * kwh / capacity_kwh for kwh in total(stored)]
            rows.append(("  stored", percent, _range(percent), "%"))
    name_width = max(len(name) for name, *_ in rows)
    range_width = max(len(told) for _, _, told, _ in rows)
    yield f"  {'':<{name_width}}  {columns.scale()}"
    for name, values, told, unit in rows:
        yield f"  {name:<{name_width}}  {sparkline(columns.averages(values))}  {told:>{range_width}}  {unit}"


def _range(values: Sequence[float], form: Callable[[float], str] = number) -> str:
    low, high = form(min(values)), form(max(values))
    return low if low == high else f"{low} … {high}"


def _periods(plan: Plan, width: int) -> Iterator[str]:
    """Days or months, of a plan of several days."""
    found = periods(plan)
    if not found:
        return
    rows = [
        (
            period.name,
            *(
                energy_text(kwh).replace(NARROW_SPACE, " ")
                for kwh in (period.sold_kwh, period.bought_kwh, period.charged_kwh, period.discharged_kwh)
            ),
            signed(period.cash, 2),
        )
        for period in found[:MOST_PERIODS]
    ]
    head = ("", "sold", "bought", "charged", "discharged", f"energy, {plan.money.currency}")
    yield from table(head, rows, numbers_from=1, width=width)
    if len(found) > len(rows):
        yield f"  … and {len(found) - len(rows):,} more in report.html"
    yield ""


def _actions(plan: Plan, calendar: Calendar, width: int) -> Iterator[str]:
    """Every charge and discharge; of a plan of several days only if they are few."""
    found = actions(plan)
    if not found or (len(calendar.days) > 1 and len(found) > MOST_ACTIONS):
        return
    rows: list[tuple[str, ...]] = [
        (
            calendar.span(a.first, a.after),
            a.store,
            "charges" if a.is_charging else "discharges",
            f"{quantity(a.mean_kw)} kW",
            f"{quantity(a.energy_kwh)} kWh",
            between(a.lowest_price, a.highest_price),
            signed(a.cash, 2),
        )
        for a in found[:MOST_ACTIONS]
    ]
    head: tuple[str, ...] = (
        "When",
        "Store",
        "Does",
        "average",
        "energy",
        f"{plan.money.currency}/MWh",
        plan.money.currency,
    )
    if sum(_widths(head, rows)) + 2 * len(head) > width:
        head, *rows = [(*row[:3], *row[4:]) for row in (head, *rows)]
    yield from table(head, rows, numbers_from=3, width=width)
    if len(found) > len(rows):
        yield f"  … and {len(found) - len(rows):,} more in report.html"
    yield ""


def _money(plan: Plan) -> Iterator[str]:
    m = plan.money
    parts = [("energy", m.energy), ("capacity", m.capacity), ("wear", m.wear), ("tariff", m.tariff)]
    parts += [("penalties", m.penalties), ("net", m.net)]
    cells = [f"{name:<9} {money(value):>14}" for name, value in parts]
    for first in range(0, len(cells), 3):
        yield "  " + "   ".join(cells[first : first + 3])
    yield ""


def _work(plan: Plan, width: int) -> Iterator[str]:
    """Which store does what, and at what cost."""
    found = work_table(plan)
    if found is not None:
        head, rows = found
        told = [[cell.replace(NARROW_SPACE, " ") for cell in row] for row in rows]
        yield from table(head, told[:MOST_WORN], numbers_from=2, width=width)
        if len(told) > MOST_WORN:
            yield f"  … and {len(told) - MOST_WORN:,} more in plan.json"
        yield ""


def _ageing(plan: Plan, width: int) -> Iterator[str]:
    """What the plan takes of the lives of its stores."""
    if plan.ageing:
        head, rows = wear_table(plan)
        told = [[cell.replace(NARROW_SPACE, " ") for cell in row] for row in rows]
        yield from table(head, told[:MOST_WORN], numbers_from=1, width=width)
        if len(told) > MOST_WORN:
            yield f"  … and {len(told) - MOST_WORN:,} more in plan.json"
        yield ""


def _charges(plan: Plan, calendar: Calendar, width: int) -> Iterator[str]:
    """What the grid charges; nothing where it charges nothing."""
    rows = [tuple(cell.replace(NARROW_SPACE, " ") for cell in row) for row in charge_rows(plan, calendar, spans=1)]
    if rows:
        yield from table((*HEAD, plan.money.currency), rows[:MOST_PERIODS], numbers_from=3, width=width)
        yield from sentences(of_shown(plan), width)
        yield ""


def _scenarios(plan: Plan, width: int) -> Iterator[str]:
    if plan.spread is not None:
        head, rows = spread_rows(plan)
        plain = [tuple(cell.replace(NARROW_SPACE, " ") for cell in row) for row in rows]
        yield from table(head, plain, numbers_from=1, width=width)
        yield ""


def _limits(plan: Plan, calendar: Calendar, width: int) -> Iterator[str]:
    told = told_limits(plan)
    spans = next(most for columns, most in SPANS_FROM if width >= columns)
    if not told:
        yield "  No limit binds."
    else:
        rows = [
            (
                limit.name.replace(NARROW_SPACE, " "),
                calendar.spans(limit.steps, spans) if limit.steps else "at the end",
                worth(plan, limit),
            )
            for limit in told[:MOST_LIMITS]
        ]
        yield from table(("What limits it", "when", "one more earns"), rows, numbers_from=2, width=width)
    yield ""


def _files(written: Sequence[Path]) -> Iterator[str]:
    if written:
        yield f"  {written[0].parent}/  {'  '.join(path.name for path in written)}"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int, width: int = NARROW
) -> Iterator[str]:
    """Columns as wide as their widest cell; from column `numbers_from` on they are set to the right.

    Where that is wider than the terminal, columns move together; where that does not suffice, the first cell of each
    row stands on a line of its own. No cell is cut.
    """
    widths = _widths(head, rows)
    gap = 3 if sum(widths) + 3 * len(widths) <= width else 2
    own_line = sum(widths) + gap * len(widths) > width
    for row in (head, *rows):
        cells = [
            f"{c:>{w}}" if k >= numbers_from else f"{c:<{w}}" for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        if own_line:
            yield f"  {row[0]}"
            yield f"    {'   '.join(cells[1:])}"
        else:
            yield "  " + (" " * gap).join(cells)


def _widths(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
