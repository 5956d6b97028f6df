"""When do the stores charge and discharge, and what does each time bring?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from vpp.domain.plan import Plan, Schedule
from vpp.report.wording import runs

NOTHING_KW = 1e-6
TRICKLE = 1e-4
"""An energy of a smaller share of the store, such as a trickle against self-discharge, is no action."""
MOST_STORES = 8
"""Above so many stores a plan is told for all of them together."""
MONTHS_FROM = 45
"""From so many days on, a plan is told by month instead of by day."""


@dataclass(frozen=True)
class Action:
    """A store, or all of them, that charges or discharges for some consecutive steps."""

    store: str
    is_charging: bool
    first: int
    after: int
    mean_kw: float
    """Average power at the meter, never negative."""
    energy_kwh: float
    lowest_price: float
    highest_price: float
    """What a MWh brings or costs: the price of what is sold or bought more, or less, because of the store."""
    cash: float
    """What the site earns (positive) or spends because the store does not stand still, in the currency."""


@dataclass(frozen=True)
class Period:
    """A local day or month."""

    name: str
    sold_kwh: float
    bought_kwh: float
    charged_kwh: float
    discharged_kwh: float
    cash: float
    """Money for energy at the meter, in the currency."""


def actions(plan: Plan) -> list[Action]:
    """Every charge and discharge of every store, in order of time."""
    stores = [schedule for schedule in plan.schedules if schedule.stored_kwh is not None]
    if not stores:
        return []
    groups = {schedule.asset_id: [schedule] for schedule in stores}
    if len(stores) > MOST_STORES:
        groups = {f"{len(stores):,} stores": stores}
    found = [action for name, members in groups.items() for action in _actions_of(plan, name, members)]
    return sorted(found, key=lambda action: (action.first, action.store))


def powers(schedules: Sequence[Schedule], *, is_charging: bool) -> list[float]:
    """Power at the meter that goes into stores, or comes out of them, step by step [kW]."""
    name, sign = ("charge_kw", -1) if is_charging else ("discharge_kw", 1)
    each = [schedule.flows.get(name) or [max(0.0, sign * kw) for kw in schedule.export_kw] for schedule in schedules]
    return [sum(values) for values in zip(*each, strict=True)]


def _actions_of(plan: Plan, name: str, members: Sequence[Schedule]) -> Iterator[Action]:
    step_h, meter = plan.horizon.step_hours, _Meter(plan)
    least_kwh = TRICKLE * sum(schedule.energy_capacity_kwh or 0.0 for schedule in members)
    for is_charging in (True, False):
        power = powers(members, is_charging=is_charging)
        for first, after in runs([step for step, kw in enumerate(power) if kw > NOTHING_KW]):
            steps = range(first, after)
            energy_kwh = sum(power[step] * step_h[step] for step in steps)
            if energy_kwh < least_kwh:
                continue
            cash = [meter.difference(step, -power[step] if is_charging else power[step]) for step in steps]
            prices = [
                1000 * abs(money) / (power[step] * step_h[step]) * (1 if (money < 0) == is_charging else -1)
                for step, money in zip(steps, cash, strict=True)
            ]
            yield Action(
                name,
                is_charging,
                first,
                after,
                energy_kwh / sum(step_h[step] for step in steps),
                energy_kwh,
                min(prices),
                max(prices),
                sum(cash),
            )


class _Meter:
    """What power at the meter brings, and would bring if a store stood still."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        sources = [schedule.export_kw for schedule in plan.schedules if schedule.available_kw is not None]
        self._curtailable_kw = [sum(values) for values in zip(*sources, strict=True)] or [0.0] * plan.horizon.count

    def difference(self, step: int, store_kw: float) -> float:
        """Money with `store_kw` out of a store, less the money without it.

        Without it, generation beyond the export limit, or that would pay to be fed in, is curtailed.
        """
        export_kw = self._plan.site_export_kw[step]
        without_kw = export_kw - store_kw
        wanted_kw = 0.0 if self._plan.export_price_per_mwh[step] < 0 else self._plan.export_limit_kw
        without_kw = min(without_kw, max(wanted_kw, without_kw - self._curtailable_kw[step]))
        return self.money(step, export_kw) - self.money(step, without_kw)

    def money(self, step: int, export_kw: float) -> float:
        """What is paid for a power at the meter."""
        plan = self._plan
        price = plan.export_price_per_mwh[step] if export_kw >= 0 else plan.import_price_per_mwh[step]
        return export_kw * plan.horizon.step_hours[step] * price / 1000


def periods(plan: Plan) -> list[Period]:
    """The local days of a plan, or from `MONTHS_FROM` days on its months; none for a plan of one day."""
    starts = plan.horizon.local_starts
    days = len({start.date() for start in starts})
    if days == 1:
        return []

    def name_of(step: int) -> str:
        at = starts[step]
        return f"{at:%Y-%m}" if days >= MONTHS_FROM else f"{at:%Y-%m-%d}"

    stores = [schedule for schedule in plan.schedules if schedule.stored_kwh is not None]
    nothing = [0.0] * plan.horizon.count
    charge = powers(stores, is_charging=True) or nothing
    discharge = powers(stores, is_charging=False) or nothing
    step_h, site, meter = plan.horizon.step_hours, plan.site_export_kw, _Meter(plan)
    found = []
    for name, members in groupby(range(plan.horizon.count), name_of):
        steps = list(members)
        found.append(
            Period(
                name,
                sum(max(0.0, site[step]) * step_h[step] for step in steps),
                sum(max(0.0, -site[step]) * step_h[step] for step in steps),
                sum(charge[step] * step_h[step] for step in steps),
                sum(discharge[step] * step_h[step] for step in steps),
                sum(meter.money(step, site[step]) for step in steps),
            )
        )
    return found
