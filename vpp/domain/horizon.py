"""Which steps of time does a plan cover?

Steps are half-open, `[start, start + length)`. A power is the average over its step; a stored energy is the
one at the end of its step. Arithmetic is in UTC; local time appears only where a local day begins.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 2999


@dataclass(frozen=True)
class Horizon:
    """Consecutive steps of `step_s` seconds, of which the first may be shorter."""

    start: datetime
    """First instant, in UTC."""
    step_s: int
    count: int
    timezone: str
    """IANA name of the site's time zone; days, months and displays follow it."""
    first_step_s: int
    """Length of the first step, at most `step_s`."""

    @classmethod
    def of_local_days(cls, first: date, last: date, timezone: str, step_s: int) -> "Horizon":
        """The local days `first` to `last`, both included.

        Raises:
            ValueError: the days are in the wrong order or out of all reason, or their length is no multiple of
                `step_s` (a clock change of 30 minutes under hourly steps).

        """
        if last < first:
            raise ValueError(f"the span ends on {last}, before it begins on {first}")
        if first.year < FIRST_YEAR or last.year > LAST_YEAR:
            raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
        start, end = local_midnight(first, timezone), local_midnight(last + timedelta(days=1), timezone)
        length_s = round((end - start).total_seconds())
        if not length_s:
            raise ValueError(f"clocks in {timezone} left out {first}")
        if length_s % step_s:
            raise ValueError(
                f"{first} to {last} in {timezone} lasts {length_s / 3600:g} h, "
                f"which is no multiple of {step_s / 60:g} minutes; choose a shorter step_minutes"
            )
        return cls(start, step_s, length_s // step_s, timezone, step_s)

    def starting_at(self, now: datetime) -> "Horizon":
        """The rest of this horizon from `now` on; the first step ends where its full step would have ended.

        Args:
            now: Any instant, in any zone; a part of a second is left out.

        Raises:
            ValueError: `now` is outside the horizon.

        """
        if not self.start <= now < self.end:
            raise ValueError(f"{now.isoformat()} is outside {self.start.isoformat()} … {self.end.isoformat()}")
        now = max(self.start, now.astimezone(UTC).replace(microsecond=0))
        remaining = [end for end in self.ends if end > now]
        first_step_s = round((remaining[0] - now).total_seconds())
        return Horizon(now, self.step_s, len(remaining), self.timezone, first_step_s)

    @cached_property
    def edges(self) -> tuple[datetime, ...]:
        """The `count + 1` instants at which steps begin or end, in UTC."""
        second = self.start + timedelta(seconds=self.first_step_s)
        return (self.start, *(second + timedelta(seconds=self.step_s * k) for k in range(self.count)))

    @cached_property
    def starts(self) -> tuple[datetime, ...]:
        """First instant of each step, in UTC."""
        return self.edges[:-1]

    @cached_property
    def ends(self) -> tuple[datetime, ...]:
        """First instant after each step, in UTC."""
        return self.edges[1:]

    @property
    def end(self) -> datetime:
        """First instant after the horizon, in UTC."""
        return self.edges[-1]

    @cached_property
    def step_hours(self) -> tuple[float, ...]:
        """Length of each step [h]."""
        return (self.first_step_s / 3600, *(self.step_s / 3600 for _ in range(self.count - 1)))

    @cached_property
    def local_starts(self) -> tuple[datetime, ...]:
        """First instant of each step in the site's time zone."""
        zone = ZoneInfo(self.timezone)
        return tuple(start.astimezone(zone) for start in self.starts)

    @cached_property
    def local_ends(self) -> tuple[datetime, ...]:
        """First instant after each step in the site's time zone."""
        zone = ZoneInfo(self.timezone)
        return tuple(end.astimezone(zone) for end in self.ends)

    @cached_property
    def begins_local_day(self) -> tuple[bool, ...]:
        """Whether a new local day begins with a step; the first step of all goes on with a day."""
        days = [start.date() for start in self.local_starts]
        return (False, *(later != earlier for earlier, later in pairwise(days)))


def local_midnight(day: date, timezone: str) -> datetime:
    """First instant of a local day, in UTC. Where clocks skip midnight it is the instant of the change."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
