"""A plan that is not true is not returned."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.planner import plan
from optimizer.problem import Reserve
from optimizer.verify import verify
from tests.sites import CREATED, battery, load, problem, solar
from vpp.domain.errors import UnverifiedPlanError

STEPS = 24
PRICES = np.round(60 + 45 * np.sin(np.arange(STEPS) / 3), 2)
HOLD = Reserve("hold", "symmetric", (10.0,) * STEPS, energy_up_h=0.5, energy_down_h=0.5, includes_losses=True)


@pytest.fixture(scope="module")
def site():
    store = battery(
        throughput_cost_per_mwh=2.0,
        min_soc_fraction=0.1,
        max_soc_fraction=0.9,
        standing_load_kw=0.5,
        self_discharge_fraction_per_h=0.001,
        daily_discharge_limit_kwh=250.0,
    )
    return problem(
        [store, solar(), solar("fixed", curtailable=False), load()],
        PRICES,
        series={"pv1": [20.0] * STEPS, "fixed": [3.0] * STEPS, "load1": [5.0] * STEPS},
        import_limit_kw=120.0,
        export_limit_kw=110.0,
        reserves=(HOLD,),
    )


@pytest.fixture(scope="module")
def made(site):
    return plan(site, CREATED)


def test_a_true_plan_passes(site, made):
    assert verify(site, made.schedules, made.positions, made.money).worst_violation < 1e-6


def changed(values, step, by):
    return (*values[:step], values[step] + by, *values[step + 1 :])


def with_schedule(made, index, **fields):
    schedules = list(made.schedules)
    schedules[index] = replace(schedules[index], **fields)
    return tuple(schedules)


def flow(made, name, step, by):
    flows = dict(made.schedules[0].flows)
    flows[name] = changed(flows[name], step, by)
    return with_schedule(made, 0, flows=flows)


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lambda m: flow(m, "charge_kw", 3, 0.01), "bess1: export balance"),
        (lambda m: flow(m, "discharge_kw", 3, 0.01), "bess1: energy balance"),
        (lambda m: flow(m, "charge_kw", 3, 1000.0), "bess1: charge power"),
        (lambda m: flow(m, "discharge_kw", 3, 1000.0), "bess1: discharge power"),
        (lambda m: flow(m, "discharge_kw", 3, -1000.0), "bess1: discharge power"),
        (lambda m: flow(m, "discharge_kw", 3, 300.0), "bess1: daily discharge"),
        (lambda m: with_schedule(m, 0, stored_kwh=changed(m.schedules[0].stored_kwh, 5, 0.01)), "energy balance"),
        (lambda m: with_schedule(m, 0, stored_kwh=changed(m.schedules[0].stored_kwh, 5, 500)), "highest stored"),
        (lambda m: with_schedule(m, 0, stored_kwh=changed(m.schedules[0].stored_kwh, 5, -500)), "lowest stored"),
        (lambda m: with_schedule(m, 0, stored_kwh=changed(m.schedules[0].stored_kwh, STEPS - 1, -1)), "at the end"),
        (lambda m: with_schedule(m, 0, up_kw={"hold": (0.0,) * STEPS}), "hold: up"),
        (lambda m: with_schedule(m, 0, down_kw={"hold": (9.0,) * STEPS}), "hold: down"),
        (lambda m: with_schedule(m, 0, up_kw={"hold": (200.0,) * STEPS}), "power for upward reserve"),
        (lambda m: with_schedule(m, 0, down_kw={"hold": (200.0,) * STEPS}), "power for downward reserve"),
        (lambda m: with_schedule(m, 0, up_kw={"hold": (400.0,) * STEPS}), "energy for upward reserve"),
        (lambda m: with_schedule(m, 0, down_kw={"hold": (400.0,) * STEPS}), "room for downward reserve"),
        (lambda m: with_schedule(m, 1, export_kw=changed(m.schedules[1].export_kw, 2, 21)), "pv1: available power"),
        (lambda m: with_schedule(m, 1, export_kw=changed(m.schedules[1].export_kw, 2, -21)), "pv1: power below zero"),
        (lambda m: with_schedule(m, 2, export_kw=changed(m.schedules[2].export_kw, 2, -1)), "fixed: power that cannot"),
        (lambda m: with_schedule(m, 3, export_kw=changed(m.schedules[3].export_kw, 2, 0.01)), "load1: load served"),
        (lambda m: with_schedule(m, 3, export_kw=changed(m.schedules[3].export_kw, 2, 500)), "connection: export"),
        (lambda m: with_schedule(m, 3, export_kw=changed(m.schedules[3].export_kw, 2, -500)), "connection: import"),
        (lambda m: with_schedule(m, 3, export_kw=changed(m.schedules[3].export_kw, 2, np.nan)), "load1: load served"),
    ],
)
def test_a_changed_plan_is_refused_and_the_violation_named(site, made, tamper, told):
    with pytest.raises(UnverifiedPlanError, match=told):
        verify(site, tamper(made), made.positions, made.money)


@pytest.mark.parametrize(("money", "told"), [({"energy": 1.0}, "money: energy"), ({"wear": 0.1}, "money: wear")])
def test_changed_money_is_refused(site, made, money, told):
    wrong = replace(made.money, **{name: getattr(made.money, name) + by for name, by in money.items()})
    with pytest.raises(UnverifiedPlanError, match=told):
        verify(site, made.schedules, made.positions, wrong)


def test_changed_positions_are_refused(site, made):
    wrong = (replace(made.positions[0], cash=made.positions[0].cash + 1), *made.positions[1:])
    with pytest.raises(UnverifiedPlanError, match="money: positions"):
        verify(site, made.schedules, wrong, made.money)


def test_both_directions_at_once_are_refused_unless_they_are_allowed(site, made):
    flows = dict(made.schedules[0].flows)
    flows["charge_kw"] = changed(flows["charge_kw"], 3, 1.0)
    flows["discharge_kw"] = changed(flows["discharge_kw"], 3, 1.0)
    schedules = with_schedule(made, 0, flows=flows)
    with pytest.raises(UnverifiedPlanError, match="at once"):
        verify(site, schedules, made.positions, made.money)
