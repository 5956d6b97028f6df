"""How much does what a plan earns depend on what comes? Its scenarios in words, in a table and as fans."""

from collections.abc import Iterator, Sequence

from vpp.domain.plan import Outcome, Plan, Schedule, Spread, Values
from vpp.report.axis import TimeAxis
from vpp.report.chart import Chart, Fan, Line, draw
from vpp.report.tables import html_table, section
from vpp.report.wording import NARROW_SPACE, listed, money, number

MOST_NAMED = 4
"""Of more scenarios a sentence names the worst and the best."""
MOST_LISTED = 20
"""Of more scenarios a table lists the worst and the best half of so many."""
MOST_FANS = 8
"""Charts of assets that differ between scenarios; of more assets the first ones are drawn."""


def told_spread(plan: Plan) -> str:
    """What the plan earns in its scenarios; empty where nothing is uncertain."""
    spread = plan.spread
    if spread is None:
        return ""
    ordered = sorted(spread.outcomes, key=lambda outcome: outcome.money.net)
    if len(ordered) <= MOST_NAMED:
        by_name = listed(f"{_net(plan, o)} in {o.name} ({_percent(o.weight)})" for o in spread.outcomes)
    else:
        worst, best = ordered[0], ordered[-1]
        by_name = f"between {_net(plan, worst)} in {worst.name} and {_net(plan, best)} in {best.name}"
    tail = f"The worst {_percent(1 - spread.cvar_alpha)} come to {_money(plan, spread.cvar)} on average"
    counts = f", which counts for {_percent(spread.cvar_weight)} of what is maximised" if spread.cvar_weight else ""
    shown = spread.outcomes[spread.shown].name
    return f"It comes to {by_name}. {tail}{counts}. Times and powers are those of {shown}."


def _net(plan: Plan, outcome: Outcome) -> str:
    return _money(plan, outcome.money.net)


def _money(plan: Plan, value: float) -> str:
    return f"{money(value)}{NARROW_SPACE}{plan.money.currency}"


def _percent(share: float) -> str:
    return f"{number(100 * share, 0 if abs(100 * share - round(100 * share)) < 1e-6 else 1)}{NARROW_SPACE}%"  # noqa: PLR2004 - reads as a whole number


def spread_rows(plan: Plan) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A head, and a row for each scenario, the worst first; of very many the worst and the best."""
    assert plan.spread is not None, "only a plan over scenarios has such a table"
    parts = ["energy", "wear", *(["tariff"] if plan.tariff else [])]
    head = ("Scenario", "probability", *parts, f"net, {plan.money.currency}")
    ordered = sorted(plan.spread.outcomes, key=lambda outcome: outcome.money.net)
    if len(ordered) > MOST_LISTED:
        ordered = [*ordered[: MOST_LISTED // 2], *ordered[-MOST_LISTED // 2 :]]
    shown = plan.spread.outcomes[plan.spread.shown]
    rows: list[tuple[str, ...]] = [
        (
            f"{outcome.name}, shown" if outcome is shown else outcome.name,
            _percent(outcome.weight),
            *(money(getattr(outcome.money, part)) for part in (*parts, "net")),
        )
        for outcome in ordered
    ]
    return head, rows


def scenarios_section(plan: Plan, axis: TimeAxis) -> str:
    """The scenarios in a table, and what differs between them as fans; nothing where nothing is uncertain."""
    spread = plan.spread
    if spread is None:
        return ""
    head, rows = spread_rows(plan)
    count = len(spread.outcomes)
    note = (
        f'<p class="note">Shaded: from the lowest to the highest of {count} scenarios, step by step. Line: the '
        "scenario that is shown elsewhere on this page. Premises names the files.</p>"
    )
    charts = "".join(draw(chart, axis) for chart in (_meter(plan, spread), *_prices(plan, spread), *_assets(spread)))
    return section(f"{count} scenarios", html_table(head, rows, numbers_from=1, identity="scenarios") + charts + note)


def _meter(plan: Plan, spread: Spread) -> Chart:
    lines = [Line("at the meter", plan.site_export_kw, "ink")]
    if spread.scheduled_kw is not None:
        lines.append(Line("sold ahead, in every scenario", spread.scheduled_kw, "dotted"))
    return Chart(
        "At the meter, sold (+) and bought (−)", "kW", lines, fans=[_fan([o.site_export_kw for o in spread.outcomes])]
    )


def _prices(plan: Plan, spread: Spread) -> Iterator[Chart]:
    prices = [outcome.import_price_per_mwh for outcome in spread.outcomes]
    if len(set(prices)) > 1:
        unit = f"{plan.money.currency}/MWh"
        yield Chart("Price", unit, [Line("", plan.import_price_per_mwh, "ink")], fans=[_fan(prices)], height_px=120)


def _assets(spread: Spread) -> Iterator[Chart]:
    """What differs in each asset: what can be generated, what is consumed, what is stored."""
    drawn = 0
    for members in zip(*(outcome.schedules for outcome in spread.outcomes), strict=True):
        title, unit, values = _told_of(members)
        if len(set(values)) > 1 and drawn < MOST_FANS:
            drawn += 1
            line = Line("", values[spread.shown], "ink")
            yield Chart(f"{members[0].asset_id}: {title}", unit, [line], fans=[_fan(values)], height_px=120)


def _told_of(members: Sequence[Schedule]) -> tuple[str, str, list[Values]]:
    if members[0].stored_kwh is not None:
        return "stored", "kWh", [schedule.stored_kwh or () for schedule in members]
    if members[0].available_kw is not None:
        return "available", "kW", [schedule.available_kw or () for schedule in members]
    return "out (+) and in (−)", "kW", [schedule.export_kw for schedule in members]


def _fan(values: Sequence[Values]) -> Fan:
    low, high = ([pick(step) for step in zip(*values, strict=True)] for pick in (min, max))
    return Fan("lowest to highest", low, high)
