"""Capacity: reserve power that is held ready, and the energy behind it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet, series
from optimizer.problem import Parameters, Reserve


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    reserve_count: int


def parameters(reserves: tuple[Reserve, ...]) -> Parameters:
    """Power that the site must hold, by step and class; shape (steps, classes)."""
    held = np.array([np.multiply(reserve.hold_kw, reserve.power) for reserve in reserves]).T
    up = np.array([reserve.direction in ("up", "symmetric") for reserve in reserves])
    down = np.array([reserve.direction in ("down", "symmetric") for reserve in reserves])
    return {"least_up_kw": held * up, "least_down_kw": held * down}


def build(b: Any, chosen: Options) -> None:
    """Σ up ≥ held up and Σ down ≥ held down, class by class of duration."""
    b.classes = pyo.RangeSet(0, chosen.reserve_count - 1)
    series(b, "least_up_kw", "least_down_kw", indices=(b.classes,))
    up_kw, down_kw = inlet(b, "up_kw", b.classes), inlet(b, "down_kw", b.classes)

    @b.Constraint(b.time, b.classes, doc="upward reserve / [kW]")
    def hold_up(b: Any, t: int, k: int) -> Any:
        return up_kw[t, k] >= b.least_up_kw[t, k]

    @b.Constraint(b.time, b.classes, doc="downward reserve / [kW]")
    def hold_down(b: Any, t: int, k: int) -> Any:
        return down_kw[t, k] >= b.least_down_kw[t, k]
