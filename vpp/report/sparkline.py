"""Eight heights of a block, one per column: context beside the numbers, never instead of them."""

from collections.abc import Sequence

from vpp.domain.horizon import Horizon
from vpp.report.wording import month

HEIGHTS = "▁▂▃▄▅▆▇█"
HOURS_UNTIL_H, DAYS_UNTIL_H = 76, 62 * 24
"""A plan up to so long has hours above its columns, or days of the month; a longer one has months."""


def sparkline(values: Sequence[float]) -> str:
    """Values as heights between their lowest and highest; a constant series is drawn low."""
    lowest, highest = min(values), max(values)
    if highest == lowest:
        return HEIGHTS[0] * len(values)
    scale = (len(HEIGHTS) - 1) / (highest - lowest)
    return "".join(HEIGHTS[round((value - lowest) * scale)] for value in values)


class Columns:
    """Steps gathered into as many columns as a line has room for."""

    HOURS_EACH = (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168, 336, 672)

    def __init__(self, horizon: Horizon, most: int) -> None:
        hours = [(start - horizon.start).total_seconds() / 3600 for start in horizon.starts]
        self.hours = hours[-1] + horizon.step_hours[-1]
        self.hours_each = next(h for h in self.HOURS_EACH if h >= max(horizon.step_hours) and self.hours / h <= most)
        self.column = [int(hour // self.hours_each) for hour in hours]
        self.horizon = horizon
        self.count = self.column[-1] + 1

    def averages(self, values: Sequence[float]) -> list[float]:
        """The average of each column over its time."""
        total, length = [0.0] * self.count, [0.0] * self.count
        for column, value, step_h in zip(self.column, values, self.horizon.step_hours, strict=True):
            total[column] += value * step_h
            length[column] += step_h
        return [t / h for t, h in zip(total, length, strict=True)]

    def scale(self) -> str:
        """Local hours, days of the month or months, above the columns in which they begin."""
        starts, line, free = self.horizon.local_starts, "", 0
        for step, at in enumerate(starts):
            is_midnight = step == 0 or at.date() != starts[step - 1].date()
            if self.hours <= HOURS_UNTIL_H:
                text = f"{at.hour:02d}" if at.hour % 3 == 0 and at.minute == 0 else ""
            elif self.hours <= DAYS_UNTIL_H:
                text = f"{at.day:02d}" if is_midnight else ""
            else:
                text = month(at)[:3] if is_midnight and at.day == 1 else ""
            column = self.column[step]
            if text and column >= free:
                line = f"{line:<{column}}{text}"
                free = column + len(text) + 1
        return line
