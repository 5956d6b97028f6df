"""The charts of the page: prices and position, power, stored energy, every asset."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from vpp.domain.plan import Plan, Schedule
from vpp.report.actions import MOST_STORES, NOTHING_KW, powers
from vpp.report.axis import TimeAxis
from vpp.report.chart import HATCHES, Chart, Fan, Level, Line, Mark, Zone, draw
from vpp.report.story import energy_text, groups, kind, total
from vpp.report.tables import section
from vpp.report.wording import between, quantity

MOST_ASSETS = 200
"""Above so many assets the page shows the `SHOWN_ASSETS` largest."""
SHOWN_ASSETS = 20
NAMED_EACH = 8
"""Every so many rows of assets the hours are named again."""


def prices_section(plan: Plan, axis: TimeAxis) -> str:
    """What energy costs, what is bought and sold, and what is held in reserve."""
    has_two = plan.export_price_per_mwh != plan.import_price_per_mwh
    lines = [Line("paid for import" if has_two else "", plan.import_price_per_mwh, "ink")]
    if has_two:
        lines.append(Line("received for export", plan.export_price_per_mwh, "dotted"))
    position = Line("", plan.site_export_kw, "store")
    charts = [
        Chart("Price", f"{plan.money.currency}/MWh", lines),
        Chart(
            "Sold (+) and bought (−) at the meter",
            "kW",
            stack=[position],
            zones=_connection(plan),
            levels=list(_paid_peaks(plan)),
        ),
    ]
    products = dict.fromkeys(p for schedule in plan.schedules for p in (*schedule.up_kw, *schedule.down_kw))
    charts += [_reserve_chart(plan, product) for product in products]
    return section("Prices and positions", "".join(draw(chart, axis) for chart in charts) + _small_print(axis))


def _small_print(axis: TimeAxis) -> str:
    return f'<p class="note">{axis.note}</p>' if axis.note else ""


def _connection(plan: Plan) -> list[Zone]:
    return [
        Zone(f"beyond the export limit of {quantity(plan.export_limit_kw)} kW", plan.export_limit_kw, inf),
        Zone(f"beyond the import limit of {quantity(plan.import_limit_kw)} kW", -inf, -plan.import_limit_kw),
    ]


def _paid_peaks(plan: Plan) -> Iterator[Level]:
    """Up to where each charge on peaks is paid, in the steps that it counts."""
    for billed in plan.tariff:
        paid = [each for each in billed.periods if each.counted and each.billed > 0]
        if paid:
            peaks_kw = [each.billed for each in paid]
            name = f"{billed.entry}: paid up to {between(min(peaks_kw), max(peaks_kw))} kW {billed.of}"
            sign = -1 if billed.of == "import" else 1
            yield Level(name, {step: sign * each.billed for each in paid for step in each.counted})


def _reserve_chart(plan: Plan, product: str) -> Chart:
    up = [schedule.up_kw[product] for schedule in plan.schedules if product in schedule.up_kw]
    down = [schedule.down_kw[product] for schedule in plan.schedules if product in schedule.down_kw]
    stack = [Line("held upwards (+)", total(up), "reserved")] if up else []
    if down:
        stack.append(Line("held downwards (−)", [-kw for kw in total(down)], "reserved"))
    return Chart(f"Reserve {product}", "kW", stack=stack, height_px=120)


def power_section(plan: Plan, axis: TimeAxis) -> str:
    """Where power comes from and goes to."""
    shown = groups(plan)
    totals = {name: total([schedule.export_kw for schedule in members]) for name, members in shown.items()}
    stack = [Line(name, totals[name], style) for name, style in _styles(shown).items()]
    cut_kw = total([schedule.cut_kw for schedule in plan.schedules if schedule.cut_kw])
    if max(cut_kw, default=0.0) > NOTHING_KW:
        stack.append(Line("load that is cut", [-kw for kw in cut_kw], "cut slanted"))
    net = Line("at the meter", plan.site_export_kw, "ink")
    title = "Power by asset" if len(shown) == len(plan.schedules) else "Power by type of asset"
    levels = list(_paid_peaks(plan))
    chart = Chart("Out (+) and in (−)", "kW", [net], stack, _connection(plan), levels=levels, height_px=260)
    return section(title, draw(chart, axis) + _small_print(axis))


def _styles(shown: Mapping[str, Sequence[Schedule]]) -> dict[str, str]:
    """One colour for each kind of asset, one texture for each of that kind."""
    kinds = [kind(members[0]) for members in shown.values()]
    return {
        name: f"{each}{HATCHES[kinds[:place].count(each) % len(HATCHES)]}"
        for place, (name, each) in enumerate(zip(shown, kinds, strict=True))
    }


def stored_section(plan: Plan, axis: TimeAxis) -> str:
    """What is in each store, or in all of them together where they are many."""
    stores = [schedule for schedule in plan.schedules if schedule.stored_kwh is not None]
    if not stores:
        return section("Stored energy", "<p>The site has no store.</p>")
    if len(stores) <= MOST_STORES:
        charts = []
        for schedule in stores:
            charts += [_stored_chart(schedule.asset_id, [schedule]), *_worth_charts(plan, schedule)]
    else:
        charts = [_stored_chart(f"All {len(stores):,} stores", stores)]
    return section("Stored energy", "".join(draw(chart, axis) for chart in charts) + _small_print(axis))


def _worth_charts(plan: Plan, schedule: Schedule) -> Iterator[Chart]:
    """What a MWh is worth at the meter, over the band in which the store rests; nothing where nobody asked."""
    account = plan.accounts.get(schedule.asset_id)
    if account is None or account.gives_above_per_mwh is None or account.takes_below_per_mwh is None:
        return
    rests = Fan("neither charging nor discharging pays", account.takes_below_per_mwh, account.gives_above_per_mwh)
    lines = [Line("a MWh at the meter: below the band it charges, above it discharges", account.meter_per_mwh, "ink")]
    if account.stored_per_mwh is not None:
        lines.append(Line("a MWh in the store", account.stored_per_mwh, "blue"))
    yield Chart(f"{schedule.asset_id}: what a MWh is worth", f"{plan.money.currency}/MWh", lines, fans=[rests])


def _stored_chart(name: str, members: Sequence[Schedule]) -> Chart:
    stored = _with_start(members, [schedule.stored_kwh or () for schedule in members])
    low, high = (
        bounds[0] if len(set(bounds[1:])) == 1 else bounds
        for bounds in (
            _from_first(total([schedule.floor_kwh or () for schedule in members])),
            _from_first(total([schedule.ceiling_kwh or () for schedule in members])),
        )
    )
    zones = [Zone(f"above the window, {_bound_text(high)} kWh", high, inf)]
    if low != 0:
        zones.append(Zone(f"below the window, {_bound_text(low)} kWh", -inf, low))
    end = Mark(len(stored) - 1, stored[-1], f"at the end {quantity(stored[-1])} kWh")
    marks, lacking_kwh = [end], sum(schedule.lacking_kwh for schedule in members)
    if abs(lacking_kwh) > NOTHING_KW:
        promised_kwh = stored[-1] + lacking_kwh
        marks.append(Mark(len(stored) - 1, promised_kwh, f"promised {quantity(promised_kwh)} kWh"))
    capacity_kwh = sum(schedule.energy_capacity_kwh or 0.0 for schedule in members)
    line = Line("", stored, "blue")
    return Chart(name, "kWh", [line], zones=zones, marks=marks, full=capacity_kwh or None)


def _with_start(members: Sequence[Schedule], values: Sequence[Sequence[float]]) -> list[float]:
    return [sum(schedule.initial_kwh or 0.0 for schedule in members), *total(values)]


def _from_first(bounds: Sequence[float]) -> list[float]:
    """Bounds at the ends of steps, and before the first of them too."""
    return [bounds[0], *bounds]


def _bound_text(bound: float | Sequence[float]) -> str:
    return quantity(bound) if isinstance(bound, int | float) else between(min(bound), max(bound))


def assets_section(plan: Plan, axis: TimeAxis) -> str:
    """One row for each asset: its power, and its state of charge."""
    shown = list(plan.schedules)
    dots = "available, or wanted" if plan.repairs else "available"
    note = f'<p class="note">Areas: power, out (+) and in (−). Line: state of charge, at the right. Dots: {dots}.</p>'
    if len(shown) > MOST_ASSETS:
        shown.sort(key=lambda schedule: -max(abs(kw) for kw in schedule.export_kw))
        note += f"<p>The {SHOWN_ASSETS} largest of {len(shown):,} assets; the others are in plan.csv.</p>"
        shown = shown[:SHOWN_ASSETS]
    rows = [
        draw(_asset_chart(plan, schedule, shows_time=place % NAMED_EACH == 0 or place == len(shown)), axis)
        for place, schedule in enumerate(shown, 1)
    ]
    return section("Each asset", f'{note}<div class="rows">{"".join(rows)}</div>{_small_print(axis)}')


def _asset_chart(plan: Plan, schedule: Schedule, *, shows_time: bool) -> Chart:
    lines, shares = [], []
    if schedule.available_kw is not None and schedule.available_kw != schedule.export_kw:
        lines.append(Line("", schedule.available_kw, "dotted"))
    if max(schedule.cut_kw, default=0.0) > NOTHING_KW:
        wanted_kw = [kw - cut for kw, cut in zip(schedule.export_kw, schedule.cut_kw, strict=True)]
        lines.append(Line("", wanted_kw, "dotted"))
    if schedule.stored_kwh is not None and schedule.energy_capacity_kwh:
        stored = _with_start([schedule], [schedule.stored_kwh])
        shares.append(Line("", [kwh / schedule.energy_capacity_kwh for kwh in stored], "ink"))
    return Chart(
        schedule.asset_id,
        "kW",
        lines,
        [Line("", schedule.export_kw, kind(schedule))],
        shares=shares,
        note=_asset_note(plan, schedule),
        height_px=60,
        shows_time=shows_time,
    )


def _asset_note(plan: Plan, schedule: Schedule) -> str:
    step_h = plan.horizon.step_hours
    if schedule.stored_kwh is None:
        energy_kwh = sum(kw * h for kw, h in zip(schedule.export_kw, step_h, strict=True))
        flow = f"{energy_text(abs(energy_kwh))} {'out' if energy_kwh >= 0 else 'in'}"
        cut_kwh = sum(kw * h for kw, h in zip(schedule.cut_kw, step_h, strict=False))
        flow += f", {energy_text(cut_kwh)} cut" if cut_kwh > NOTHING_KW else ""
    else:
        charged, discharged = (
            sum(kw * h for kw, h in zip(powers([schedule], is_charging=way), step_h, strict=True))
            for way in (True, False)
        )
        flow = f"{energy_text(charged)} in, {energy_text(discharged)} out"
    return f"{schedule.asset_type.replace('_', ' ')}: {flow}"
