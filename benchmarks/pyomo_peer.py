"""The peer nearest to a modeller: the fleet written in Pyomo, and Pyomo's own two ways to hand it to HiGHS."""

from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers.highs import Highs as AppsiHighs
from pyomo.contrib.solver.solvers.highs import Highs

from benchmarks.fleet import RESERVE_H, Fleet

TRANSFERS: dict[str, Callable[[], Any]] = {"pyomo.contrib.solver": Highs, "appsi_highs": AppsiHighs}


def written(fleet: Fleet) -> pyo.ConcreteModel:
    """The whole fleet, with its reserve, in one model; cost in thousandths of the currency."""
    m, h, last = pyo.ConcreteModel(), fleet.step_h, fleet.steps - 1
    m.n, m.t = pyo.RangeSet(0, fleet.count - 1), pyo.RangeSet(0, last)
    power, capacity, price, wear = (
        a.tolist() for a in (fleet.power_kw, fleet.capacity_kwh, fleet.price_per_mwh, fleet.wear_per_mwh)
    )
    gained, lost = fleet.charge_efficiency.tolist(), (1 / fleet.discharge_efficiency).tolist()
    m.charge = pyo.Var(m.n, m.t, bounds=lambda _, n, _t: (0, power[n]))
    m.discharge = pyo.Var(m.n, m.t, bounds=lambda _, n, _t: (0, power[n]))
    m.stored = pyo.Var(m.n, m.t, bounds=lambda _, n, t: ((0.5 if t == last else 0.1) * capacity[n], 0.9 * capacity[n]))
    m.up = pyo.Var(m.n, m.t, domain=pyo.NonNegativeReals)
    m.down = pyo.Var(m.n, m.t, domain=pyo.NonNegativeReals)

    @m.Constraint(m.n, m.t)
    def balance(m: Any, n: int, t: int) -> Any:
        before = m.stored[n, t - 1] if t else 0.5 * capacity[n]
        return m.stored[n, t] == before + h * (gained[n] * m.charge[n, t] - lost[n] * m.discharge[n, t])

    @m.Constraint(m.n, m.t)
    def up_power(m: Any, n: int, t: int) -> Any:
        return m.discharge[n, t] - m.charge[n, t] + m.up[n, t] <= power[n]

    @m.Constraint(m.n, m.t)
    def down_power(m: Any, n: int, t: int) -> Any:
        return m.charge[n, t] - m.discharge[n, t] + m.down[n, t] <= power[n]

    @m.Constraint(m.n, m.t)
    def up_energy(m: Any, n: int, t: int) -> Any:
        return m.stored[n, t] - RESERVE_H * m.up[n, t] >= 0.1 * capacity[n]

    @m.Constraint(m.n, m.t)
    def down_energy(m: Any, n: int, t: int) -> Any:
        return m.stored[n, t] + RESERVE_H * m.down[n, t] <= 0.9 * capacity[n]

    @m.Constraint(m.t)
    def meter(m: Any, t: int) -> Any:
        net = sum(m.discharge[n, t] - m.charge[n, t] for n in m.n)
        return pyo.inequality(-fleet.limit_kw, net, fleet.limit_kw)

    m.hold_up = pyo.Constraint(m.t, rule=lambda m, t: sum(m.up[n, t] for n in m.n) >= fleet.hold_kw)
    m.hold_down = pyo.Constraint(m.t, rule=lambda m, t: sum(m.down[n, t] for n in m.n) >= fleet.hold_kw)
    m.cost = pyo.Objective(
        expr=sum(h * (price[t] * m.charge[n, t] + (wear[n] - price[t]) * m.discharge[n, t]) for n in m.n for t in m.t)
    )
    return m


def ready(fleet: Fleet, transfer: str) -> Any:
    """The fleet in a solver, by one of Pyomo's ways, up to the moment when HiGHS could start."""
    solver = TRANSFERS[transfer]()
    solver.set_instance(written(fleet))
    return solver


def best_net(fleet: Fleet) -> float:
    """What the fleet earns, solved through Pyomo."""
    model = written(fleet)
    Highs().solve(model, threads=1, tee=False)
    return -float(pyo.value(model.cost)) / 1000
