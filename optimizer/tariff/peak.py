"""A charge on the highest average power of a period."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet, scalars, series
from optimizer.groups.connection.schema import Connection
from optimizer.problem import Array, Parameters
from optimizer.tariff.clock import Index, averages, in_window, periods
from optimizer.tariff.schema import PeakCharge
from optimizer.tariff.tiers import Tiers, falls, paid_by_block, sizes
from vpp.domain.horizon import Horizon
from vpp.domain.tariff import SoFar

PER_KW = 1000.0
"""A price per kW in thousandths of the currency, as all money of a model is counted."""
RATCHET_MONTHS = 11
"""So many months back an earlier peak counts."""
REACH = ("reach", ())
"""The rows that hold a peak above every average."""


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    of: str
    """`import` or `export`."""
    tier_count: int
    period_count: int
    is_falling: bool
    """Whether some block of power is cheaper than the one before."""
    has_blocks: bool
    """Whether an average lasts several steps."""
    earlier: tuple[tuple[int, int], ...]
    """Pairs of a period and an earlier one of whose peak it is billed a share at least."""


def options(charge: PeakCharge, horizon: Horizon) -> Options:
    """What the block of a charge contains."""
    tiers, (_, months) = _tiers(charge), periods(charge.period, horizon)
    return Options(
        charge.of,
        len(tiers),
        months.size,
        falls(tiers),
        60 * charge.average_minutes > horizon.step_s,
        _earlier(charge, months),
    )


def _earlier(charge: PeakCharge, months: Index) -> tuple[tuple[int, int], ...]:
    if charge.ratchet_fraction is None:
        return ()
    count = range(months.size)
    return tuple((k, i) for k in count for i in range(k) if months[k] - months[i] <= RATCHET_MONTHS)


def _tiers(charge: PeakCharge) -> Tiers:
    if charge.price_per_kw is not None:
        return [(None, charge.price_per_kw)]
    return [(tier.up_to_kw, tier.price_per_kw) for tier in charge.tiers]


def parameters(charge: PeakCharge, horizon: Horizon, so_far: SoFar, connection: Connection) -> Parameters:
    """Numbers of one charge.

    Args:
        charge: The entry of the tariff.
        horizon: Steps.
        so_far: What was reached in the period in which the horizon begins, and in the running average.
        connection: Its limit bounds the last block of power where blocks fall in price.

    """
    chosen, tiers = options(charge, horizon), _tiers(charge)
    of_step, months = periods(charge.period, horizon)
    means = averages(60 * max(charge.average_minutes, horizon.step_s // 60), horizon,
                     is_start_known=so_far.block_kwh is not None)  # fmt: skip
    closes = means.closes & in_window(charge.when, horizon)
    limit_kw = connection.import_limit_kw if charge.of == "import" else connection.highest_export_kw
    owed_kw, before_kwh = _owed_kw(charge, months, so_far), so_far.block_kwh or 0.0
    numbers: Parameters = {
        "closes": (np.equal.outer(of_step, np.arange(months.size)) & closes[:, np.newaxis]).astype(float),
        "owed_kw": owed_kw,
        "tier_size": sizes(tiers, owed_kw, np.full(months.size, limit_kw)),
        "tier_price": PER_KW * np.array([price for _, price in tiers]),
        "mean_per_kwh": closes / means.known_h,
    }
    if chosen.has_blocks:
        numbers |= {"goes_on": means.goes_on.astype(float), "before_kwh": before_kwh}
    else:
        numbers["before_kwh"] = np.where(np.arange(horizon.count) == 0, before_kwh, 0.0)
    if chosen.earlier:
        reached_kw = np.zeros(months.size)
        reached_kw[0] = so_far.peak_kw
        numbers |= {"ratchet_fraction": charge.ratchet_fraction or 0.0, "reached_kw": reached_kw}
    return numbers


def _owed_kw(charge: PeakCharge, months: Index, so_far: SoFar) -> Array:
    """What each period is billed whatever the plan does; shape (periods,)."""
    share = charge.ratchet_fraction or 0.0
    owed = np.full(months.size, share * (charge.earlier_peak_kw or 0.0))
    owed[0] = max(owed[0], so_far.peak_kw)
    is_later = (np.arange(months.size) > 0) & (months - months[0] <= RATCHET_MONTHS)
    return np.where(is_later, np.maximum(owed, share * so_far.peak_kw), owed)


def build(b: Any, chosen: Options) -> None:
    """Tariff = −Σ price·part, where owed + Σ part ≥ every average of its period."""
    flow_kw = inlet(b, f"{chosen.of}_kw")
    paid = paid_by_block(b, chosen.tier_count, chosen.period_count, is_falling=chosen.is_falling)
    series(b, "closes", indices=(b.periods,))
    series(b, "mean_per_kwh")
    b.owed_kw = pyo.Param(b.periods, mutable=True, initialize=1.0)
    billed_kw = [b.owed_kw[k] + paid[k] for k in b.periods]
    peak_kw = _with_ratchet(b, chosen, billed_kw) if chosen.earlier else billed_kw
    energy_kwh = _energy_of_averages(b, flow_kw) if chosen.has_blocks else _energy_of_steps(b, flow_kw)

    @b.Constraint(b.time)
    def reach(b: Any, t: int) -> Any:
        return sum(b.closes[t, k] * peak_kw[k] for k in b.periods) >= b.mean_per_kwh[t] * energy_kwh(t)

    b.tariff = pyo.Expression(expr=-b.cost)


def _energy_of_steps(b: Any, flow_kw: Any) -> Any:
    """Energy of an average that is one step, with what was metered of it before the plan."""
    series(b, "before_kwh")
    return lambda t: b.step_h[t] * flow_kw[t] + b.before_kwh[t]


def _energy_of_averages(b: Any, flow_kw: Any) -> Any:
    """Energy of an average up to the end of a step: a counter that starts again with each average."""
    series(b, "goes_on")
    scalars(b, "before_kwh")
    b.metered_kwh = pyo.Var(b.time, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time)
    def energy_of_average(b: Any, t: int) -> Any:
        before_kwh = b.goes_on[t] * b.metered_kwh[t - 1] if t else b.before_kwh
        return b.metered_kwh[t] == before_kwh + b.step_h[t] * flow_kw[t]

    return lambda t: b.metered_kwh[t]


def _with_ratchet(b: Any, chosen: Options, billed_kw: list[Any]) -> list[Any]:
    """A period is billed its own peak, and a share of each earlier one at least."""
    scalars(b, "ratchet_fraction")
    b.reached_kw = pyo.Param(b.periods, mutable=True, initialize=1.0)
    b.peak_kw = pyo.Var(b.periods, bounds=lambda b, k: (b.reached_kw[k], None))

    @b.Constraint(b.periods)
    def own_peak(b: Any, k: int) -> Any:
        return billed_kw[k] >= b.peak_kw[k]

    b.pairs = pyo.Set(initialize=chosen.earlier, dimen=2)

    @b.Constraint(b.pairs)
    def earlier_peak(b: Any, k: int, i: int) -> Any:
        return billed_kw[k] >= b.ratchet_fraction * b.peak_kw[i]

    return [b.peak_kw[k] for k in b.periods]
