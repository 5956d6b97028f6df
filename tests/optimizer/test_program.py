"""Stamps become one model, through ports alone; new numbers reach a model that is already loaded."""

from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings

from optimizer.assembly import assemble, asset_parameters, other_parameters
from optimizer.blocks import inlet, scalars, series
from optimizer.compile import compile_block
from optimizer.highs import Ending, Solver
from optimizer.ports import AC_BUS
from optimizer.problem import Energy, Reserve, State
from optimizer.program import Program
from optimizer.search import search
from optimizer.stamp import Stamp
from optimizer.update import update
from tests.sites import battery, load, problem, solar

STEPS = 24


def source(b, _options):
    """Sells up to a limit at a price."""
    scalars(b, "limit_kw", "price_per_mwh")
    b.export_kw = pyo.Var(b.time, bounds=(0, b.limit_kw))
    b.energy = pyo.Expression(b.time, rule=lambda b, t: b.price_per_mwh * b.step_h[t] * b.export_kw[t])


def feeder(b, _options):
    """Carries what is fed in on its own bus to the site's, with a loss, up to a limit."""
    scalars(b, "limit_kw", "efficiency")
    fed_kw = inlet(b, "export_kw")
    b.through_kw = pyo.Var(b.time, bounds=(0, b.limit_kw))
    b.balance = pyo.Constraint(b.time, rule=lambda b, t: fed_kw[t] == b.through_kw[t])
    b.export_kw = pyo.Expression(b.time, rule=lambda b, t: b.efficiency * b.through_kw[t])


def demand(b, _options):
    """What reaches the site's bus must be what is wanted."""
    series(b, "wanted_kw")
    arrived_kw = inlet(b, "export_kw")
    b.balance = pyo.Constraint(b.time, rule=lambda b, t: arrived_kw[t] == b.wanted_kw[t])


def stamp(build, parameters, **buses):
    return Stamp(compile_block(build, None, STEPS), STEPS, parameters, step_h=np.ones(STEPS), **buses)


def test_a_group_carries_power_from_its_own_bus_to_another():
    cheap = stamp(source, {"far": {"limit_kw": 80.0, "price_per_mwh": -10.0}}, bus="feeder 1")
    dear = stamp(source, {"near": {"limit_kw": 80.0, "price_per_mwh": -50.0}}, bus=AC_BUS)
    line = stamp(feeder, {"line": {"limit_kw": 60.0, "efficiency": 0.9}}, bus=AC_BUS, inlet_bus="feeder 1")
    site = stamp(demand, {"site": {"wanted_kw": np.full(STEPS, 70.0)}}, bus="none")
    answer = Solver(Program([cheap, dear, line, site], STEPS).arrays()).run()
    # 60 kW through the line give 54; the other 16 come from the dear source.
    assert answer.cost / 1000 == pytest.approx(STEPS * (60 * 10 + 16 * 50) / 1000)


def test_the_sum_of_a_port_counts_every_block_of_a_stamp():
    many = {f"s{k}": {"limit_kw": 1.0 + k, "price_per_mwh": -10.0 - k} for k in range(5)}
    site = stamp(demand, {"site": {"wanted_kw": np.full(STEPS, 4.0)}}, bus="none")
    answer = Solver(Program([stamp(source, many), site], STEPS).arrays()).run()
    # 1 kW at 10, 2 kW at 11 and 1 kW at 12.
    assert answer.cost / 1000 == pytest.approx(STEPS * (10 + 22 + 12) / 1000)


def test_too_little_on_the_bus_is_infeasible():
    few = stamp(source, {"s": {"limit_kw": 1.0, "price_per_mwh": -10.0}})
    site = stamp(demand, {"site": {"wanted_kw": np.full(STEPS, 4.0)}}, bus="none")
    assert Solver(Program([few, site], STEPS).arrays()).run().ending is Ending.INFEASIBLE


@dataclass(frozen=True)
class Change:
    """A new number for a site that is already loaded."""

    initial_kwh: float
    price: float
    load_kw: float
    sun_kw: float
    import_limit_kw: float
    hold_kw: float
    efficiency: float


changes = st.builds(
    Change,
    st.floats(40, 160),
    st.floats(-80, 200),
    st.floats(0, 60),
    st.floats(0, 90),
    st.floats(200, 400),
    st.floats(0, 20),
    st.sampled_from([0.95, 0.95, 0.95, 0.8]),
)


def changed_site(change: Change):
    prices = [50.0 + 20 * np.cos(k) for k in range(STEPS)]
    prices[7] = change.price
    stores = [battery("a", throughput_cost_per_mwh=3.0, charge_efficiency=change.efficiency), battery("b")]
    return problem(
        [*stores, solar(), load()],
        prices,
        series={"pv1": [change.sun_kw] * STEPS, "load1": [change.load_kw] * STEPS},
        import_limit_kw=change.import_limit_kw,
        reserves=(Reserve("r", "symmetric", (change.hold_kw,) * STEPS, energy_up_h=0.5, energy_down_h=0.5),),
        states={"a": State(change.initial_kwh), "b": State(100.0)},
    )


@settings(deadline=None, max_examples=60)
@given(changes, st.lists(changes, min_size=1, max_size=3))
def test_a_changed_model_answers_like_a_new_one(first, later):
    assembly = assemble(changed_site(first), {})
    solver = Solver(assembly.program.arrays())
    solver.run()
    for change in later:
        now = changed_site(change)
        parameters = {asset.id: asset_parameters(now, asset) for asset in now.assets} | other_parameters(now)
        kinds = set()
        for owner, part in assembly.parts.items():
            kinds |= update(assembly.program, solver, part.stamp, part.block, parameters[owner])
        if "matrix" in kinds:
            solver.load(assembly.program.arrays())
        fresh = Solver(assemble(now, {}).program.arrays()).run()
        # Rows are kept to 1e-7 kW, of which 24 steps at up to 200 per MWh make 5e-4 thousandths of the currency.
        assert solver.run().cost == pytest.approx(fresh.cost, rel=1e-7, abs=1e-3)


def test_a_new_state_of_charge_touches_bounds_only():
    site = problem([battery()], [50.0] * STEPS, states={"bess1": State(100.0)})
    found = search(site)
    part = found.assembly.parts["bess1"]
    now = replace(site, states={"bess1": State(120.0)})
    kinds = update(found.assembly.program, found.solver, part.stamp, 0, asset_parameters(now, now.assets[0]))
    assert kinds == {"bounds"}


def test_a_new_price_touches_cost_only():
    site = problem([battery()], [50.0] * STEPS)
    found = search(site)
    part = found.assembly.parts["energy market"]
    now = replace(site, energy=Energy("e", (60.0,) * STEPS))
    kinds = update(found.assembly.program, found.solver, part.stamp, 0, other_parameters(now)["energy market"])
    assert kinds == {"cost"}
