"""Numbers and times as people read them, the same in terminal and page."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise

from vpp.domain.horizon import Horizon

MINUS = "−"
MISSING = "–"
NARROW_SPACE = "\u00a0"
"""Between a number and its unit, which belong on one line."""


def number(value: float, decimals: int = 0) -> str:
    """With thousands separated and a true minus sign; zero has no sign."""
    text = f"{abs(value):,.{decimals}f}"
    is_zero = not any(digit in text for digit in "123456789")
    return text if value >= 0 or is_zero else MINUS + text


def signed(value: float, decimals: int = 0) -> str:
    """As `number`, with a plus sign where it is positive."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text


def money(value: float) -> str:
    """With two decimals."""
    return number(value, 2)


def quantity(value: float) -> str:
    """With as many decimals as a power or energy of that size deserves."""
    size = abs(value)
    is_whole = abs(value - round(value)) < 0.0005  # noqa: PLR2004 - reads as a whole number
    return number(value, 0 if size >= 100 or is_whole else 1 if size >= 1 else 3)  # noqa: PLR2004


def rate(value: float) -> str:
    """Money per unit, with three decimals while it is small."""
    return number(value, 2 if abs(value) >= 100 else 3)  # noqa: PLR2004


def span_of(values: Sequence[float], decimals: int = 0) -> str:
    """The lowest and the highest of some values, in words for a reader who hears them."""
    return f"{number(min(values), decimals)} to {number(max(values), decimals)}"


def between(low: float, high: float) -> str:
    """A range of whole numbers; a single one where both ends read the same."""
    first, last = number(low), number(high)
    return first if first == last else f"{first} … {last}"


def clock(at: datetime) -> str:
    """Local time of day, 24 hours. The hour that clocks pass twice reads 02:00A, then 02:00B."""
    passes_twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    return f"{at:%H:%M}{'AB'[at.fold] if passes_twice else ''}"


def day(at: date) -> str:
    """A date with its weekday."""
    return f"{_WEEKDAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"


def day_and_month(at: date) -> str:
    """A date without its year."""
    return f"{at.day} {_MONTHS[at.month - 1]}"


def month(at: date) -> str:
    """A month, with the year in January."""
    return f"{_MONTHS[at.month - 1]} {at.year}" if at.month == 1 else _MONTHS[at.month - 1]


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def runs(steps: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of consecutive steps: the first of each, and the step after its last."""
    breaks = [k for k, (a, b) in enumerate(pairwise(steps), 1) if b != a + 1]
    for first, after in zip([0, *breaks], [*breaks, len(steps)], strict=True):
        if first < after:
            yield steps[first], steps[after - 1] + 1


class Calendar:
    """Says when steps of a horizon are, in local time."""

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        self.starts = horizon.local_starts
        self.ends = horizon.local_ends
        self.days = sorted({start.date() for start in self.starts})

    def span(self, first: int, after: int) -> str:
        """Steps `first … after − 1`, such as `17:15–17:45`; with the date where the plan has several days."""
        start, end = self.starts[first], self.ends[after - 1]
        ends_at_midnight = (end.hour, end.minute) == (0, 0) and end.date() != start.date()
        last_day = self.starts[after - 1].date() if ends_at_midnight else end.date()
        until = "24:00" if ends_at_midnight else clock(end)
        if len(self.days) == 1:
            return f"{clock(start)}–{until}"
        other = f"{day_and_month(last_day)} " if last_day != start.date() else ""
        return f"{day_and_month(start)} {clock(start)}–{other}{until}"

    def spans(self, steps: Sequence[int], most: int = 3) -> str:
        """The runs of some steps; no more than `most`, and how many others there are."""
        found = [self.span(*run) for run in runs(steps)]
        more = f" + {len(found) - most:,} more" if len(found) > most else ""
        return ", ".join(found[:most]) + more

    def title(self) -> str:
        """The days planned."""
        first, last = self.days[0], self.days[-1]
        return day(first) if first == last else f"{day(first)} – {day(last)}"

    def steps(self) -> str:
        """Number and length of the steps, such as `96 × 15 min`."""
        length = f"{self.horizon.step_s / 60:g} min"
        is_short = self.horizon.first_step_s != self.horizon.step_s
        note = f", the first {self.horizon.first_step_s / 60:.3g} min" if is_short else ""
        return f"{self.horizon.count:,} × {length}{note}"


def listed(items: Iterable[str]) -> str:
    """A list in a sentence: `a, b and c`."""
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
