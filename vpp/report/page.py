"""The plan as one page that loads nothing: sentence, money, limits, pictures, tables, premises, verification."""

from html import escape
from pathlib import Path

from vpp.domain.plan import Plan, Status
from vpp.report.axis import TimeAxis
from vpp.report.binding import told_limits
from vpp.report.charges import HEAD, charge_rows, of_shown
from vpp.report.pictures import assets_section, power_section, prices_section, stored_section
from vpp.report.repairs import repairs_told
from vpp.report.scenarios import scenarios_section, told_spread
from vpp.report.story import assumptions, costs, headline, trade
from vpp.report.tables import (
    actions_section,
    html_table,
    periods_section,
    positions_section,
    premises_section,
    repairs_section,
    run_block,
    section,
    steps_section,
    text,
    verification_section,
    why_section,
)
from vpp.report.wear import stores_section
from vpp.report.wording import NARROW_SPACE, Calendar, money, rate
from vpp.report.work import shift

LIMITS_SHOWN = 5


def report_page(plan: Plan, seal: str) -> str:
    """The page, as text. Only its last block differs between two runs on the same inputs."""
    calendar = Calendar(plan.horizon)
    axis = TimeAxis(plan.horizon)
    here = Path(__file__).parent
    sections = [
        _head(plan, calendar),
        '<div class="pair">',
        _money(plan),
        _limits(plan, calendar),
        "</div>",
        _charges(plan, calendar),
        scenarios_section(plan, axis),
        prices_section(plan, axis),
        power_section(plan, axis),
        stored_section(plan, axis),
        why_section(plan, calendar),
        section("Grid-forming", "<p>No islands configured: nothing forms a grid in this plan.</p>"),
        assets_section(plan, axis),
        stores_section(plan),
        periods_section(plan),
        actions_section(plan, calendar),
        steps_section(plan, calendar),
        positions_section(plan),
        repairs_section(plan),
        premises_section(plan),
        verification_section(plan),
        run_block(plan, seal),
    ]
    title = escape(f"Plan for {plan.site_name}, {calendar.title()}")
    first_step = plan.horizon.first_step_s / plan.horizon.step_s
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title>\n<style>\n{(here / 'style.css').read_text('utf-8')}</style></head>\n"
        f'<body><main data-first-step="{first_step:g}">\n{chr(10).join(sections)}\n</main>\n'
        f"<script>\n{(here / 'crosshair.js').read_text('utf-8')}</script></body></html>\n"
    )


def _head(plan: Plan, calendar: Calendar) -> str:
    warning = _repairs(plan)
    if plan.status is Status.FALLBACK:
        warning = f'<p class="band">This is no plan but the fallback.</p>{warning}'
    steps = calendar.steps().replace(" ", NARROW_SPACE)
    told = " ".join(filter(None, (told_spread(plan), trade(plan), costs(plan), shift(plan))))
    return (
        f"<header><h1>Plan for {escape(plan.site_name)}</h1>"
        f'<p class="status {plan.status}">{plan.status.upper()}</p>'
        f'<p class="when">{calendar.title()} · {escape(plan.horizon.timezone)} · {steps}</p></header>'
        f'{warning}<p class="headline">{escape(headline(plan))}</p>'
        f'<p class="told">{text(told)}</p>'
        f"{_assumptions(plan)}"
    )


def _assumptions(plan: Plan) -> str:
    told = assumptions(plan)
    return f'<p class="note">{escape(told)}</p>' if told else ""


def _repairs(plan: Plan) -> str:
    items = "".join(f"<li>{text(told)}</li>" for told in repairs_told(plan))
    return f'<ul class="repairs">{items}</ul>' if items else ""


def _money(plan: Plan) -> str:
    m = plan.money
    rows = [("energy", m.energy), ("capacity", m.capacity), ("wear", m.wear), ("tariff", m.tariff)]
    rows += [("penalties", m.penalties), ("net", m.net)]
    if plan.idle_net is not None:
        rows.append(("left idle", plan.idle_net))
    low, high = min(0.0, *(value for _, value in rows)), max(0.0, *(value for _, value in rows))
    width = (high - low) or 1.0
    bars = ""
    for name, value in rows:
        left, size = 100 * (min(value, 0.0) - low) / width, 100 * abs(value) / width
        kind = "sum" if name == "net" else "ghost" if name == "left idle" else "minus" if value < 0 else "plus"
        bars += (
            f'<tr class="{kind}"><th scope="row">{name}</th><td class="n">{money(value)}</td><td class="bar">'
            f'<i style="left:{left:.2f}%;width:{size:.2f}%"></i>'
            f'<b style="left:{-100 * low / width:.2f}%"></b></td></tr>'
        )
    return section(f"Money <span class=unit>{escape(m.currency)}</span>", f'<table class="bars">{bars}</table>')


def _charges(plan: Plan, calendar: Calendar) -> str:
    """What the grid charges; nothing where it charges nothing."""
    rows = charge_rows(plan, calendar)
    if not rows:
        return ""
    head = (*HEAD, plan.money.currency)
    whose = f'<p class="note">{text(of_shown(plan))}</p>' if plan.spread else ""
    return section("What the grid charges", html_table(head, rows, numbers_from=3, identity="tariff") + whose)


def _limits(plan: Plan, calendar: Calendar) -> str:
    told = told_limits(plan)
    if not told:
        return section("What limits it", "<p>No limit binds.</p>")
    rows = [
        (
            limit.name,
            calendar.spans(limit.steps) if limit.steps else "at the end",
            f"{rate(limit.worth_per_unit)} per {limit.unit}",
            "–" if limit.worth_of_hundredth is None else money(limit.worth_of_hundredth),
        )
        for limit in told[:LIMITS_SHOWN]
    ]
    head = ("Limit", "binds", "one more unit earns", "1 % wider earns")
    note = f"In {escape(plan.money.currency)}, over the whole plan."
    if len(told) > LIMITS_SHOWN:
        note += f" {len(told) - LIMITS_SHOWN} more limits are in plan.json."
    table = html_table(head, rows, numbers_from=2, identity="limits")
    return section("What limits it", f'{table}<p class="note">{note}</p>')
