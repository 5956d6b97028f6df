"""Where in a picture is a value, and where an instant? The vertical and the horizontal axis of a chart."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vpp.domain.horizon import Horizon
from vpp.report.wording import clock, day_and_month, month

HEIGHT = 1000
"""Height of every drawing in its own units."""
MOST_POINTS = 2000
"""A plan of more steps is drawn in columns of several steps."""
MOST_COLUMNS = 800
COLUMN_HOURS = (1, 3, 6, 24, 168, 672)
ONE_DAY_H, FEW_DAYS_H, MONTHS_H = 30, 110, 62 * 24
"""Up to so many hours an axis names hours, days with hours between them, days; beyond, months."""
CLOSEST_H = 1.5
"""Labels of hours keep this distance on the axis of one day."""


@dataclass(frozen=True)
class Scale:
    """The vertical axis."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> int:
        """Height of a value in the drawing, downwards from the top."""
        inside = min(max(value, self.low), self.high)
        return round(HEIGHT * (self.high - inside) / (self.high - self.low))

    def percent(self, value: float) -> str:
        """Height of a value as a CSS percentage from the top."""
        return f"{100 * (self.high - value) / (self.high - self.low):.2f}%"

    @property
    def decimals(self) -> int:
        """Decimals that tell one tick from the next."""
        apart = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else abs(self.high - self.low)
        return next((n for n in range(6) if abs(round(apart, n) - apart) < 1e-9 * apart), 6)


SHARES = Scale(0.0, 1.0, (0.0, 1.0))
"""The axis of a share, from nothing to all."""


def scale_for(values: Iterable[float], *, limits: Iterable[float] = (), most_ticks: int = 5) -> Scale:
    """An axis with round ticks that holds all values and zero.

    A limit is taken into the picture, with a margin beyond it, unless it is more than twice as far out as the values.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min((0.0, *finite)), max((0.0, *finite))
    if low == high:
        high = low + 1.0
    reach = 2 * max(-low, high)
    near = [limit for limit in limits if abs(limit) <= reach]
    margin = 0.08 * (max(high, *near, 0.0) - min(low, *near, 0.0)) if near else 0.0
    beyond_low = min((limit - margin for limit in near if limit < 0), default=math.inf)
    beyond_high = max((limit + margin for limit in near if limit > 0), default=-math.inf)
    step = _round_step((max(high, beyond_high) - min(low, beyond_low)) / (most_ticks - 1))
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if beyond_low < low:
        bottom = beyond_low
    if beyond_high > high:
        top = beyond_high
    first, last = math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9)
    return Scale(bottom, top, tuple(k * step for k in range(first, last + 1)))


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class Tick:
    """A label of the time axis, at the edge before a step."""

    edge: int
    text: str
    stays: bool
    """Whether it is shown on a narrow screen too."""


class TimeAxis:
    """The horizontal axis that all charts of a page share; its unit is a full step."""

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        edges = [(edge - horizon.start).total_seconds() / horizon.step_s for edge in horizon.edges]
        self.edges = [round(edge, 3) for edge in edges]
        self.width = self.edges[-1]
        self.hours = (horizon.end - horizon.start).total_seconds() / 3600
        self.columns = self._columns()

    def _columns(self) -> list[tuple[int, int]]:
        """First step and step after the last of each column drawn: single steps, or many where there are too many."""
        count = self.horizon.count
        if self.has_every_step:
            return [(step, step + 1) for step in range(count)]
        self.column_hours = next(h for h in COLUMN_HOURS if self.hours / h <= MOST_COLUMNS)
        each = max(1, round(self.column_hours * 3600 / self.horizon.step_s))
        return [(first, min(first + each, count)) for first in range(0, count, each)]

    @property
    def has_every_step(self) -> bool:
        """Whether every step is drawn."""
        return self.horizon.count <= MOST_POINTS

    @property
    def note(self) -> str:
        """How a plan of many steps is drawn; empty where every step is."""
        if self.has_every_step:
            return ""
        width = f"{self.column_hours} hours" if self.column_hours > 1 else "one hour"
        return (
            f"Each column is {width}: lines and areas are averages, bands reach from the lowest to the highest value."
        )

    def x(self, edge: int) -> float:
        """Place of the edge before a step in the drawing."""
        return self.edges[edge]

    def percent(self, edge: int) -> str:
        """Place of the edge before a step, as a CSS percentage from the left."""
        return f"{100 * self.edges[edge] / self.width:.2f}%"

    def ticks(self) -> list[Tick]:
        """Labels in local time."""
        if self.hours <= ONE_DAY_H:
            return self._hours_of_a_day()
        starts = self.horizon.local_starts
        midnights = [k for k, at in enumerate(starts) if k == 0 or at.date() != starts[k - 1].date()]
        if self.hours <= FEW_DAYS_H:
            days = [Tick(k, day_and_month(starts[k]), stays=True) for k in midnights]
            noons = [Tick(k, "12:00", stays=False) for k, at in enumerate(starts) if (at.hour, at.minute) == (12, 0)]
            return sorted([*days, *noons], key=lambda tick: tick.edge)
        if self.hours <= MONTHS_H:
            each = math.ceil(len(midnights) / 8)
            return [Tick(k, day_and_month(starts[k]), stays=n % 3 == 0) for n, k in enumerate(midnights[::each])]
        firsts = [k for k in midnights if starts[k].day == 1]
        each = math.ceil(len(firsts) / 12)
        return [Tick(k, month(starts[k]), stays=n % 3 == 0) for n, k in enumerate(firsts[::each])]

    def _hours_of_a_day(self) -> list[Tick]:
        """Every third hour, midnight at the end, and the hour that clocks pass a second time."""
        starts, end = self.horizon.local_starts, self.horizon.local_ends[-1]
        whole = [(k, at) for k, at in enumerate(starts) if at.minute == 0 and at.second == 0]
        again = [k for k, at in whole if at.fold]
        room = CLOSEST_H * 3600 / self.horizon.step_s
        ticks = [
            Tick(k, clock(at), stays=at.hour % 6 == 0)
            for k, at in whole
            if k in again or (at.hour % 3 == 0 and all(abs(self.edges[k] - self.edges[n]) >= room for n in again))
        ]
        if (end.hour, end.minute) == (0, 0):
            ticks.append(Tick(len(starts), "24:00", stays=True))
        return ticks


def lowest_and_highest(axis: TimeAxis, values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The extremes of each column."""
    parts = [values[first:after] for first, after in axis.columns]
    return [min(part) for part in parts], [max(part) for part in parts]


def averages(axis: TimeAxis, values: Sequence[float]) -> list[float]:
    """The average of each column."""
    return [sum(values[first:after]) / (after - first) for first, after in axis.columns]
