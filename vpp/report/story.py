"""What does a plan say, in sentences? Built from the same numbers as every table."""

from collections.abc import Mapping, Sequence

from vpp.domain.efficiency import SPILL
from vpp.domain.plan import Plan, Schedule
from vpp.domain.series import ASSUMED, OUTSIDE_RANGE
from vpp.report.actions import NOTHING_KW
from vpp.report.wording import NARROW_SPACE, Calendar, listed, money, number, quantity, runs

MOST_ALONE = 6
"""Above so many assets they are told by type."""
MOST_OF_A_KIND = 3
"""Above so many stores, sources or consumers, too."""
LARGEST_SPANS = 2
"""A sentence names so many spans of selling and of buying."""


def headline(plan: Plan) -> str:
    """What the plan earns, and what it is worth against leaving the stores alone."""
    net, currency = plan.money.net, plan.money.currency
    told = f"{'Earns' if net >= 0 else 'Spends'} {money(abs(net))}{NARROW_SPACE}{currency}"
    if plan.spread is not None:
        told += f" on average over {len(plan.spread.outcomes):,} scenarios"
    types = [schedule.asset_type for schedule in plan.schedules if schedule.stored_kwh is not None]
    if not types:
        return f"{told}."
    noun = ("battery", "batteries") if set(types) == {"battery"} else ("store", "stores")
    stores = f"the {noun[0]}" if len(types) == 1 else f"the {len(types):,} {noun[1]}"
    if plan.idle_net is None:
        return f"{told}. Leaving {stores} idle would break a limit."
    gain = net - plan.idle_net
    if round(gain, 2) == 0:
        return f"{told}, as much as leaving {stores} idle."
    more = "more" if (gain > 0) == (net >= 0) else "less"
    return f"{told}, {money(abs(gain))} {more} than leaving {stores} idle."


def trade(plan: Plan) -> str:
    """When the site sells, buys, curtails and spills, in energy."""
    sold = [max(0.0, kw) for kw in plan.site_export_kw]
    bought = [max(0.0, -kw) for kw in plan.site_export_kw]
    told = [_told(plan, "sells", sold), _told(plan, "buys", bought)]
    unused = [_unused(schedule) for schedule in plan.schedules if schedule.available_kw is not None]
    curtailed = [sum(values) for values in zip(*unused, strict=True)]
    if max(curtailed, default=0.0) > NOTHING_KW:
        told.append(_told(plan, "curtails", curtailed))
    lost = [schedule.flows[SPILL] for schedule in plan.schedules if SPILL in schedule.flows]
    spilled = [sum(values) for values in zip(*lost, strict=True)]
    if max(spilled, default=0.0) > NOTHING_KW:
        told.append(_told(plan, "spills", spilled))
    return " ".join(told)


def _unused(schedule: Schedule) -> list[float]:
    available = schedule.available_kw or schedule.export_kw
    return [could - does for could, does in zip(available, schedule.export_kw, strict=True)]


def _told(plan: Plan, verb: str, power: Sequence[float]) -> str:
    calendar, step_h = Calendar(plan.horizon), plan.horizon.step_hours
    energy = {
        run: sum(power[step] * step_h[step] for step in range(*run))
        for run in runs([step for step, kw in enumerate(power) if kw > NOTHING_KW])
    }
    if not energy:
        return f"It {verb} nothing."
    total_kwh = sum(energy.values())
    told = f"It {verb} {energy_text(total_kwh)}"
    largest = sorted(sorted(energy, key=lambda run: -energy[run])[:LARGEST_SPANS])
    if len(energy) == 1:
        return f"{told}, {calendar.span(*largest[0])}."
    if sum(energy[run] for run in largest) < total_kwh / 2:
        return f"{told} in {len(energy):,} spells."
    spans = listed(f"{calendar.span(*run)} ({energy_text(energy[run])})" for run in largest)
    return f"{told}, {'most of it ' if len(energy) > LARGEST_SPANS else ''}{spans}."


def energy_text(kwh: float) -> str:
    """An energy in kWh, or from 1,000 kWh on in MWh."""
    if kwh >= 1000:  # noqa: PLR2004 - one MWh
        return f"{number(kwh / 1000, 2)}{NARROW_SPACE}MWh"
    return f"{quantity(kwh)}{NARROW_SPACE}kWh"


def costs(plan: Plan) -> str:
    """What reserves and wear cost; empty where they cost nothing."""
    currency = plan.money.currency
    told = [
        f"Holding {product} costs {money(cost)}{NARROW_SPACE}{currency}."
        for product, cost in (plan.reserve_cost or {}).items()
    ]
    if round(plan.money.wear, 2) < 0:
        told.append(f"Wear costs {money(-plan.money.wear)}{NARROW_SPACE}{currency}.")
    return " ".join(told)


def assumptions(plan: Plan) -> str:
    """Values of technologies that are assumed, and those outside their ranges; empty where there are none."""
    begins = {ASSUMED: "Assumed by", OUTSIDE_RANGE: "Outside the range of"}
    told = [f"{begins[p.verdict]} {p.input}: {p.check}." for p in plan.premises if p.verdict in begins]
    return " ".join(told)


def kind(schedule: Schedule) -> str:
    """`store`, `generation` or `consumption`."""
    if schedule.stored_kwh is not None:
        return "store"
    return "generation" if sum(schedule.export_kw) > 0 or schedule.available_kw is not None else "consumption"


def groups(plan: Plan) -> Mapping[str, Sequence[Schedule]]:
    """The assets one by one where they are few, else by type, such as `battery × 100`."""
    kinds = [kind(schedule) for schedule in plan.schedules]
    if len(kinds) <= MOST_ALONE and all(kinds.count(each) <= MOST_OF_A_KIND for each in set(kinds)):
        return {schedule.asset_id: [schedule] for schedule in plan.schedules}
    by_type: dict[str, list[Schedule]] = {}
    for schedule in plan.schedules:
        by_type.setdefault(schedule.asset_type, []).append(schedule)
    return {f"{name} × {len(members):,}": members for name, members in by_type.items()}


def total(values: Sequence[Sequence[float]]) -> list[float]:
    """The sum of several series, step by step."""
    return [sum(step) for step in zip(*values, strict=True)]
