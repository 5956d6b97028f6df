"""What `vpp plan` prints: the result of a plan as text."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vpp.domain.plan import BindingLimit, Plan
from vpp.report.sparkline import Columns, sparkline
from vpp.report.story import actions, headline, trade
from vpp.report.wording import NARROW_SPACE, Calendar, between, money, number, quantity, signed

MOST_ACTIONS = 16
MOST_LIMITS = 5
MOST_SPARKLINES = 12
ROOMY = 110
"""Columns from which a table may name several spans of time in a row."""


def summary(plan: Plan, written: Sequence[Path], *, width: int, shows_bars: bool) -> str:
    """The whole result, ready to print.

    Args:
        plan: The plan.
        written: Files that hold it.
        width: Columns of the terminal.
        shows_bars: Whether to draw sparklines, as on a terminal.

    """
    calendar = Calendar(plan.horizon)
    title = f"{plan.site_name}   {calendar.title()}   {plan.horizon.timezone}   {calendar.steps()}"
    lines = ["", f"  {title:<{max(len(title) + 3, width - 12)}}{plan.status.upper()}", ""]
    lines += [f"  {repair.message}" for repair in plan.repairs] + ([""] if plan.repairs else [])
    lines += [*_sentences(headline(plan), width), *_sentences(trade(plan), width), ""]
    if shows_bars:
        lines += [*_bars(plan, width), ""]
    lines += [*_actions(plan, calendar), *_money(plan), *_limits(plan, calendar, width), *_files(written)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _sentences(text: str, width: int) -> list[str]:
    """Sentences on as many lines as they need; no line breaks between a number and its unit."""
    lines = textwrap.wrap(text, width - 4, break_long_words=False, break_on_hyphens=False)
    return [f"  {line.replace(NARROW_SPACE, ' ')}" for line in lines]


def _bars(plan: Plan, width: int) -> Iterator[str]:
    columns = Columns(plan.horizon, max(24, width - 48))
    rows: list[tuple[str, Sequence[float], str, str]] = [
        ("price", plan.import_price_per_mwh, _range(plan.import_price_per_mwh), f"{plan.money.currency}/MWh")
    ]
    for schedule in plan.schedules[:MOST_SPARKLINES]:
        rows.append((schedule.asset_id, schedule.export_kw, _range(schedule.export_kw, signed), "kW, + export"))
        if schedule.soc_fraction is not None:
            percent = [100 * fraction for fraction in schedule.soc_fraction]
            rows.append(("  stored", percent, _range(percent), "%"))
    name_width = max(len(name) for name, *_ in rows)
    range_width = max(len(told) for _, _, told, _ in rows)
    yield f"  {'':<{name_width}}  {columns.scale()}"
    for name, values, told, unit in rows:
        yield f"  {name:<{name_width}}  {sparkline(columns.averages(values))}  {told:>{range_width}}  {unit}"
    if len(plan.schedules) > MOST_SPARKLINES:
        yield f"  … and {len(plan.schedules) - MOST_SPARKLINES:,} more assets in plan.csv"


def _range(values: Sequence[float], form: Callable[[float], str] = number) -> str:
    return f"{form(min(values))} … {form(max(values))}"


def _actions(plan: Plan, calendar: Calendar) -> Iterator[str]:
    found = actions(plan)
    if not found:
        return
    shown = found[:MOST_ACTIONS]
    rows = [
        (
            calendar.span(a.first, a.after),
            a.asset_id,
            "charges" if a.is_charging else "discharges",
            f"{quantity(a.mean_kw)} kW",
            f"{quantity(a.energy_kwh)} kWh",
            between(a.lowest_price, a.highest_price),
            signed(a.cash, 2),
        )
        for a in shown
    ]
    head = ("When", "Store", "Does", "average", "energy", f"{plan.money.currency}/MWh", plan.money.currency)
    yield from table(head, rows, numbers_from=3)
    if len(found) > len(shown):
        yield f"  … and {len(found) - len(shown):,} more in plan.csv"
    yield ""


def _money(plan: Plan) -> Iterator[str]:
    m = plan.money
    parts = [("energy", m.energy), ("capacity", m.capacity), ("wear", m.wear), ("tariff", m.tariff)]
    parts += [("penalties", m.penalties), ("net", m.net)]
    cells = [f"{name:<9} {money(value):>14}" for name, value in parts]
    for first in range(0, len(cells), 3):
        yield "  " + "   ".join(cells[first : first + 3])
    for product, cost in (plan.reserve_cost or {}).items():
        yield f"  holding {product} costs {money(cost)} {m.currency}"
    yield ""


def _limits(plan: Plan, calendar: Calendar, width: int) -> Iterator[str]:
    spans = 1 if width < ROOMY else 3
    if not plan.limits:
        yield "  No limit binds."
    else:
        rows = [
            (limit_name(limit), calendar.spans(limit.steps, spans) if limit.steps else "at the end", worth(plan, limit))
            for limit in plan.limits[:MOST_LIMITS]
        ]
        yield from table(("What limits it", "when", "one more earns"), rows, numbers_from=2)
    yield ""


def limit_name(limit: BindingLimit) -> str:
    """Owner, name and size of a limit."""
    size = "" if limit.bound is None else f" {quantity(limit.bound)} {limit.unit}"
    return f"{limit.owner}: {limit.limit}{size}"


def worth(plan: Plan, limit: BindingLimit) -> str:
    """What one unit more of a limit would earn over the whole plan."""
    return f"{number(limit.worth_per_unit, 2)} {plan.money.currency}/{limit.unit}"


def _files(written: Sequence[Path]) -> Iterator[str]:
    if written:
        yield f"  {written[0].parent}/  {'  '.join(path.name for path in written)}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int) -> Iterator[str]:
    """Columns as wide as their widest cell; from column `numbers_from` on they are set to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = [
            f"{c:>{w}}" if k >= numbers_from else f"{c:<{w}}" for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "   ".join(cells)
