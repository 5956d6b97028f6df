"""The plan as one page that loads nothing: sentence, money, limits, pictures, tables, premises, verification."""

from collections.abc import Mapping, Sequence
from html import escape
from math import inf
from pathlib import Path

from vpp.domain.plan import Plan, Schedule
from vpp.report.chart import Line, TimeAxis, Zone, chart
from vpp.report.story import headline, trade
from vpp.report.tables import actions_section, html_table, run_block, section, steps_section, verification_section
from vpp.report.terminal import limit_name
from vpp.report.wording import Calendar, money, number, quantity

MOST_STACKED = 6
"""So many assets are stacked one by one; above that, by type."""
MOST_STORES = 8
"""So many stores have a chart of their own."""
MOST_ASSETS = 200
"""Above so many assets the page shows the `SHOWN_ASSETS` largest."""
SHOWN_ASSETS = 20
LIMITS_SHOWN = 8


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
        _prices(plan, axis),
        _power(plan, axis),
        _stored(plan, axis),
        _assets(plan, axis),
        actions_section(plan, calendar),
        steps_section(plan, calendar),
        verification_section(plan),
        run_block(plan, seal),
    ]
    title = escape(f"{plan.site_name}, {calendar.title()}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title>\n<style>\n{(here / 'style.css').read_text('utf-8')}</style></head>\n"
        f"<body><main>\n{chr(10).join(sections)}\n</main>\n"
        f"<script>\n{(here / 'crosshair.js').read_text('utf-8')}</script></body></html>\n"
    )


def _head(plan: Plan, calendar: Calendar) -> str:
    repairs = "".join(f"<li>{escape(repair.message)}</li>" for repair in plan.repairs)
    return (
        f'<header><h1>{escape(plan.site_name)}</h1><p class="status {plan.status}">{plan.status.upper()}</p>'
        f'<p class="when">{calendar.title()} · {escape(plan.horizon.timezone)} · {calendar.steps()}</p></header>'
        + (f'<ul class="repairs">{repairs}</ul>' if repairs else "")
        + f'<p class="headline">{escape(headline(plan))}</p><p>{escape(trade(plan))}</p>'
        + "".join(
            f"<p>Holding {escape(product)} costs {money(cost)} {plan.money.currency}.</p>"
            for product, cost in (plan.reserve_cost or {}).items()
        )
    )


def _money(plan: Plan) -> str:
    m = plan.money
    parts = {"energy": m.energy, "capacity": m.capacity, "wear": m.wear, "tariff": m.tariff, "penalties": m.penalties}
    rows = [(name, value) for name, value in parts.items() if value or name in ("energy", "wear")] + [("net", m.net)]
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
            f'<i style="left:{left:.2f}%;width:{size:.2f}%"></i></td></tr>'
        )
    return section(f"Money <span class=unit>{m.currency}</span>", f'<table class="bars">{bars}</table>')


def _limits(plan: Plan, calendar: Calendar) -> str:
    if not plan.limits:
        return section("What limits it", "<p>No limit binds.</p>")
    rows = [
        (
            limit_name(limit),
            calendar.spans(limit.steps) if limit.steps else "at the end",
            f"{number(limit.worth_per_unit, 2)} per {limit.unit}",
        )
        for limit in plan.limits[:LIMITS_SHOWN]
    ]
    head = ("Limit", "binds", f"one more unit earns, {plan.money.currency}")
    return section("What limits it", html_table(head, rows, numbers_from=2))


def _prices(plan: Plan, axis: TimeAxis) -> str:
    unit = f"{plan.money.currency}/MWh"
    has_two = plan.export_price_per_mwh != plan.import_price_per_mwh
    lines = [Line("paid for import" if has_two else "", plan.import_price_per_mwh, "ink")]
    if has_two:
        lines.append(Line("received for export", plan.export_price_per_mwh, "dotted"))
    position = Line("", plan.site_export_kw, "s1", is_area=True)
    zones = [
        Zone(f"beyond the export limit of {quantity(plan.export_limit_kw)} kW", plan.export_limit_kw, inf),
        Zone(f"beyond the import limit of {quantity(plan.import_limit_kw)} kW", -inf, -plan.import_limit_kw),
    ]
    return section(
        "Prices and position",
        chart(axis, "Price", unit, lines)
        + chart(axis, "Sold (+) and bought (−) at the meter", "kW", [position], zones=zones),
    )


