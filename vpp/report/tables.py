"""The tables of the page: actions, steps, premises, verification, and what belongs to one run alone."""

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from zoneinfo import ZoneInfo

from vpp import __version__
from vpp.domain.plan import Plan, Position, Schedule, Status
from vpp.report.actions import actions, periods
from vpp.report.repairs import repair_row
from vpp.report.story import energy_text
from vpp.report.why import Spell, in_words, reasons, spells
from vpp.report.wording import NARROW_SPACE, Calendar, between, clock, money, number, quantity, signed

MOST_ROWS = 400
"""A plan of more steps has its table in plan.csv alone."""
MOST_TABLED = 20
"""A plan of more assets, too."""
MOST_EXPLAINED = 3
"""Of more stores the page explains those that move most."""
MOST_UNFOLDED = 30
"""A longer table of actions is folded."""


def section(title: str, body: str) -> str:
    """A part of the page, under its heading."""
    return f"<section><h2>{title}</h2>{body}</section>"


def repairs_section(plan: Plan) -> str:
    """Every promise that the plan breaks, with what would have kept it."""
    rows = [repair_row(plan, repair) for repair in plan.repairs]
    if not rows:
        return section("Repairs", "<p>None: the plan keeps every promise.</p>")
    note = (
        "Where no plan keeps every promise, as little as possible is given up: load that is not critical is cut last, "
        "and critical load never; before that capacity is missing, and before that energy at the end. What would do "
        "was tried, with all else as planned."
    )
    table = html_table(("Promise", "missing", "of", "when", "would do"), rows, identity="repairs")
    return section("Repairs", f'{table}<p class="note">{note}</p>')


def text(words: str) -> str:
    """Words in a page; no line breaks inside a span of time."""
    return _SPAN.sub(r'<span class="span">\g<0></span>', escape(words))


_SPAN = re.compile(r"(\d+ [A-Z][a-z]+ )?\d\d:\d\d[AB]?–(\d+ [A-Z][a-z]+ )?\d\d:\d\d[AB]?|\+ [\d,]+ more")


