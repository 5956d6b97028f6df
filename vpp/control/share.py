"""Who delivers how much of what the site is asked for?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

SMALLEST_KW = 1e-9


@dataclass(frozen=True, slots=True)
class Range:
    """What one asset can deliver in the coming tick, around what it would do by itself."""

    low_kw: float
    start_kw: float
    high_kw: float
    cost_per_mwh: float


def share(total_kw: float, ranges: Mapping[str, Range]) -> dict[str, float]:
    """Split a total over assets, starting from what each would do by itself.

    More is taken from the cheapest first and less from the dearest first; assets of equal cost move in proportion to
    the room they have. It is the optimum of the linear program min Σ cost·export over the ranges, in which no asset
    moves against the others.

    Args:
        total_kw: Wanted sum of exports.
        ranges: What each asset can do.

    Returns:
        Export of each asset [kW]; their sum is `total_kw`, or as near to it as the ranges allow.

    """
    shared = {name: reach.start_kw for name, reach in ranges.items()}
    gap_kw = total_kw - sum(shared.values())
    order = sorted(ranges, key=lambda name: (ranges[name].cost_per_mwh, name), reverse=gap_kw < 0)
    for _, equals in groupby(order, key=lambda name: ranges[name].cost_per_mwh):
        if abs(gap_kw) <= SMALLEST_KW:
            break
        gap_kw -= _move(gap_kw, list(equals), ranges, shared)
    return shared


def _move(gap_kw: float, names: Sequence[str], ranges: Mapping[str, Range], shared: dict[str, float]) -> float:
    """Move assets of equal cost towards the gap; returns how far they came together."""
    room = {n: (ranges[n].high_kw if gap_kw > 0 else ranges[n].low_kw) - shared[n] for n in names}
    total_kw = sum(room.values())
    if abs(total_kw) <= SMALLEST_KW:
        return 0.0
    part = min(1.0, gap_kw / total_kw)
    for name in names:
        shared[name] += part * room[name]
    return part * total_kw
