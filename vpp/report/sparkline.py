"""Eight heights of a block, one per column: context beside the numbers, never instead of them."""

from collections.abc import Sequence

from vpp.domain.horizon import Horizon

HEIGHTS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """Values as heights between their lowest and highest; a constant series is drawn low."""
    lowest, highest = min(values), max(values)
    if highest == lowest:
        return HEIGHTS[0] * len(values)
    scale = (len(HEIGHTS) - 1) / (highest - lowest)
    return "".join(HEIGHTS[round((value - lowest) * scale)] for value in values)


class Columns:
    """Steps gathered into as many columns as a line has room for: hours, groups of hours, or days."""

    LONGEST_H = (1, 2, 3, 6, 12, 24, 48, 168, 336, 672)

    def __init__(self, horizon: Horizon, most: int) -> None:
        starts = horizon.local_starts
        origin = starts[0]
        hours = [(start - origin).total_seconds() / 3600 for start in starts]
        self.hours_each = next(h for h in self.LONGEST_H if hours[-1] / h < most)
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
        """Local hours, or days of the month, above the columns on which they begin."""
        line = [" "] * (self.count + 2)
        shows_days = self.hours_each * self.count > 72  # noqa: PLR2004 - three days
        free = 0
        for column in range(self.count):
            at = self.horizon.local_starts[self.column.index(column)]
            wanted = at.hour < self.hours_each if shows_days else at.hour % 3 == 0
            if wanted and column >= free:
                line[column : column + 2] = f"{at.day if shows_days else at.hour:02d}"
                free = column + 3
        return "".join(line).rstrip()
