"""When does an entry of a tariff hold, step by step, and to which period and average does a step belong?"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from optimizer.problem import Array
from optimizer.tariff.schema import DAY_MINUTES, WEEKDAYS, When
from vpp.domain.horizon import Horizon

Steps = NDArray[np.bool_]
Index = NDArray[np.int64]
_WORDS = {"all": range(7), "weekdays": range(5), "weekends": range(5, 7)}


@dataclass(frozen=True, eq=False)
class LocalClock:
    """Local time as steps begin; shape (steps,) each."""

    year: Index
    month: Index
    day: Index
    weekday: Index
    second: Index
    """Of the day, by the clock on the wall."""
    offset_s: Index
    """From UTC."""
    step_h: Array


@lru_cache(maxsize=16)
def clock_of(horizon: Horizon) -> LocalClock:
    """The local clock of a horizon; not to be written to."""
    starts = horizon.local_starts
    offsets = [at.utcoffset() for at in starts]
    return LocalClock(
        year=np.array([at.year for at in starts]),
        month=np.array([at.month for at in starts]),
        day=np.array([at.day for at in starts]),
        weekday=np.array([at.weekday() for at in starts]),
        second=np.array([3600 * at.hour + 60 * at.minute + at.second for at in starts]),
        offset_s=np.array([0 if offset is None else round(offset.total_seconds()) for offset in offsets]),
        step_h=np.array(horizon.step_hours),
    )


def in_window(when: When, horizon: Horizon) -> Steps:
    """In which steps an entry holds; shape (steps,)."""
    clock = clock_of(horizon)
    first_month, last_month = when.months
    since = (clock.month - first_month) % 12
    in_months = since <= (last_month - first_month) % 12
    days = _WORDS[when.weekdays] if isinstance(when.weekdays, str) else [WEEKDAYS.index(day) for day in when.weekdays]
    begins, ends = when.bounds_minutes
    length_s = 60 * ((ends - begins) % DAY_MINUTES or DAY_MINUTES)
    in_hours = (clock.second - 60 * begins) % (60 * DAY_MINUTES) < length_s
    held: Steps = in_months & np.isin(clock.weekday, days) & in_hours
    return held


def periods(length: str, horizon: Horizon) -> tuple[Index, Index]:
    """Which period each step belongs to, shape (steps,), and the month number of each period, shape (periods,)."""
    clock = clock_of(horizon)
    month = 12 * clock.year + clock.month
    key = {"day": 32 * month + clock.day, "month": month, "year": clock.year}[length]
    _, first, of_step = np.unique(key, return_index=True, return_inverse=True)
    return of_step.reshape(-1), month[first]


@dataclass(frozen=True, eq=False)
class Averages:
    """How steps make up averages; shape (steps,) each."""

    goes_on: Steps
    """Whether a step goes on with the average of the step before."""
    closes: Steps
    """Whether it is the last one of its average within the horizon."""
    known_h: Array
    """Length of the average's part that is known [h]."""


def averages(length_s: int, horizon: Horizon, *, is_start_known: bool) -> Averages:
    """Averages of `length_s` by the local clock.

    Args:
        length_s: Length of an average, a whole number of steps.
        horizon: Steps.
        is_start_known: Whether the energy from the first average's start to the start of the horizon is known.

    """
    clock = clock_of(horizon)
    block = np.stack([clock.second // length_s, clock.day, clock.offset_s])
    begins = np.concatenate([[True], (np.diff(block, axis=1) != 0).any(axis=0)])
    number = np.cumsum(begins) - 1
    hours = np.bincount(number, clock.step_h)
    if is_start_known:
        hours[0] += clock.second[0] % length_s / 3600
    return Averages(~begins, np.concatenate([begins[1:], [True]]), hours[number])
