"""An independent extensive form of problems with scenarios: every scenario in full, what they share as one column each.

It shares no code with the model. Sites are those that `tests.oracle` knows.
"""

import numpy as np

from optimizer.problem import Problem
from tests.oracle import Rows, _battery
from tests.oracle_tariff import charge


def best_objective(problem: Problem) -> float | None:
    """Most that can be reached of (1 − λ)·mean + λ·mean of the worst, in the currency; nothing if none is feasible."""
    p, rows = problem, Rows()
    count = p.horizon.count
    ahead = None
    if p.energy.imbalance is not None:
        ahead = [rows.column(-p.connection.import_limit_kw, p.connection.export_limit_kw) for _ in range(count)]
    outcomes: list[dict[int, float]] = []
    for scenario in p.scenarios:
        first = len(rows.cost)
        outcome = _scenario(rows, p, scenario, ahead)
        for column in range(first, len(rows.cost)):
            outcome[column] = outcome.get(column, 0.0) - rows.cost[column]
            rows.cost[column] = 0.0
        outcomes.append(outcome)
    weights = [scenario.weight for scenario in p.scenarios]
    share, alpha = p.risk.cvar_weight, p.risk.cvar_alpha
    for weight, outcome in zip(weights, outcomes, strict=True):
        for column, earned in outcome.items():
            rows.cost[column] -= (1 - share) * weight * earned
    if share:
        threshold = rows.column(-np.inf, np.inf, cost=-share)
        for weight, outcome in zip(weights, outcomes, strict=True):
            below = rows.column(0.0, np.inf, cost=share * weight / (1 - alpha))
            rows.row({**outcome, below: 1.0, threshold: -1.0}, 0.0, np.inf)
    cost = rows.lowest_cost()
    return None if cost is None else -cost / 1000


def _scenario(rows: Rows, p: Problem, scenario, ahead) -> dict[int, float]:
    """Rows of one scenario; costs stand at its own columns, what shared columns earn is returned."""
    count, h, energy = p.horizon.count, p.horizon.step_hours, scenario.energy
    site: list[dict[int, float]] = [{} for _ in range(count)]
    fixed = [0.0] * count
    for asset in p.assets:
        kind = type(asset).__name__
        if kind == "Battery":
            _battery(rows, p, asset, site, fixed)
            continue
        forecast = scenario.series[asset.id, "forecast"]
        for t in range(count):
            if kind == "Load":
                fixed[t] -= forecast[t]
            elif asset.curtailable:
                site[t][rows.column(0.0, forecast[t])] = 1.0
            else:
                fixed[t] += forecast[t]
    outcome: dict[int, float] = {}
    meter: dict[str, list[int]] = {"import": [], "export": []}
    for t in range(count):
        imported = rows.column(0.0, p.connection.import_limit_kw)
        exported = rows.column(0.0, p.connection.export_limit_kw)
        meter["import"].append(imported)
        meter["export"].append(exported)
        rows.row({**site[t], imported: 1.0, exported: -1.0}, -fixed[t], -fixed[t])
        if energy.imbalance is None:
            buy, sell = energy.import_price_per_mwh[t], (energy.export_price_per_mwh or energy.import_price_per_mwh)[t]
            rows.cost[imported], rows.cost[exported] = buy * h[t], -sell * h[t]
            if sell > buy:
                imports = rows.column(0.0, 1.0, binary=True)
                rows.row({imported: 1.0, imports: -p.connection.import_limit_kw}, -np.inf, 0.0)
                rows.row({exported: 1.0, imports: p.connection.export_limit_kw}, -np.inf, p.connection.export_limit_kw)
        else:
            outcome[ahead[t]] = energy.import_price_per_mwh[t] * h[t]
            more = rows.column(0.0, np.inf, cost=-energy.imbalance.surplus_price_per_mwh[t] * h[t])
            less = rows.column(0.0, np.inf, cost=energy.imbalance.shortfall_price_per_mwh[t] * h[t])
            rows.row({exported: 1.0, imported: -1.0, ahead[t]: -1.0, more: -1.0, less: 1.0}, 0.0, 0.0)
    for entry in p.tariff:
        charge(rows, p, entry, meter[entry.of])
    return outcome
