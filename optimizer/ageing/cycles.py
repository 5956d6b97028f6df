"""Which cycles does a state of charge make, and how much life do they take? Counted after the fact, without a solver.

Cycles are counted as ASTM E1049 counts them (rainflow): a half-cycle that is not closed stays a half-cycle.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import rainflow

from optimizer.ageing.schema import Ageing

NOISE_FRACTION = 1e-9
"""Depths up to this size are rounding."""


@dataclass(frozen=True)
class Cycle:
    """A cycle, or half of one."""

    depth_fraction: float
    count: float
    """1, or 0.5 for a half-cycle."""


def cycles_of(soc_fraction: Iterable[float]) -> tuple[Cycle, ...]:
    """Every cycle of a state of charge, in the order in which they close."""
    trace = list(soc_fraction)
    trace += trace[-1:]  # the library overlooks the only half-cycle of two values
    found = ((depth, count) for depth, _, count, _, _ in rainflow.extract_cycles(trace))
    return tuple(Cycle(depth, count) for depth, count in found if depth > NOISE_FRACTION)


def full_cycles(cycles: Iterable[Cycle]) -> float:
    """Equivalent full cycles: energy that went through, in capacities."""
    return sum(cycle.count * cycle.depth_fraction for cycle in cycles)


def life_used_fraction(ageing: Ageing, cycles: Iterable[Cycle]) -> float:
    """Share of life that cycles take."""
    return sum(cycle.count * ageing.life_lost_fraction(cycle.depth_fraction) for cycle in cycles)
