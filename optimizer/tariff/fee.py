"""A fee on energy that passes the meter: one price, or blocks of energy with prices of their own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet, series
from optimizer.groups.connection.schema import Connection
from optimizer.problem import Array, Parameters
from optimizer.tariff.clock import in_window, periods
from optimizer.tariff.schema import EnergyFee
from optimizer.tariff.tiers import Tiers, falls, paid_by_block, sizes
from vpp.domain.horizon import Horizon
from vpp.domain.tariff import SoFar


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    of: str
    """`import` or `export`."""
    tier_count: int = 0
    """Number of blocks; 0 for one price."""
    period_count: int = 0
    """Number of periods over which blocks are counted."""
    is_falling: bool = False
    """Whether some block is cheaper than the one before."""


def options(fee: EnergyFee, horizon: Horizon) -> Options:
    """What the block of a fee contains."""
    if not fee.tiers or fee.period is None:
        return Options(fee.of)
    return Options(fee.of, len(fee.tiers), periods(fee.period, horizon)[1].size, falls(_tiers(fee)))


def parameters(fee: EnergyFee, horizon: Horizon, so_far: SoFar, connection: Connection) -> Parameters:
    """Numbers of one fee.

    Args:
        fee: The entry of the tariff.
        horizon: Steps.
        so_far: Energy counted in the period in which the horizon begins.
        connection: Its limit bounds the last block where blocks fall in price.

    """
    holds = in_window(fee.when, horizon)
    if not fee.tiers or fee.period is None:
        return {"fee_per_mwh": np.where(holds, fee.price_per_mwh or 0.0, 0.0)}
    tiers = _tiers(fee)
    of_step, months = periods(fee.period, horizon)
    counts = np.equal.outer(of_step, np.arange(months.size)) & holds[:, np.newaxis]
    owed = np.zeros(months.size)
    owed[0] = so_far.energy_kwh
    limit_kw = connection.import_limit_kw if fee.of == "import" else connection.highest_export_kw
    most = limit_kw * (counts * np.array(horizon.step_hours)[:, np.newaxis]).sum(axis=0)
    return {
        "counts": counts.astype(float),
        "tier_size": sizes(tiers, owed, most),
        "tier_price": np.array([price for _, price in tiers]),
    }


def least_per_mwh(fee: EnergyFee, horizon: Horizon) -> Array:
    """What a MWh costs at least, step by step; shape (steps,)."""
    lowest = min((price for _, price in _tiers(fee)), default=fee.price_per_mwh or 0.0)
    return np.where(in_window(fee.when, horizon), lowest, 0.0)


def _tiers(fee: EnergyFee) -> Tiers:
    return [(tier.up_to_kwh, tier.price_per_mwh) for tier in fee.tiers]


def build(b: Any, chosen: Options) -> None:
    """Tariff = −Σ Δ·fee·flow, or −Σ price·part with Σ counts·Δ·flow = Σ part, period by period."""
    flow_kw = inlet(b, f"{chosen.of}_kw")
    if not chosen.tier_count:
        series(b, "fee_per_mwh")
        b.tariff = pyo.Expression(b.time, rule=lambda b, t: -b.fee_per_mwh[t] * b.step_h[t] * flow_kw[t])
        return
    paid = paid_by_block(b, chosen.tier_count, chosen.period_count, is_falling=chosen.is_falling)
    series(b, "counts", indices=(b.periods,))
    b.counted_kw = pyo.Var(b.time, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time)
    def is_counted(b: Any, t: int) -> Any:
        return b.counted_kw[t] == flow_kw[t]

    @b.Constraint(b.periods)
    def energy_by_block(b: Any, k: int) -> Any:
        return sum(b.step_h[t] * b.counts[t, k] * b.counted_kw[t] for t in b.time) == paid[k]

    b.tariff = pyo.Expression(expr=-b.cost)
