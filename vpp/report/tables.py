"""The tables of the page: actions, steps, premises, verification, and what belongs to one run alone."""

from collections.abc import Sequence
from html import escape

from vpp import __version__
from vpp.domain.plan import Plan, Status
from vpp.report.story import actions, energy_text
from vpp.report.wording import Calendar, between, clock, money, number, quantity, signed

MOST_ROWS = 400
"""A plan of more steps has its table in plan.csv alone."""
MOST_TABLED = 20
"""A plan of more assets, too."""


def section(title: str, body: str) -> str:
    """A part of the page, under its heading."""
    return f"<section><h2>{title}</h2>{body}</section>"


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int | None = None, identity: str = ""
) -> str:
    """A table; from column `numbers_from` on, cells are set to the right."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)

    body = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    name = f' id="{identity}"' if identity else ""
    kind = f' class="n{numbers_from}"' if numbers_from is not None else ""
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f"<div class=wide><table{name}{kind}>{top}<tbody>{body}</tbody></table></div>"


def actions_section(plan: Plan, calendar: Calendar) -> str:
    """Every charge and discharge."""
    rows = [
        (
            calendar.span(a.first, a.after),
            a.asset_id,
            "charges" if a.is_charging else "discharges",
            f"{quantity(a.mean_kw)} kW",
            energy_text(a.energy_kwh),
            between(a.lowest_price, a.highest_price),
            signed(a.cash, 2),
        )
        for a in actions(plan)[:MOST_ROWS]
    ]
    if not rows:
        return section("Charging and discharging", "<p>No store moves.</p>")
    currency = plan.money.currency
    head = ("When", "Store", "Does", "average", "energy", f"price, {currency}/MWh", f"cash, {currency}")
    return section("Charging and discharging", html_table(head, rows, numbers_from=3, identity="actions"))


def steps_section(plan: Plan, calendar: Calendar) -> str:
    """Prices and powers step by step, folded."""
    if plan.horizon.count > MOST_ROWS or len(plan.schedules) > MOST_TABLED:
        body = f"<p>{plan.horizon.count:,} steps of {len(plan.schedules):,} assets are in plan.csv.</p>"
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
        for way, held in (("up", schedule.up_kw), ("down", schedule.down_kw)):
            columns += [(f"{schedule.asset_id}, {product} {way}, kW", values) for product, values in held.items()]
    days = len(calendar.days) > 1
    rows = [
        (
            f"{start:%d.%m. }{clock(start)}" if days else clock(start),
            *(number(values[step], 2) for _, values in columns),
        )
        for step, start in enumerate(calendar.starts)
    ]
    table = html_table(("from", *(name for name, _ in columns)), rows, numbers_from=1, identity="steps")
    return section("All steps", f"<details><summary>{plan.horizon.count} rows</summary>{table}</details>")


def verification_section(plan: Plan) -> str:
    """What the plan rests on, and what independent arithmetic found."""
    rows = [(p.input, p.check, p.verdict) for p in plan.premises]
    premises = html_table(("Input", "check", "verdict"), rows) if rows else "<p>None.</p>"
    gap = "proven best" if plan.status is Status.OPTIMAL else f"within {100 * plan.gap_fraction:.2f} % of the best"
    return section("Premises", premises) + section(
        "Verification",
        f"<p>Energy, limits and money were computed once more by plain arithmetic: worst violation "
        f"{plan.verification.worst_violation:.1e} kW or kWh. The plan is {gap}; no plan earns more than "
        f"{money(plan.bound)} {plan.money.currency}.</p>"
        f"<p>The model has {plan.model_rows:,} rows and {plan.model_columns:,} columns.</p>",
    )


def run_block(plan: Plan, seal: str) -> str:
    """What differs between two runs on the same inputs, and nothing else."""
    t = plan.timing
    stages = {"read": t.read, "build": t.build, "solve": t.solve, "verify": t.verify, "write": t.write}
    timing = ", ".join(f"{stage} {seconds:.3f} s" for stage, seconds in stages.items())
    ages = "".join(f"<li>{escape(p.input)}: {_age(p.age_s)}</li>" for p in plan.premises if p.age_s is not None)
    return (
        f'<!-- this run --><footer id="run"><p>Made {plan.created:%Y-%m-%d %H:%M:%S} UTC '
        f"by vpp-dispatcher {__version__}. {timing}.</p><p>Inputs last changed:</p><ul>{ages}</ul>"
        f"<p class=seal>seal {seal}</p></footer><!-- end of this run -->"
    )


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} seconds ago"
