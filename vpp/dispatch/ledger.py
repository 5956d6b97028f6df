"""What has the site earned so far, and what would it have earned with its stores left alone?

A running estimate from telemetry and the prices of the plan in force: for the operator's eyes, not for settlement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vpp.dispatch.tick import Tick
from vpp.domain.course import Course
from vpp.domain.reversals import extended
from vpp.domain.unit import Kind, Unit

LONGEST_GAP_S = 60.0
"""Power is held for at most so long between two ticks."""


@dataclass(frozen=True, slots=True)
class Account:
    """Money of the local day so far, in the site's currency."""

    day: date
    net: float = 0.0
    """Energy bought and sold, less wear."""
    idle_net: float = 0.0
    """The same with all stores at rest."""


class Ledger:
    """Adds up what ticks tell.

    Args:
        timezone: Of the site; a day begins at its midnight.
        units: Assets of the site.
        began: When counting begins, in UTC.
        discharged_today_kwh: What stores delivered on that local day before it.
        stored_before_kwh: Where the stored energy of stores turned before it.

    """

    def __init__(
        self,
        timezone: str,
        units: tuple[Unit, ...],
        began: datetime,
        discharged_today_kwh: Mapping[str, float],
        stored_before_kwh: Mapping[str, tuple[float, ...]],
    ) -> None:
        self._zone, self._units = ZoneInfo(timezone), units
        self._latest_s: float | None = None
        self.account = Account(began.astimezone(self._zone).date())
        self.total = Account(date.min)
        stores = [unit.id for unit in units if unit.kind is Kind.STORAGE]
        self.discharged_today_kwh = {name: discharged_today_kwh.get(name, 0.0) for name in stores}
        self.stored_before_kwh = {name: stored_before_kwh.get(name, ()) for name in stores}

    def add(self, tick: Tick, course: Course | None, now: datetime, mono_s: float) -> None:
        """Count the time since the last tick at what is measured now."""
        day = now.astimezone(self._zone).date()
        if self.account.day != day:
            self.account = Account(day)
            self.discharged_today_kwh = dict.fromkeys(self.discharged_today_kwh, 0.0)
        hours = 0.0 if self._latest_s is None else min(mono_s - self._latest_s, LONGEST_GAP_S) / 3600
        self._latest_s = mono_s
        export_kw = stores_kw = wear = 0.0
        for unit in self._units:
            told = tick.snapshot.readings[unit.id].fresh
            if told is None:
                continue
            export_kw += told.export_kw
            if unit.kind is Kind.STORAGE:
                stores_kw += told.export_kw
                discharged_kwh = max(0.0, told.export_kw) * hours
                self.discharged_today_kwh[unit.id] += discharged_kwh
                wear += unit.cost_per_mwh * discharged_kwh / 1000
                if told.stored_kwh is not None:
                    self.stored_before_kwh[unit.id] = extended(self.stored_before_kwh[unit.id], told.stored_kwh)
        step = None if course is None else course.step_at(now)
        if course is None or step is None:
            return
        net = _cash(course, step, export_kw) * hours - wear
        idle_net = _cash(course, step, export_kw - stores_kw) * hours
        self.account = Account(day, self.account.net + net, self.account.idle_net + idle_net)
        self.total = Account(date.min, self.total.net + net, self.total.idle_net + idle_net)


def _cash(course: Course, step: int, export_kw: float) -> float:
    """Money per hour at the meter."""
    prices = course.export_price_per_mwh if export_kw >= 0 else course.import_price_per_mwh
    return export_kw * prices[step] / 1000
