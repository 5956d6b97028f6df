"""Energy at the meter: what is bought and sold at a price that does not depend on us."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.blocks import inlet, series
from optimizer.problem import Energy, Parameters


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    has_two_prices: bool


def parameters(energy: Energy) -> Parameters:
    """Prices of one product; shape (steps,) each."""
    if energy.export_price_per_mwh is None:
        return {"price_per_mwh": np.array(energy.import_price_per_mwh)}
    return {
        "import_price_per_mwh": np.array(energy.import_price_per_mwh),
        "export_price_per_mwh": np.array(energy.export_price_per_mwh),
    }


def build(b: Any, chosen: Options) -> None:
    """Energy = Σ price·Δ·export, or Σ Δ·(export price·export − import price·import)."""
    if chosen.has_two_prices:
        series(b, "import_price_per_mwh", "export_price_per_mwh")
        imported_kw, exported_kw = inlet(b, "import_kw"), inlet(b, "export_kw")

        def earned(b: Any, t: int) -> Any:
            bought, sold = b.import_price_per_mwh[t] * imported_kw[t], b.export_price_per_mwh[t] * exported_kw[t]
            return b.step_h[t] * (sold - bought)
    else:
        series(b, "price_per_mwh")
        net_kw = inlet(b, "export_kw")

        def earned(b: Any, t: int) -> Any:
            return b.price_per_mwh[t] * b.step_h[t] * net_kw[t]

    b.energy = pyo.Expression(b.time, rule=earned)