def html_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers_from: int | None = None,
    identity: str = "",
    style: str = "",
) -> str:
    """A table; from column `numbers_from` on, cells are set to the right."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}>{text(cell)}</{tag}>" for cell in row)

    body = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    name = f' id="{identity}"' if identity else ""
    kind = f' class="n{numbers_from}"' if numbers_from is not None else f' class="{style}"' if style else ""
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f"<div class=wide><table{name}{kind}>{top}<tbody>{body}</tbody></table></div>"


def periods_section(plan: Plan) -> str:
    """A plan of several days, by day or by month; nothing for a plan of one day."""
    found = periods(plan)
    if not found:
        return ""
    by = "month" if len(found[0].name) == len("2026-11") else "day"
    rows = [
        (
            period.name,
            *(
                energy_text(kwh)
                for kwh in (period.sold_kwh, period.bought_kwh, period.charged_kwh, period.discharged_kwh)
            ),
            signed(period.cash, 2),
        )
        for period in found
    ]
    head = (by.capitalize(), "sold", "bought", "charged", "discharged", f"energy, {plan.money.currency}")
    return section(f"By {by}", html_table(head, rows, numbers_from=1, identity="periods"))


def actions_section(plan: Plan, calendar: Calendar) -> str:
    """Every charge and discharge."""
    found = actions(plan)
    if not found:
        return section("Charging and discharging", "<p>No store moves.</p>")
    rows = [
        (
            calendar.span(a.first, a.after),
            a.store,
            "charges" if a.is_charging else "discharges",
            f"{quantity(a.mean_kw)}{NARROW_SPACE}kW",
            energy_text(a.energy_kwh),
            between(a.lowest_price, a.highest_price),
            signed(a.cash, 2),
        )
        for a in found[:MOST_ROWS]
    ]
    currency = plan.money.currency
    head = ("When", "Store", "Does", "average", "energy", f"{currency}/MWh", f"brings, {currency}")
    table = html_table(head, rows, numbers_from=3, identity="actions")
    if len(found) > len(rows):
        table += f"<p>The first {len(rows)} of {len(found):,}; plan.csv has every step.</p>"
    return section("Charging and discharging", _folded(len(rows), table) if len(found) > MOST_UNFOLDED else table)


def why_section(plan: Plan, calendar: Calendar) -> str:
    """Each store in spells of one reason."""
    told = _explained(plan)
    if not told:
        return section("Why", "<p>No store has anything to decide.</p>")
    tables = "".join(_why_table(plan, schedule, calendar) for schedule in told)
    note = f"In {escape(plan.money.currency)} per MWh. What any other power would cost, vpp explain says."
    if plan.repairs:
        note += " A MWh is worth what it earns with all that is given up held."
    stores = sum(schedule.stored_kwh is not None for schedule in plan.schedules)
    if stores > len(told):
        note += f" Of {stores:,} stores the {len(told)} that move most."
    return section("Why", f'<p class="note">{note}</p>{tables}')


def _explained(plan: Plan) -> list[Schedule]:
    """The stores that are explained, in the order of the site."""
    stores = [s for s in plan.schedules if s.stored_kwh is not None and s.asset_id in plan.accounts]
    most = sorted(stores, key=lambda schedule: -sum(map(abs, schedule.export_kw)))[:MOST_EXPLAINED]
    return [schedule for schedule in stores if schedule in most]


def _why_table(plan: Plan, schedule: Schedule, calendar: Calendar) -> str:
    account, found = plan.accounts[schedule.asset_id], spells(plan, schedule)
    rows = [
        (
            calendar.span(spell.first, spell.after),
            spell.reason.verb,
            _range(account.meter_per_mwh, spell),
            _range(account.stored_per_mwh or account.meter_per_mwh, spell),
            in_words(plan, schedule, spell),
        )
        for spell in found[:MOST_ROWS]
    ]
    head = ("When", "Does", "at the meter", "in the store", "Because")
    table = html_table(head, rows, style="why")
    is_long = len(found) > MOST_UNFOLDED
    return f"<h3>{escape(schedule.asset_id)}</h3>{_folded(len(rows), table) if is_long else table}"


def _range(values: Sequence[float], spell: Spell) -> str:
    return between(min(values[spell.first : spell.after]), max(values[spell.first : spell.after]))


def positions_section(plan: Plan) -> str:
    """What is bought and sold of every product, folded; equal blocks that follow one another are one row."""
    if not plan.positions:
        return section("Positions", "<p>Nothing is bought or sold.</p>")
    zone, currency = ZoneInfo(plan.horizon.timezone), plan.money.currency
    rows = []
    for (product, direction, quantity_kw, price, unit), members in groupby(plan.positions, _terms):
        blocks = list(members)
        rows.append(
            (
                _local(blocks[0].start.astimezone(zone)),
                _local(blocks[-1].end.astimezone(zone)),
                product,
                direction,
                signed(quantity_kw, 2) if direction == "net" else number(quantity_kw, 2),
                number(price, 2),
                unit.replace("_", " "),
                signed(sum(block.cash for block in blocks), 2),
            )
        )
    if len(rows) > MOST_ROWS:
        return section("Positions", f"<p>{len(plan.positions):,} positions are in positions.csv.</p>")
    head = ("From", "to", "product", "direction", "kW", f"price, {currency}", "unit", f"cash, {currency}")
    return section("Positions", _folded(len(rows), html_table(head, rows, numbers_from=4, identity="positions")))


def _terms(position: Position) -> tuple[str, str, float, float, str]:
    return position.product, position.direction, position.quantity_kw, position.price, position.price_unit


def _local(at: datetime) -> str:
    return f"{at:%Y-%m-%d} {clock(at)}"


def _folded(count: int, table: str) -> str:
    return f"<details><summary>{count:,} rows</summary>{table}</details>"


def steps_section(plan: Plan, calendar: Calendar) -> str:
    """Prices and powers step by step, folded."""
    if plan.horizon.count > MOST_ROWS or len(plan.schedules) > MOST_TABLED:
        body = f"<p>{plan.horizon.count:,} steps for each asset are in plan.csv.</p>"
        return section("All steps", body)
    currency = plan.money.currency
    columns: list[tuple[str, Sequence[float]]] = [(f"price, {currency}/MWh", plan.import_price_per_mwh)]
    if plan.export_price_per_mwh != plan.import_price_per_mwh:
        columns.append((f"export price, {currency}/MWh", plan.export_price_per_mwh))
    columns.append(("site, kW", plan.site_export_kw))
    for schedule in plan.schedules:
        columns.append((f"{schedule.asset_id}, kW", schedule.export_kw))
        if schedule.stored_kwh is not None:
            columns.append((f"{schedule.asset_id}, kWh", schedule.stored_kwh))
        account = plan.accounts.get(schedule.asset_id)
        if account is not None and account.stored_per_mwh is not None and schedule in _explained(plan):
            columns.append((f"{schedule.asset_id}, stored worth {currency}/MWh", account.stored_per_mwh))
        for way, held in (("up", schedule.up_kw), ("down", schedule.down_kw)):
            columns += [(f"{schedule.asset_id}, {product} {way}, kW", values) for product, values in held.items()]
    why = [(f"{store.asset_id}, why", _reasons(plan, store)) for store in _explained(plan)]
    has_days = len(calendar.days) > 1
    rows = [
        (
            _local(start) if has_days else clock(start),
            *(number(values[step], 2) for _, values in columns),
            *(words[step] for _, words in why),
        )
        for step, start in enumerate(calendar.starts)
    ]
    head = ("From", *(name for name, _ in (*columns, *why)))
    table = html_table(head, rows, numbers_from=1, identity="steps")
    return section("All steps", _folded(len(rows), table))


def _reasons(plan: Plan, schedule: Schedule) -> list[str]:
    """Why an asset does what it does, step by step, with the limits that bind."""
    return [", ".join((reason.because.value, *reason.limits)) for reason in reasons(plan, schedule)]


def premises_section(plan: Plan) -> str:
    """What the plan rests on."""
    rows = [(p.input, p.check, p.verdict) for p in plan.premises]
    found = html_table(("Input", "check", "verdict"), rows, identity="premises") if rows else "<p>None.</p>"
    return section("Premises", found)


def verification_section(plan: Plan) -> str:
    """What independent arithmetic found, and how sure the solver is."""
    gap = "proven best" if plan.status is Status.OPTIMAL else f"within {100 * plan.gap_fraction:.2f} % of the best"
    outcome = "All is as the plan says" if plan.verification.passed else "THE PLAN FAILED"
    return section(
        "Verification",
        f"<p>Energy, limits and money were computed once more by plain arithmetic. {outcome}: worst violation "
        f"{plan.verification.worst_violation:.1e} kW or kWh.</p>"
        f"<p>The plan is {gap}: gap {100 * plan.gap_fraction:.2f} %, no plan earns more than "
        f"{money(plan.bound)} {escape(plan.money.currency)}. "
        f"The model has {plan.model_rows:,} rows and {plan.model_columns:,} columns.</p>",
    )


def run_block(plan: Plan, seal: str) -> str:
    """What differs between two runs on the same inputs, and nothing else."""
    t = plan.timing
    stages = {"read": t.read, "build": t.build, "solve": t.solve, "verify": t.verify, "write": t.write}
    timing = ", ".join(f"{stage} {seconds:.3f} s" for stage, seconds in stages.items())
    ages = "".join(f"<li>{escape(p.input)}: {_age(p.age_s)}</li>" for p in plan.premises if p.age_s is not None)
    return (
        f'<!-- this run --><footer id="run"><p>Made {plan.created:%Y-%m-%d %H:%M:%S} UTC '
        f"by vpp-dispatcher {__version__}. {timing}.</p><p>Age of the inputs when the plan begins:</p><ul>{ages}</ul>"
        f"<p class=seal>seal {seal}</p></footer><!-- end of this run -->"
    )


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds" if seconds else "changed since"
