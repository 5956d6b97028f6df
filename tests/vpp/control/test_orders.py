"""What operators and the market make of what is wanted."""

from math import nan

import pytest

from tests.snapshots import battery, course, in_force, limits, load, override, reading, signal, snapshot, solar
from vpp.control.decide import decide
from vpp.domain.override import Action
from vpp.domain.setpoint import Owner
from vpp.domain.snapshot import InControl
from vpp.domain.telemetry import Verdict
from vpp.domain.unit import Mode

TWO = [battery("a"), battery("b")]
PLAN = course({"a": [40.0], "b": [-20.0]})


def decided(*orders, units=TWO, told=None, plan=PLAN, **fields):
    return decide(snapshot(units, told, overrides=orders, **fields), plan)


def wanted(decision):
    return {name: setpoint.export_kw for name, setpoint in decision.setpoints.items()}


def test_an_order_replaces_the_plan_of_its_asset_only():
    decision = decided(override(Action.SET_EXPORT_KW, -70.0, "a"))
    assert wanted(decision) == {"a": -70.0, "b": -20.0}
    assert decision.setpoints["a"].owner is Owner.OVERRIDE
    assert decision.setpoints["a"].why == "operator ada: a test"
    assert decision.setpoints["b"].owner is Owner.PLAN
    assert (decision.in_control, decision.rung) == (InControl.OVERRIDE, 1)


def test_without_an_order_automatic_operation_is_back():
    assert wanted(decided()) == {"a": 40.0, "b": -20.0}
    assert decided().in_control is InControl.PLAN


@pytest.mark.parametrize(("limit_kw", "a_kw", "b_kw"), [(30.0, 30.0, -20.0), (10.0, 10.0, -10.0), (0.0, 0.0, 0.0)])
def test_a_limit_narrows_both_directions(limit_kw, a_kw, b_kw):
    decision = decided(override(Action.LIMIT_KW, limit_kw, "a"), override(Action.LIMIT_KW, limit_kw, "b"))
    assert wanted(decision) == {"a": a_kw, "b": b_kw}


def test_a_limit_that_does_not_bind_leaves_the_plan_its_owner():
    assert decided(override(Action.LIMIT_KW, 40.0, "a")).setpoints["a"].owner is Owner.PLAN


@pytest.mark.parametrize("since_s", [-5.0, 5.0])
def test_a_limit_narrows_an_order_whichever_came_first(since_s):
    orders = override(Action.SET_EXPORT_KW, 90.0, "a"), override(Action.LIMIT_KW, 60.0, "a", since_s=since_s)
    assert wanted(decided(*orders))["a"] == 60.0


@pytest.mark.parametrize("value", [nan, -5.0, None, "much"])
def test_a_limit_that_is_no_amount_leaves_nothing(value):
    assert wanted(decided(override(Action.LIMIT_KW, value, "a")))["a"] == 0.0


def test_a_stop_brings_its_asset_to_rest():
    assert wanted(decided(override(Action.STOP, asset="b"))) == {"a": 40.0, "b": 0.0}


def test_the_latest_of_two_orders_wins():
    stop, go = override(Action.STOP, asset="a", since_s=1.0), override(Action.SET_EXPORT_KW, 90.0, "a", since_s=2.0)
    assert wanted(decided(go, stop))["a"] == 90.0
    stop, go = override(Action.STOP, asset="a", since_s=3.0), override(Action.SET_EXPORT_KW, 90.0, "a", since_s=2.0)
    assert wanted(decided(stop, go))["a"] == 0.0


def test_a_mode_is_set_beside_the_planned_power():
    setpoint = decided(override(Action.SET_MODE, "gfm_droop", "a")).setpoints["a"]
    assert (setpoint.mode, setpoint.export_kw, setpoint.owner) == (Mode.GFM_DROOP, 40.0, Owner.OVERRIDE)


def test_an_unknown_mode_changes_nothing():
    assert decided(override(Action.SET_MODE, "warp", "a")).setpoints["a"] == decided().setpoints["a"]


def test_standby_is_rest_and_no_target_moves_it():
    orders = override(Action.SET_MODE, "standby", "a"), override(Action.SET_EXPORT_KW, 50.0)
    decision = decided(*orders)
    assert wanted(decision) == {"a": 0.0, "b": 50.0}
    assert decision.setpoints["a"].mode is Mode.STANDBY


def test_one_word_stops_the_site_whatever_else_is_ordered():
    orders = [
        override(Action.SET_EXPORT_KW, 90.0, "a", since_s=5.0),
        override(Action.SET_EXPORT_KW, 70.0, since_s=6.0),
        override(Action.STOP),
    ]
    units = [*TWO, solar(), load()]
    decision = decided(*orders, units=units, signal=signal(10.0))
    assert wanted(decision) == {"a": 0.0, "b": 0.0, "pv1": 0.0}
    assert (decision.in_control, decision.rung) == (InControl.OVERRIDE, 4)
    assert {setpoint.owner for setpoint in decision.setpoints.values()} == {Owner.STOP}


def test_a_target_of_the_site_is_shared_by_cost_and_headroom():
    # 150 kW at the meter, beside a load of 30: the cheap store goes to its 100 kW, the others share 80 by their room.
    units = [load(), battery("a", 40.0), battery("b", 120.0), battery("cheap", cost_per_mwh=-1.0)]
    told = [reading("load1", -30.0), reading("a"), reading("b"), reading("cheap")]
    decision = decided(override(Action.SET_EXPORT_KW, 150.0), units=units, told=told, plan=course({}))
    assert wanted(decision) == {"a": 20.0, "b": 60.0, "cheap": 100.0}
    assert (decision.target_kw, decision.residual_kw) == (150.0, 0.0)
    assert decision.setpoints["a"].owner is Owner.OVERRIDE


