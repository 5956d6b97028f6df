"""Which way should a store go in each step, if it may not go both ways at once and nothing else stands in its way?

Such a store has one state and one decision per step, and the least cost from a stored energy onwards is a piecewise
linear function of that energy. It is found exactly, from the last step to the first, by sliding a window along it.
Branch and bound takes minutes where many steps share one negative price, because it cannot tell their orders apart;
here their order does not matter.

Bellman's recursion, with y = keep·e and G(x) the least cost from x onwards:

    V(e) = min( min {G(x) + q_c·(x − y)/a : y ≤ x ≤ y + a·C},  min {G(x) + q_d·(y − x)/b : y − b·D ≤ x ≤ y} )

where a and b are the energies that enter and leave the store per kW charged and discharged, C and D the highest powers,
q_c and q_d their costs. V is continuous on an interval if G is: where one way becomes possible it begins at no move.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.expression import Array

SAME = 1e-10
"""Share of the largest energy up to which two energies are one, and of a curve's height up to which a bend is none."""
MOST_POINTS = 400
"""Points that a curve may have before its smallest bends are straightened."""


@dataclass(frozen=True)
class Store:
    """One store over a horizon; every array has shape (steps,).

    Attributes:
        carried_kwh: Energy that is in the store in the first step before anything is moved.
        keep: Share of a step's energy that is carried into it from the step before; not used for the first step.
        stored_per_charge, taken_per_discharge: Energy into and out of the store per kW over the step [kWh/kW].
        charge_limit, discharge_limit: Highest powers [kW].
        charge_cost, discharge_cost: Cost per kW over the step.
        lowest, highest: Window of the energy at the end of each step [kWh].

    """

    carried_kwh: float
    keep: Array
    stored_per_charge: Array
    taken_per_discharge: Array
    charge_limit: Array
    discharge_limit: Array
    charge_cost: Array
    discharge_cost: Array
    lowest: Array
    highest: Array


@dataclass(frozen=True)
class _Curve:
    """A continuous, piecewise linear function on an interval; infinite outside."""

    x: Array
    y: Array

    def at(self, x: Array) -> Array:
        slack = SAME * max(1.0, float(np.abs(self.x).max()))
        inside = (x >= self.x[0] - slack) & (x <= self.x[-1] + slack)
        values: Array = np.where(inside, np.interp(x, self.x, self.y), np.inf)
        return values

    def tilted(self, slope: float) -> "_Curve":
        return _Curve(self.x, self.y + slope * self.x)

    def mirrored(self) -> "_Curve":
        return _Curve(-self.x[::-1], self.y[::-1])

    def simplified(self) -> "tuple[_Curve, float]":
        """The function without points that say nothing, or next to nothing where there are too many of them.

        Returns:
            A curve of at most `MOST_POINTS` points, and by how much it may be off.

        """
        curve, error, idle = self, 0.0, 0
        while idle < 2 and curve.x.size > 2:  # noqa: PLR2004 - every second point in turn, of more than a single line
            share = (curve.x[1:-1] - curve.x[:-2]) / (curve.x[2:] - curve.x[:-2])
            bend = np.abs(curve.y[:-2] + share * (curve.y[2:] - curve.y[:-2]) - curve.y[1:-1])
            allowed = SAME * max(1.0, float(np.ptp(curve.y)))
            if bend.size > MOST_POINTS:
                surplus = bend.size - MOST_POINTS
                allowed = max(allowed, float(np.partition(bend, surplus)[surplus]))
            drop = bend <= allowed
            drop[idle % 2 :: 2] = False
            idle = 0 if drop.any() else idle + 1
            error += float(bend[drop].max(initial=0.0))
            keep = np.concatenate([[True], ~drop, [True]])
            curve = _Curve(curve.x[keep], curve.y[keep])
        return curve, error


@dataclass(frozen=True)
class Directions:
    """Which way a store goes.

    Attributes:
        way: 1 charging, −1 discharging, 0 neither; shape (steps,).
        error: No other choice is cheaper by more than this.

    """

    way: NDArray[np.int8]
    error: float


def best_directions(store: Store) -> Directions | None:
    """The way of the cheapest schedule; nothing if no schedule ends inside the window."""
    steps, error = store.keep.size, 0.0
    onwards: list[_Curve] = []
    curve = _Curve(np.array([store.lowest[-1], store.highest[-1]]), np.zeros(2))
    for step in range(steps - 1, -1, -1):
        onwards.append(curve)
        if step:
            before, added = _before(store, step, curve)
            error += added
            restricted = _between(before, store.lowest[step - 1], store.highest[step - 1])
            if restricted is None:
                return None
            curve = restricted
    way = _follow(store, onwards[::-1])
    return None if way is None else Directions(way, 2 * error)


def _before(store: Store, step: int, onwards: _Curve) -> tuple[_Curve, float]:
    """Least cost from the energy at the end of the step before, and by how much it may be off."""
    gain, loss = store.stored_per_charge[step], store.taken_per_discharge[step]
    per_gain, per_loss = store.charge_cost[step] / gain, store.discharge_cost[step] / loss
    charging = _lowest_ahead(onwards.tilted(per_gain), gain * store.charge_limit[step]).tilted(-per_gain)
    behind = _lowest_ahead(onwards.tilted(-per_loss).mirrored(), loss * store.discharge_limit[step]).mirrored()
    best, error = _lower(charging, behind.tilted(per_loss)).simplified()
    return _Curve(best.x / store.keep[step], best.y), error


