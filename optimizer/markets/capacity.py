"""Capacity: reserve power that is held ready, and the energy behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet, series
from optimizer.priorities import Level
from optimizer.problem import Parameters, Reserve


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    reserve_count: int
    gives_way: bool
    """Whether less may be held than was sold."""


def parameters(reserves: tuple[Reserve, ...], kept: frozenset[str]) -> Parameters:
    """Power that the site must hold, and what may be missing of it, by step and class; shape (steps, classes).

    Args:
        reserves: What was sold.
        kept: Products of which nothing may be missing.

    """
    held = np.array([np.multiply(reserve.hold_kw, reserve.power) for reserve in reserves]).T
    up = np.array([reserve.direction in ("up", "symmetric") for reserve in reserves])
    down = np.array([reserve.direction in ("down", "symmetric") for reserve in reserves])
    gives_way = np.array([reserve.product not in kept for reserve in reserves])
    return {"least_up_kw": held * up, "least_down_kw": held * down, "most_missing_kw": held * gives_way}


def build(b: Any, chosen: Options) -> None:
    """Σ up + missing ≥ held up and Σ down + missing ≥ held down, class by class of duration."""
    b.classes = pyo.RangeSet(0, chosen.reserve_count - 1)
    series(b, "least_up_kw", "least_down_kw", indices=(b.classes,))
    up_kw, down_kw = inlet(b, "up_kw", b.classes), inlet(b, "down_kw", b.classes)
    missing_kw = _may_be_missing(b) if chosen.gives_way else (lambda _t, _k: 0)

    @b.Constraint(b.time, b.classes, doc="upward reserve / [kW]")
    def hold_up(b: Any, t: int, k: int) -> Any:
        return up_kw[t, k] + missing_kw(t, k) >= b.least_up_kw[t, k]

    @b.Constraint(b.time, b.classes, doc="downward reserve / [kW]")
    def hold_down(b: Any, t: int, k: int) -> Any:
        return down_kw[t, k] + missing_kw(t, k) >= b.least_down_kw[t, k]


def _may_be_missing(b: Any) -> Callable[[int, int], Any]:
    """Power of each class that was sold and is not held."""
    series(b, "most_missing_kw", indices=(b.classes,))
    b.missing_kw = pyo.Var(b.time, b.classes, bounds=lambda b, t, k: (0, b.most_missing_kw[t, k]))

    @b.Expression(b.time, [int(Level.CAPACITY)])
    def given_up_kwh(b: Any, t: int, _level: int) -> Any:
        return b.step_h[t] * sum(b.missing_kw[t, k] for k in b.classes)

    return lambda t, k: b.missing_kw[t, k]