def _power(plan: Plan, axis: TimeAxis) -> str:
    if len(plan.schedules) <= MOST_STACKED:
        groups = {s.asset_id: [s] for s in plan.schedules}
    else:
        groups = {}
        for schedule in plan.schedules:
            groups.setdefault(schedule.asset_type, []).append(schedule)
    totals = {
        name: [sum(values) for values in zip(*(s.export_kw for s in members), strict=True)]
        for name, members in groups.items()
    }
    stack = [Line(name, totals[name], style) for name, style in _styles(groups, totals).items()]
    net = Line("at the meter", plan.site_export_kw, "ink")
    title = "Power by asset" if len(groups) == len(plan.schedules) else "Power by type of asset"
    return section(title, chart(axis, "Out (+) and in (−)", "kW", [net], stack=stack, height_px=240))


def _styles(groups: Mapping[str, Sequence[Schedule]], totals: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """Blues for stores, light greys for generation, dark greys for consumption."""
    left = {"store": ["s1", "s5"], "generation": ["s2", "s4"], "consumption": ["s3", "s6"]}
    styles = {}
    for name, members in groups.items():
        stores = members[0].stored_kwh is not None
        shades = left["store" if stores else "generation" if sum(totals[name]) > 0 else "consumption"]
        styles[name] = shades[0]
        shades.append(shades.pop(0))
    return styles


def _stored(plan: Plan, axis: TimeAxis) -> str:
    stores = [schedule for schedule in plan.schedules if schedule.stored_kwh is not None]
    if not stores:
        return section("Stored energy", "<p>The site has no store.</p>")
    stores.sort(key=lambda schedule: -(schedule.energy_capacity_kwh or 0.0))
    charts = "".join(_stored_chart(schedule, axis) for schedule in stores[:MOST_STORES])
    rest = len(stores) - MOST_STORES
    return section(
        "Stored energy", charts + (f"<p>The {MOST_STORES} largest; {rest:,} more in plan.csv.</p>" if rest > 0 else "")
    )


def _stored_chart(schedule: Schedule, axis: TimeAxis, height_px: int = 180) -> str:
    assert schedule.stored_kwh is not None
    assert schedule.floor_kwh is not None
    assert schedule.ceiling_kwh is not None
    low, high = max(schedule.floor_kwh), min(schedule.ceiling_kwh)
    zones = [
        Zone(f"below {quantity(low)} kWh", -inf, low),
        Zone(f"above {quantity(high)} kWh", high, inf),
    ]
    end = [(len(schedule.stored_kwh), schedule.stored_kwh[-1], f"end {quantity(schedule.stored_kwh[-1])} kWh")]
    line = Line("", (schedule.initial_kwh or 0.0, *schedule.stored_kwh), "blue")
    return chart(axis, schedule.asset_id, "kWh", [line], zones=zones, marks=end, height_px=height_px)


def _assets(plan: Plan, axis: TimeAxis) -> str:
    shown, note = list(plan.schedules), ""
    if len(shown) > MOST_ASSETS:
        shown.sort(key=lambda schedule: -max(abs(kw) for kw in schedule.export_kw))
        note = f"<p>The {SHOWN_ASSETS} largest of {len(shown):,} assets; the others are in plan.csv.</p>"
        shown = shown[:SHOWN_ASSETS]
    charts = "".join(chart(axis, schedule.asset_id, "kW", _asset_lines(schedule), height_px=60) for schedule in shown)
    return section("Each asset", f'{note}<div class="small">{charts}</div>')


def _asset_lines(schedule: Schedule) -> list[Line]:
    lines = [Line("", schedule.export_kw, "s1", is_area=True)]
    if schedule.available_kw is not None and schedule.available_kw != schedule.export_kw:
        lines.append(Line("available", schedule.available_kw, "dotted"))
    return lines