def _distinct(*points: Array) -> Array:
    """All points in order, of near neighbours the first."""
    x = np.sort(np.concatenate(points))
    kept: Array = x[np.concatenate([[True], np.diff(x) > SAME * max(1.0, float(np.abs(x).max()))])]
    return kept


def _lowest_ahead(curve: _Curve, reach: float) -> _Curve:
    """For each y, the lowest value between y and y + reach."""
    if reach <= 0:
        return curve
    first, last = curve.x[0] - reach, curve.x[-1]
    edges = _distinct(curve.x, curve.x - reach)
    edges = edges[(edges >= first) & (edges <= last)]
    left, right = edges[:-1], edges[1:]
    inner = _lowest_point(curve, right, left + reach)
    middle = (left + right) / 2
    points = [edges]
    here = _line(curve, left, right, middle)
    ahead = _line(curve, left + reach, right + reach, middle + reach)
    still = (inner, np.zeros_like(inner))
    for (value_a, slope_a), (value_b, slope_b) in ((here, ahead), (here, still), (ahead, still)):
        with np.errstate(all="ignore"):
            crossing = left + (value_b - value_a) / (slope_a - slope_b)
        points.append(crossing[(crossing > left) & (crossing < right)])
    x = _distinct(*points)
    interval = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, left.size - 1)
    before = np.clip(np.searchsorted(edges, x, side="left") - 1, 0, left.size - 1)
    inside = np.minimum(inner[interval], inner[before])
    return _Curve(x, np.minimum(np.minimum(curve.at(x), curve.at(x + reach)), inside))


def _line(curve: _Curve, left: Array, right: Array, middle: Array) -> tuple[Array, Array]:
    """Value at `left` and slope of the line through an interval; infinite where the curve is not defined."""
    outside = ~np.isfinite(curve.at(middle))
    low, high = np.interp(left, curve.x, curve.y), np.interp(right, curve.x, curve.y)
    slope = (high - low) / (right - left)
    return np.where(outside, np.inf, low), np.where(outside, 0.0, slope)


def _lowest_point(curve: _Curve, low: Array, high: Array) -> Array:
    """The lowest of the curve's own points between `low` and `high`, both included; infinite where there is none.

    Where `low` and `high` are one point, rounding must not lose it.
    """
    slack = SAME * max(1.0, float(np.abs(curve.x).max()))
    first = np.searchsorted(curve.x, low - slack, side="left")
    after = np.searchsorted(curve.x, high + slack, side="right")
    levels = [curve.y]
    while 2 ** len(levels) <= curve.y.size:
        last, width = levels[-1], 2 ** (len(levels) - 1)
        levels.append(np.minimum(last[:-width], last[width:]))
    lowest = np.full(low.size, np.inf)
    length = after - first
    for level, table in enumerate(levels):
        chosen = (length >= 2**level) & (length < 2 ** (level + 1))
        lowest[chosen] = np.minimum(table[first[chosen]], table[after[chosen] - 2**level])
    return lowest


def _lower(a: _Curve, b: _Curve) -> _Curve:
    """The lower of two curves whose intervals overlap."""
    edges = _distinct(a.x, b.x)
    left, right = edges[:-1], edges[1:]
    middle = (left + right) / 2
    (value_a, slope_a), (value_b, slope_b) = _line(a, left, right, middle), _line(b, left, right, middle)
    with np.errstate(all="ignore"):
        crossing = left + (value_b - value_a) / (slope_a - slope_b)
    x = _distinct(edges, crossing[(crossing > left) & (crossing < right)])
    return _Curve(x, np.minimum(a.at(x), b.at(x)))


def _between(curve: _Curve, low: float, high: float) -> _Curve | None:
    """The curve on a window; nothing if they do not meet."""
    low, high = max(low, curve.x[0]), min(high, curve.x[-1])
    if low > high + SAME * max(1.0, abs(high)):
        return None
    inside = curve.x[(curve.x > low) & (curve.x < high)]
    x = _distinct(np.array([low]), inside, np.array([max(low, high)]))
    return _Curve(x, np.interp(x, curve.x, curve.y))


def _follow(store: Store, onwards: list[_Curve]) -> NDArray[np.int8] | None:
    """Walk from the start along the cheapest way."""
    directions = np.zeros(len(onwards), dtype=np.int8)
    energy = store.carried_kwh
    for step, curve in enumerate(onwards):
        energy *= store.keep[step] if step else 1.0
        gain, loss = store.stored_per_charge[step], store.taken_per_discharge[step]
        top = min(energy + gain * store.charge_limit[step], curve.x[-1])
        bottom = max(energy - loss * store.discharge_limit[step], curve.x[0])
        slack = SAME * max(1.0, abs(energy))
        if bottom > top + slack:
            return None
        options = np.concatenate([[energy, bottom, top], curve.x[(curve.x > bottom) & (curve.x < top)]])
        moved = options - energy
        cost = np.where(moved > 0, store.charge_cost[step] / gain * moved, -store.discharge_cost[step] / loss * moved)
        total = cost + curve.at(options)
        best = int(np.argmin(total))
        directions[step] = np.sign(moved[best]) if abs(moved[best]) > slack else 0
        energy = float(options[best])
    return directions
