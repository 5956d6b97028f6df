"""The promise of a store: what it shall hold at the end of the horizon."""

from typing import Any

import pyomo.environ as pyo

from optimizer.blocks import scalars
from optimizer.priorities import Level


def promise_final_energy(b: Any, *, gives_way: bool) -> None:
    """Keep least ≤ stored[last] + lacking − exceeding ≤ most, where what lacks and exceeds is given up.

    Args:
        b: A block with `stored_kwh[t]`; it gets the parameters `least_final_kwh` and `most_final_kwh`.
        gives_way: Whether the promise may be broken.

    """
    scalars(b, "least_final_kwh", "most_final_kwh")
    final_kwh = b.stored_kwh[b.time.last()]
    if gives_way:
        b.lacking_kwh = pyo.Var(domain=pyo.NonNegativeReals)
        b.exceeding_kwh = pyo.Var(domain=pyo.NonNegativeReals)
        final_kwh += b.lacking_kwh - b.exceeding_kwh

        @b.Expression(b.time, [int(Level.END)])
        def given_up_kwh(b: Any, t: int, _level: int) -> Any:
            return b.lacking_kwh + b.exceeding_kwh if t == b.time.last() else 0.0

    b.final_energy = pyo.Constraint(
        expr=(b.least_final_kwh, final_kwh, b.most_final_kwh), doc="energy at the end / energy at the end [kWh]"
    )
