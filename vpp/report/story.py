"""What does a plan say, in sentences and in a table of actions? Built from the same numbers as every other table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vpp.domain.plan import Plan, Schedule
from vpp.report.wording import NARROW_SPACE, Calendar, listed, money, number, quantity, runs

NOTHING_KW = 1e-6
LARGEST_SPANS = 2
"""A sentence names so many spans of selling and of buying."""


@dataclass(frozen=True)
class Action:
    """A store that charges or discharges for some consecutive steps."""

    asset_id: str
    is_charging: bool
    first: int
    after: int
    mean_kw: float
    """Average power at the meter, never negative."""
    energy_kwh: float
    lowest_price: float
    highest_price: float
    cash: float
    """What the energy brings (positive) or costs (negative) at the site's price, in the currency."""


def headline(plan: Plan) -> str:
    """What the plan earns, and what it is worth against leaving the stores alone."""
    net, currency = plan.money.net, plan.money.currency
    told = f"{'Earns' if net >= 0 else 'Spends'} {money(abs(net))}{NARROW_SPACE}{currency}"
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
    """When the site sells, buys and curtails, in energy."""
    sold = [max(0.0, kw) for kw in plan.site_export_kw]
    bought = [max(0.0, -kw) for kw in plan.site_export_kw]
    told = [_told(plan, "sells", sold), _told(plan, "buys", bought)]
    unused = [_unused(schedule) for schedule in plan.schedules if schedule.available_kw is not None]
    curtailed = [sum(values) for values in zip(*unused, strict=True)]
    if max(curtailed, default=0.0) > NOTHING_KW:
        told.append(_told(plan, "curtails", curtailed))
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
    total = f"It {verb} {energy_text(total_kwh)}"
    largest = sorted(sorted(energy, key=lambda run: -energy[run])[:LARGEST_SPANS])
    if len(energy) == 1:
        return f"{total}, {calendar.span(*largest[0])}."
    if sum(energy[run] for run in largest) < total_kwh / 2:
        return f"{total} in {len(energy):,} spells."
    spans = listed(f"{calendar.span(*run)} ({energy_text(energy[run])})" for run in largest)
    return f"{total}, {'most of it ' if len(energy) > LARGEST_SPANS else ''}{spans}."


def energy_text(kwh: float) -> str:
    """An energy in kWh, or from 1,000 kWh on in MWh."""
    if kwh >= 1000:  # noqa: PLR2004 - one MWh
        return f"{number(kwh / 1000, 2)}{NARROW_SPACE}MWh"
    return f"{quantity(kwh)}{NARROW_SPACE}kWh"


def actions(plan: Plan) -> list[Action]:
    """Every charge and discharge of every store, in order of time."""
    found = [action for schedule in plan.schedules for action in _actions_of(plan, schedule)]
    return sorted(found, key=lambda action: (action.first, action.asset_id))


def _actions_of(plan: Plan, schedule: Schedule) -> Iterator[Action]:
    if schedule.stored_kwh is None:
        return
    step_h = plan.horizon.step_hours
    for name, is_charging in (("charge_kw", True), ("discharge_kw", False)):
        sign = -1 if is_charging else 1
        power = schedule.flows.get(name) or [max(0.0, sign * kw) for kw in schedule.export_kw]
        for first, after in runs([step for step, kw in enumerate(power) if kw > NOTHING_KW]):
            steps = range(first, after)
            energy_kwh = sum(power[step] * step_h[step] for step in steps)
            prices = [_price(plan, step) for step in steps]
            cash = sum(power[step] * step_h[step] * price for step, price in zip(steps, prices, strict=True)) / 1000
            yield Action(
                schedule.asset_id,
                is_charging,
                first,
                after,
                energy_kwh / sum(step_h[step] for step in steps),
                energy_kwh,
                min(prices),
                max(prices),
                -cash if is_charging else cash,
            )


def _price(plan: Plan, step: int) -> float:
    """The price at the meter: received where the site feeds in, paid where it draws."""
    exports = plan.site_export_kw[step] >= 0
    return plan.export_price_per_mwh[step] if exports else plan.import_price_per_mwh[step]