def test_what_no_asset_can_deliver_is_reported():
    decision = decided(override(Action.SET_EXPORT_KW, 500.0))
    assert wanted(decision) == {"a": 100.0, "b": 100.0}
    assert decision.residual_kw == 300.0
    decision = decided(override(Action.SET_EXPORT_KW, -500.0))
    assert wanted(decision) == {"a": -100.0, "b": -100.0}
    assert decision.residual_kw == -300.0


def test_a_target_respects_what_a_device_can_do_now_and_the_energy_it_has():
    told = [reading("a", limits=limits(100.0, 25.0)), reading("b", 0.0, 20.5)]
    decision = decided(override(Action.SET_EXPORT_KW, 500.0), told=told)
    assert wanted(decision) == {"a": 25.0, "b": pytest.approx(30.0)}
    assert decision.residual_kw == pytest.approx(445.0)


def test_a_target_leaves_an_asset_alone_that_has_an_order_of_its_own_and_counts_it_in():
    orders = override(Action.SET_EXPORT_KW, 80.0), override(Action.SET_EXPORT_KW, 30.0, "a")
    assert wanted(decided(*orders)) == {"a": 30.0, "b": 50.0}
    orders = override(Action.SET_EXPORT_KW, 80.0), override(Action.STOP, asset="a")
    assert wanted(decided(*orders)) == {"a": 0.0, "b": 80.0}


def test_a_target_stays_within_an_operators_limit_on_an_asset():
    orders = override(Action.SET_EXPORT_KW, 120.0), override(Action.LIMIT_KW, 35.0, "a")
    assert wanted(decided(*orders)) == {"a": 35.0, "b": 85.0}


def test_a_device_above_its_limit_that_does_not_follow_is_told_its_limit_and_counted_at_what_it_does():
    told = [reading("a", 60.0, follows=False), reading("b")]
    orders = override(Action.SET_EXPORT_KW, 120.0), override(Action.LIMIT_KW, 35.0, "a")
    assert wanted(decided(*orders, told=told)) == {"a": 35.0, "b": 60.0}


def test_a_target_leaves_a_device_alone_that_is_being_brought_to_rest():
    assert wanted(decided(override(Action.SET_EXPORT_KW, 80.0), reclaimed=("a",))) == {"a": 0.0, "b": 80.0}


def test_a_target_starts_from_the_plan():
    # The plan comes to 20 kW; 20 more are taken from a with 60 kW of room, and b with 120.
    assert wanted(decided(override(Action.SET_EXPORT_KW, 38.0))) == {"a": 46.0, "b": -8.0}


def test_a_target_holds_generation_back_only_where_it_is_too_much():
    units, told = [solar(), battery("a")], [reading("pv1", 60.0), reading("a", 0.0, 180.0)]
    plan = course({"pv1": [60.0], "a": [0.0]}, curtailed={"pv1": [False]})
    decision = decided(override(Action.SET_EXPORT_KW, 90.0), units=units, told=told, plan=plan)
    assert wanted(decision) == {"pv1": 100.0, "a": 30.0}
    # 24 kW too much: pv1 has 60 kW to give back and a, which can charge no more, nothing.
    decision = decided(override(Action.SET_EXPORT_KW, 36.0), units=units, told=told, plan=plan)
    assert wanted(decision) == {"pv1": 36.0, "a": 0.0}


def test_a_target_lets_generation_free_that_the_plan_holds_back():
    plan = course({"pv1": [10.0]}, curtailed={"pv1": [True]})
    decision = decided(override(Action.SET_EXPORT_KW, 500.0), units=[solar()], told=[reading("pv1", 60.0)], plan=plan)
    assert wanted(decision) == {"pv1": 60.0}
    assert decision.residual_kw == 440.0


def test_a_signal_adds_to_the_plan_at_the_meter():
    units = [load(), *TWO]
    told = [reading("load1", -30.0), reading("a"), reading("b")]
    decision = decided(units=units, told=told, signal=signal(18.0))
    assert wanted(decision) == {"a": 46.0, "b": -8.0}
    assert (decision.target_kw, decision.residual_kw) == (8.0, 0.0)
    assert decision.setpoints["a"].owner is Owner.SIGNAL
    assert decision.setpoints["a"].why == "signal of regulation"
    assert decision.in_control is InControl.PLAN


def test_an_order_for_the_site_wins_over_a_signal():
    assert decided(override(Action.SET_EXPORT_KW, 38.0), signal=signal(500.0)).target_kw == 38.0


def test_a_signal_is_followed_only_beside_a_plan():
    assert decided(plan=None, signal=signal(50.0)).target_kw is None
    assert decided(signal=signal(50.0), is_planner_well=False).target_kw == 70.0


def test_a_signal_that_is_no_number_is_not_followed():
    assert decided(signal=signal(nan)) == decided()


def test_a_paused_market_follows_neither_plan_nor_signal():
    decision = decided(override(Action.PAUSE_MARKET), signal=signal(50.0))
    assert (decision.rung, decision.target_kw, wanted(decision)) == (3, None, {"a": 0.0, "b": 0.0})


def test_a_silent_asset_is_counted_for_nothing():
    told = [reading("a", 70.0, verdict=Verdict.STALE), reading("b")]
    decision = decided(override(Action.SET_EXPORT_KW, 120.0), told=told)
    assert (wanted(decision)["b"], decision.residual_kw) == (100.0, 20.0)


def test_a_device_that_does_not_follow_is_counted_at_what_it_does():
    told, last = [reading("a", 10.0, follows=False), reading("b")], [in_force("a", 90.0)]
    assert wanted(decided(override(Action.SET_EXPORT_KW, 80.0), told=told, permits=last)) == {"a": 10.0, "b": 70.0}
