"""Imbalance: what was sold ahead is paid at its price, and what is metered beside it at the prices of imbalance."""

from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet, series
from optimizer.ports import TIE_BREAK_PER_MWH
from optimizer.problem import Energy, Parameters


def parameters(energy: Energy) -> Parameters:
    """Prices of the quantity sold ahead, and of what is metered above and below it; shape (steps,) each."""
    assert energy.imbalance is not None, "energy that is sold as it is metered has no imbalance"
    return {
        "price_per_mwh": np.array(energy.import_price_per_mwh),
        "shortfall_price_per_mwh": np.array(energy.imbalance.shortfall_price_per_mwh),
        "surplus_price_per_mwh": np.array(energy.imbalance.surplus_price_per_mwh),
    }


def build(b: Any, chosen: None) -> None:  # noqa: ARG001 - one signature for all blocks
    """Σ export = scheduled + surplus − shortfall.

    Energy = Δ·(price·scheduled + surplus price·surplus − shortfall price·shortfall). A surplus never pays more than a
    shortfall costs, so that no step has both.
    """
    series(b, "price_per_mwh", "shortfall_price_per_mwh", "surplus_price_per_mwh")
    net_kw, scheduled_kw = inlet(b, "export_kw"), inlet(b, "scheduled_kw")
    b.surplus_kw = pyo.Var(b.time, domain=pyo.NonNegativeReals)
    b.shortfall_kw = pyo.Var(b.time, domain=pyo.NonNegativeReals)

    @b.Constraint(b.time)
    def deviation(b: Any, t: int) -> Any:
        return net_kw[t] - scheduled_kw[t] == b.surplus_kw[t] - b.shortfall_kw[t]

    @b.Expression(b.time)
    def energy(b: Any, t: int) -> Any:
        beside = b.surplus_price_per_mwh[t] * b.surplus_kw[t] - b.shortfall_price_per_mwh[t] * b.shortfall_kw[t]
        return b.step_h[t] * (b.price_per_mwh[t] * scheduled_kw[t] + beside)

    @b.Expression(b.time)
    def preference(b: Any, t: int) -> Any:
        return -TIE_BREAK_PER_MWH * b.step_h[t] * (b.surplus_kw[t] + b.shortfall_kw[t])
