"""Blocks of a quantity, each with its own price: how much of each block is paid in each period."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.problem import Array

Tiers = Sequence[tuple[float | None, float]]
"""Where each block ends (the last one does not), and its price."""


def falls(tiers: Tiers) -> bool:
    """Whether some block is cheaper than the one before, so that it must be decided that that one is full."""
    return any(after < before for (_, before), (_, after) in pairwise(tiers))


def sizes(tiers: Tiers, owed: Array, most: Array) -> Array:
    """Room in each block above what is owed already; shape (tiers, periods).

    Args:
        tiers: Blocks.
        owed: What each period is billed whatever is done; shape (periods,).
        most: What each period can come to beyond that, which bounds the last block where blocks fall in price.

    """
    ends = np.array([np.inf if end is None else end for end, _ in tiers])[:, np.newaxis]
    starts = np.concatenate([[[0.0]], ends[:-1]])
    room: Array = np.maximum(0.0, ends - np.maximum(starts, owed))
    return np.minimum(room, most) if falls(tiers) else room


def paid_by_block(b: Any, tier_count: int, period_count: int, *, is_falling: bool) -> list[Any]:
    """Declare what is paid of each block in each period, and return the sum of each period.

    0 ≤ part[j] ≤ size[j]; where prices fall, size[j]·full[j] ≤ part[j] and part[j + 1] ≤ size[j + 1]·full[j].
    Adds `b.cost`, what all of it costs.
    """
    b.tiers, b.periods = pyo.RangeSet(0, tier_count - 1), pyo.RangeSet(0, period_count - 1)
    b.tier_size = pyo.Param(b.tiers, b.periods, mutable=True, initialize=1.0)
    b.tier_price = pyo.Param(b.tiers, mutable=True, initialize=1.0)
    b.part = pyo.Var(b.tiers, b.periods, bounds=lambda b, j, k: (0, b.tier_size[j, k]))
    b.cost = pyo.Expression(expr=sum(b.tier_price[j] * b.part[j, k] for j in b.tiers for k in b.periods))
    if is_falling:
        b.edges = pyo.RangeSet(0, tier_count - 2)
        b.is_full = pyo.Var(b.edges, b.periods, domain=pyo.Binary)

        @b.Constraint(b.edges, b.periods)
        def block_is_full(b: Any, j: int, k: int) -> Any:
            return b.part[j, k] >= b.tier_size[j, k] * b.is_full[j, k]

        @b.Constraint(b.edges, b.periods)
        def then_the_next(b: Any, j: int, k: int) -> Any:
            return b.part[j + 1, k] <= b.tier_size[j + 1, k] * b.is_full[j, k]

    return [sum(b.part[j, k] for j in b.tiers) for k in b.periods]
