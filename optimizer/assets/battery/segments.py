"""A battery whose wear grows with the depth of its cycles: the capacity as a stack of segments with rising prices.

The cost of a cycle of depth δ is convex in δ. Cut into J segments of equal energy, the shallowest first, a linear
program discharges cheap segments before dear ones by itself, and its cost is that of rainflow counting (Xu et al.,
"Factoring the Cycle Aging Cost of Batteries Participating in Electricity Markets", 2018).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.ageing.schema import Ageing
from optimizer.assets.battery.schema import Battery
from optimizer.blocks import scalars
from optimizer.problem import Array, Parameters


def ageing_parameters(
    asset: Battery, ageing: Ageing, initial_kwh: float, stored_before_kwh: Sequence[float]
) -> Parameters:
    """Numbers of the segments, the shallowest first, and of the bands of resting.

    Args:
        asset: The battery.
        ageing: Its law.
        initial_kwh: Stored energy at the start.
        stored_before_kwh: Stored energy at instants before, the oldest first.

    """
    count, capacity_kwh = ageing.segment_count, asset.energy_capacity_kwh
    lost = np.array([ageing.life_lost_fraction(k / count) for k in range(count + 1)])
    price_per_kwh = ageing.replacement_cost_per_kwh / asset.discharge_efficiency * count * np.diff(lost)
    return {
        "segment_price_per_mwh": 1000 * price_per_kwh,
        "segment_capacity_kwh": capacity_kwh / count,
        "segment_initial_kwh": _initial_kwh(
            [*stored_before_kwh, initial_kwh], asset.min_soc_fraction * capacity_kwh, capacity_kwh / count, count
        ),
        "band_price_per_mwh_h": np.array([band.price_per_mwh_h for band in ageing.bands]),
        "band_bottom_kwh": np.array([band.above_soc_fraction * capacity_kwh for band in ageing.bands]),
    }


def _initial_kwh(trace_kwh: Sequence[float], floor_kwh: float, each_kwh: float, count: int) -> Array:
    """Energy of each segment at the end of a trace of stored energy.

    At its first value, what may never be discharged lies in the deepest segments, where it takes no room from cheap
    cycles; what is above it lies in the shallowest, as if it had just been charged. From there on, what is charged and
    what is discharged goes to, and comes from, the shallowest segments that have room, or energy.
    """
    at_bottom_kwh = min(trace_kwh[0], floor_kwh)
    bottom = np.clip(at_bottom_kwh - each_kwh * np.arange(count), 0, each_kwh)[::-1]
    filled: Array = bottom + _shallowest(trace_kwh[0] - at_bottom_kwh, each_kwh - bottom)
    for before_kwh, after_kwh in pairwise(trace_kwh):
        filled += _shallowest(after_kwh - before_kwh, each_kwh - filled)
        filled -= _shallowest(before_kwh - after_kwh, filled)
    return filled


def _shallowest(energy_kwh: float, room_kwh: Array) -> Array:
    """Parts of an energy in the shallowest segments with room for it; none of a negative energy."""
    parts: Array = np.clip(energy_kwh - (np.cumsum(room_kwh) - room_kwh), 0, room_kwh)
    return parts


def wear_by_depth(b: Any, segment_count: int, kept: Any) -> Any:
    """Split stored energy and discharge over the segments.

    A segment loses energy by discharging alone; what it gains is its share of the charge, which needs no column of its
    own because segments and store gain the same in sum.

    Args:
        b: The battery's block.
        segment_count: Number of segments.
        kept: Share of stored energy that is left after a step, by step.

    Returns:
        Cost per step, in thousandths of the currency.

    """
    b.segments = pyo.RangeSet(0, segment_count - 1)
    scalars(b, "segment_capacity_kwh")
    for name in ("segment_price_per_mwh", "segment_initial_kwh"):
        b.add_component(name, pyo.Param(b.segments, mutable=True, initialize=1.0))
    b.segment_stored_kwh = pyo.Var(b.time, b.segments, bounds=(0, b.segment_capacity_kwh))
    b.segment_discharge_kw = pyo.Var(b.time, b.segments, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time, b.segments)
    def segment_balance(b: Any, t: int, j: int) -> Any:
        before = b.segment_initial_kwh[j] if t == b.time.first() else b.segment_stored_kwh[t - 1, j]
        taken = b.step_h[t] * b.segment_discharge_kw[t, j] / b.discharge_efficiency
        return b.segment_stored_kwh[t, j] >= before * kept(t) - taken

    @b.Constraint(b.time)
    def stored_in_segments(b: Any, t: int) -> Any:
        return sum(b.segment_stored_kwh[t, j] for j in b.segments) == b.stored_kwh[t]

    @b.Constraint(b.time)
    def discharged_from_segments(b: Any, t: int) -> Any:
        return sum(b.segment_discharge_kw[t, j] for j in b.segments) == b.discharge_kw[t]

    return lambda t: sum(b.segment_price_per_mwh[j] * b.step_h[t] * b.segment_discharge_kw[t, j] for j in b.segments)


def wear_at_rest(b: Any, band_count: int) -> Any:
    """Count the energy that rests above the bottom of each band.

    Returns:
        Cost per step, in thousandths of the currency.

    """
    b.bands = pyo.RangeSet(0, band_count - 1)
    for name in ("band_price_per_mwh_h", "band_bottom_kwh"):
        b.add_component(name, pyo.Param(b.bands, mutable=True, initialize=1.0))
    b.resting_kwh = pyo.Var(b.time, b.bands, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time, b.bands)
    def rests_above(b: Any, t: int, k: int) -> Any:
        return b.resting_kwh[t, k] >= b.stored_kwh[t] - b.band_bottom_kwh[k]

    return lambda t: sum(b.band_price_per_mwh_h[k] * b.step_h[t] * b.resting_kwh[t, k] for k in b.bands)
