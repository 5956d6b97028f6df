"""What is to be seen of a demo: who is in control, what assets do, and the money earned against doing nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from vpp.dispatch.tick import Tick
from vpp.domain.setpoint import Permit
from vpp.domain.telemetry import Telemetry
from vpp.domain.unit import Kind, Unit
from vpp.operation import Operation
from vpp.report.live import RUNGS
from vpp.report.sparkline import sparkline
from vpp.report.wording import MISSING, day, money, number, signed
from vpp.site import SiteFile

KEPT_POINTS = 48
"""Points of a sparkline: one for each quarter-hour, of half a day."""
QUARTER_S = 900


class Scene:
    """What happened so far.

    Args:
        site_file: The site.
        operation: Who leads it.
        start: When the demo began, in UTC.

    """

    def __init__(self, site_file: SiteFile, operation: Operation, start: datetime) -> None:
        self.site_file, self.operation, self.start, self.now = site_file, operation, start, start
        self.zone = ZoneInfo(site_file.site.timezone)
        self.units = operation.settings.units
        self.stores = tuple(unit for unit in self.units if unit.kind is Kind.STORAGE)
        self.tick_count = self.planned_count = self.command_count = 0
        self.out_kwh = dict.fromkeys((unit.id for unit in self.units), 0.0)
        self.in_kwh = dict.fromkeys((unit.id for unit in self.units), 0.0)
        self.first_stored_kwh: dict[str, float] = {}
        self.seen_alarms: set[tuple[str, str]] = set()
        self._beside = " before what the grid charges" if site_file.tariff else ""
        self._points: dict[str, list[float]] = {unit.id: [] for unit in self.units}
        self._grid_points: list[float] = []

    def note(self, tick: Tick) -> None:
        """Take note of a tick."""
        self.now = tick.snapshot.now
        self.tick_count += 1
        self.planned_count += tick.decision.rung == 1
        self.command_count += len(tick.due)
        hours = tick.snapshot.tick_s / 3600
        quarter = int((self.now - self.start).total_seconds()) // QUARTER_S
        for unit in self.units:
            told = tick.snapshot.readings[unit.id].telemetry
            if told is None:
                continue
            self.out_kwh[unit.id] += max(0.0, told.export_kw) * hours
            self.in_kwh[unit.id] += max(0.0, -told.export_kw) * hours
            if told.stored_kwh is not None:
                self.first_stored_kwh.setdefault(unit.id, told.stored_kwh)
            if quarter >= len(self._points[unit.id]):
                self._points[unit.id].append(told.export_kw)
        if quarter >= len(self._grid_points):
            self._grid_points.append(sum(told.export_kw for told in _told(tick).values()))
        for alarm in self.operation.dispatcher.alarms.standing():
            self.seen_alarms.add((alarm.code, alarm.asset))

    def clock(self, at: datetime) -> str:
        """The site's local time of day."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def lines(self, tick: Tick) -> list[str]:
        """The picture of this instant, a line for each asset."""
        return [self._head(tick), *self._rows(tick), self._money()]

    def _head(self, tick: Tick) -> str:
        who = f"{tick.decision.in_control.upper()} in control ({RUNGS[tick.decision.rung]})"
        alarms = len(self.operation.dispatcher.alarms.standing())
        told = f", {alarms} alarm{'s' if alarms > 1 else ''}" if alarms else ""
        return f"  site clock {self.clock(self.now)}   {who}{told}"

    def _rows(self, tick: Tick) -> Iterator[str]:
        grid_kw, width = sum(told.export_kw for told in _told(tick).values()), max(4, *map(len, self._points))
        way = "export" if grid_kw >= 0 else "import"
        yield f"  {'grid':<{width}} {signed(grid_kw):>8} kW {way:<21} {_picture(self._grid_points)}"
        for unit in self.units:
            yield f"  {unit.id:<{width}} {self._row(tick, unit)} {_picture(self._points[unit.id])}"

    def _row(self, tick: Tick, unit: Unit) -> str:
        told, answer = tick.snapshot.readings[unit.id].telemetry, tick.outcome.get(unit.id)
        does = MISSING if told is None else signed(told.export_kw)
        wanted = f"told {signed(answer.export_kw):>6}" if isinstance(answer, Permit) and unit in self.stores else ""
        stored = ""
        if told is not None and told.stored_kwh is not None and unit.energy_capacity_kwh:
            stored = f"{100 * told.stored_kwh / unit.energy_capacity_kwh:.0f} %"
        return f"{does:>8} kW {wanted:<12} {stored:>8}"

    def _money(self) -> str:
        total, currency = self.operation.ledger.total, self.site_file.site.currency
        gain = total.net - total.idle_net
        earned = f"{money(total.net)} {currency}{self._beside}"
        return f"  money {earned}, {money(abs(gain))} {_more(gain)} than with stores at rest"

    def summary(self, seconds: float) -> tuple[str, dict[str, Any]]:
        """What the whole demo came to, as text and as a document.

        Args:
            seconds: How long it took on our clock.

        """
        total, site = self.operation.ledger.total, self.site_file.site
        gain, left_kwh = total.net - total.idle_net, self._left_kwh()
        span = f"{day(self.start.astimezone(self.zone).date())}   {self.clock(self.start)} to {self.clock(self.now)}"
        verb = "Earned" if total.net >= 0 else "Spent"
        earned = f"{verb} {money(abs(total.net))} {site.currency}{self._beside}, {money(abs(gain))} {_more(gain)}"
        followed = f"plan followed {100 * self.planned_count / max(1, self.tick_count):.1f} % of the time"
        lines = [
            "",
            f"  {site.name or site.id}   {span}   {self.tick_count:,} ticks in {seconds:.0f} s",
            "",
            f"  {earned} than with stores at rest.",
            *self._left(left_kwh),
            "",
            f"  {'asset':<12} {'out kWh':>10} {'in kWh':>10}",
            *(f"  {u.id:<12} {number(self.out_kwh[u.id]):>10} {number(self.in_kwh[u.id]):>10}" for u in self.units),
            "",
            f"  {followed}, {self.command_count:,} commands sent, alarms: {self._alarms()}",
        ]
        document = {
            "site_id": site.id,
            "start_utc": _utc(self.start),
            "end_utc": _utc(self.now),
            "ticks": self.tick_count,
            "wall_s": round(seconds, 3),
            "currency": site.currency,
            "net": total.net,
            "idle_net": total.idle_net,
            "stored_change_kwh": left_kwh,
            "planned_share": self.planned_count / max(1, self.tick_count),
            "commands": self.command_count,
            "assets": {u.id: {"out_kwh": self.out_kwh[u.id], "in_kwh": self.in_kwh[u.id]} for u in self.units},
            "alarms_seen": sorted(f"{code}/{asset}" for code, asset in self.seen_alarms),
        }
        return "\n".join(lines) + "\n", document

    def _left_kwh(self) -> float:
        """Energy that the stores hold now, less what they held at first."""
        tick = self.operation.dispatcher.latest
        told = {} if tick is None else _told(tick)
        now = {name: t.stored_kwh for name, t in told.items() if t.stored_kwh is not None}
        return sum(kwh - self.first_stored_kwh.get(name, kwh) for name, kwh in now.items())

    def _left(self, left_kwh: float) -> Iterator[str]:
        course = self.operation.dispatcher.course
        if course is None or not self.stores:
            return
        price = sum(course.import_price_per_mwh) / course.count
        worth = f"{money(abs(left_kwh) * price / 1000)} {course.currency} at the coming day's mean price"
        yield f"  The stores hold {number(abs(left_kwh))} kWh {_more(left_kwh)} than at first, worth {worth}."

    def _alarms(self) -> str:
        return ", ".join(sorted(f"{code} of {asset}" for code, asset in self.seen_alarms)) or "none"


def _told(tick: Tick) -> dict[str, Telemetry]:
    readings = tick.snapshot.readings.items()
    return {name: reading.telemetry for name, reading in readings if reading.telemetry is not None}


def _picture(points: list[float]) -> str:
    return sparkline(points[-KEPT_POINTS:]) if points else ""


def _more(value: float) -> str:
    return "more" if value >= 0 else "less"


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
