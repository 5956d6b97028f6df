"""What stands for an input that is missing? The same hours of an earlier week or day, named as what they are.

Day-ahead planning refuses a gap; a site that runs must not stop for one. A value is taken from the newest source that
has it, else from the nearest earlier week that any source covers, else from the nearest earlier day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.feeds import Series

DAY_S = 86_400
DAYS_BACK = (0, *range(7, 3650, 7), *range(1, 3650))
"""Where a value is looked for: now, in the weeks before, and only then on other days."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Filled:
    """A series without gaps over a horizon.

    Attributes:
        values: One per step.
        is_known: Steps whose value is the input's own, and no substitute; shape (steps,).
        days_back: How far back substitutes lie, the best first; empty where there are none.

    """

    values: tuple[float, ...]
    is_known: tuple[bool, ...]
    days_back: tuple[int, ...]


def filled(sources: Sequence[Series], edges: Array, lowest: float, highest: float) -> Filled | None:
    """Values for every step, from the first source that has them.

    Args:
        sources: Series of one input, the one that counts most first.
        edges: Instants between steps, in seconds since 1970; shape (steps + 1,).
        lowest: Values below are not believed.
        highest: Values above are not believed.

    Returns:
        Nothing where no source has values that reach.

    """
    count = edges.size - 1
    values, is_missing = np.zeros(count), np.ones(count, dtype=bool)
    is_known: Mask = np.zeros(count, dtype=bool)
    used: list[int] = []
    for days_back in DAYS_BACK:
        was_missing = is_missing.sum()
        for source in sources:
            own, is_covered = averages(source, edges - days_back * DAY_S, lowest, highest)
            usable = is_missing & is_covered
            values[usable], is_missing[usable] = own[usable], False
        if days_back == 0:
            is_known = ~is_missing
        elif is_missing.sum() < was_missing:
            used.append(days_back)
        if not is_missing.any():
            return Filled(tuple(values.tolist()), tuple(is_known.tolist()), tuple(used))
    return None


def averages(series: Series, edges: Array, lowest: float = -np.inf, highest: float = np.inf) -> tuple[Array, Mask]:
    """Average over each step, and whether the whole step is covered by rows that can be believed.

    Args:
        series: The rows.
        edges: Instants between steps, in seconds since 1970; shape (steps + 1,).
        lowest: Rows below are not believed.
        highest: Rows above are not believed, nor what is no number.

    Returns:
        Averages, 0 where a step is not covered, and the mask; shape (steps,) each.

    """
    starts, first = np.unique(series.start_s.astype(np.float64), return_index=True)
    values = series.values[first]
    is_believed = np.isfinite(values) & (values >= lowest) & (values <= highest)
    if not is_believed.any():
        return np.zeros(edges.size - 1), np.zeros(edges.size - 1, dtype=bool)
    ends = np.minimum(np.append(starts[1:], np.inf), starts + _usual_s(starts))
    starts, ends, values = starts[is_believed], ends[is_believed], values[is_believed]
    knots = np.column_stack([starts, ends]).ravel()
    covered_s = np.cumsum(np.column_stack([np.zeros_like(starts), ends - starts]).ravel())
    integral = np.cumsum(np.column_stack([np.zeros_like(starts), values * (ends - starts)]).ravel())
    in_step_s = np.diff(np.interp(edges, knots, covered_s))
    total = np.diff(np.interp(edges, knots, integral))
    is_covered = in_step_s >= np.diff(edges) - 1e-3
    return np.where(is_covered, total / np.maximum(in_step_s, 1e-9), 0.0), is_covered


def _usual_s(starts: Array) -> float:
    """The usual distance between rows; of a single row an hour."""
    if starts.size < 2:  # noqa: PLR2004 - a single row has no distance
        return 3600.0
    lengths, counts = np.unique(np.diff(starts), return_counts=True)
    return float(lengths[counts.argmax()])
