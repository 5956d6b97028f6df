"""What every asset is to do: by plan, by an older plan, by rule, or at rest; and what the rule does."""

from dataclasses import replace
from datetime import timedelta
from math import nan

import pytest

from tests.snapshots import NOW, battery, course, in_force, load, override, reading, snapshot, solar
from vpp.control.decide import decide
from vpp.domain.override import Action
from vpp.domain.setpoint import Owner, Setpoint
from vpp.domain.snapshot import InControl
from vpp.domain.telemetry import Verdict


def wanted(decision):
    return {name: setpoint.export_kw for name, setpoint in decision.setpoints.items()}


PLAN = course({"bess1": [-50.0, 60.0, 0.0]})


def test_a_plan_that_covers_now_is_followed_on_the_first_rung():
    decision = decide(snapshot([battery()]), PLAN)
    assert (decision.rung, decision.in_control, wanted(decision)) == (1, InControl.PLAN, {"bess1": -50.0})


def test_the_plan_goes_on_when_planning_fails_one_rung_lower():
    decision = decide(snapshot([battery()], is_planner_well=False), PLAN)
    assert (decision.rung, decision.in_control, wanted(decision)) == (2, InControl.FALLBACK, {"bess1": -50.0})


@pytest.mark.parametrize("plan", [None, course({"bess1": [-50.0]}, start=NOW - timedelta(minutes=15))])
def test_without_a_plan_that_covers_now_the_rule_decides(plan):
    decision = decide(snapshot([load(), battery()], [reading("load1", -30.0), reading("bess1")]), plan)
    assert (decision.rung, decision.in_control, wanted(decision)) == (3, InControl.FALLBACK, {"bess1": 30.0})


@pytest.mark.parametrize("told", [[], [reading("load1", -30.0, verdict=Verdict.STALE)], [reading("load1", nan)]])
def test_without_a_plan_and_without_the_load_everything_is_brought_to_rest(told):
    decision = decide(snapshot([load(), battery()], [*told, reading("bess1", 40.0)]), None)
    assert (decision.rung, decision.in_control, wanted(decision)) == (4, InControl.FALLBACK, {"bess1": 0.0})
    assert decision.setpoints["bess1"].owner is Owner.STOP


def test_nobody_is_in_control_while_nothing_is_heard():
    assert decide(snapshot([battery()], []), PLAN).in_control is InControl.IDLE


def test_an_operator_is_in_control_unless_he_only_limits():
    for action, expected in ((Action.SET_EXPORT_KW, InControl.OVERRIDE), (Action.LIMIT_KW, InControl.PLAN)):
        site = snapshot([battery()], overrides=(override(action, 10.0, "bess1"),))
        assert decide(site, PLAN).in_control is expected


@pytest.mark.parametrize(
    ("after_s", "export_kw"), [(0.0, -50.0), (899.999, -50.0), (900.0, 60.0), (1799.0, 60.0), (1800.0, 0.0)]
)
def test_a_step_holds_from_its_start_up_to_its_end(after_s, export_kw):
    site = replace(snapshot([battery()]), now=NOW + timedelta(seconds=after_s))
    assert wanted(decide(site, PLAN)) == {"bess1": export_kw}


@pytest.mark.parametrize(("after_s", "rung"), [(-1.0, 3), (0.0, 1), (2699.0, 1), (2700.0, 3)])
def test_a_plan_holds_from_its_first_step_up_to_the_end_of_its_last(after_s, rung):
    site = replace(snapshot([battery()]), now=NOW + timedelta(seconds=after_s))
    assert decide(site, PLAN).rung == rung


@pytest.mark.parametrize(("after_s", "export_kw"), [(299.0, -50.0), (300.0, 60.0), (1199.0, 60.0), (1200.0, 0.0)])
def test_the_first_step_may_be_short(after_s, export_kw):
    plan = course({"bess1": [-50.0, 60.0, 0.0]}, first_step_s=300)
    site = replace(snapshot([battery()]), now=NOW + timedelta(seconds=after_s))
    assert wanted(decide(site, plan)) == {"bess1": export_kw}


def test_the_reason_says_what_the_plan_does_and_at_which_price():
    def why(after_s):
        site = replace(snapshot([battery()]), now=NOW + timedelta(seconds=after_s))
        return decide(site, PLAN).setpoints["bess1"].why

    assert why(0) == "plan: charges at 10 EUR/MWh"
    assert why(900) == "plan: discharges at 19 EUR/MWh"
    assert why(1800) == "plan: waits"


def test_a_store_that_draws_no_more_than_its_own_consumption_waits():
    plan, site = course({"bess1": [-2.0, -3.0, -1.0]}), snapshot([battery(rest_load_kw=2.0)])
    found = [decide(replace(site, now=NOW + timedelta(seconds=900 * k)), plan).setpoints["bess1"] for k in range(3)]
    assert [setpoint.export_kw for setpoint in found] == [-2.0, -3.0, -1.0]
    assert [setpoint.why.split(" at ")[0] for setpoint in found] == ["plan: waits", "plan: charges", "plan: discharges"]


def test_generation_is_let_free_unless_the_plan_holds_it_back():
    plan = course({"pv1": [40.0, 40.0]}, curtailed={"pv1": [False, True]})
    site = snapshot([solar(power_kw=100.0)])
    assert decide(site, plan).setpoints["pv1"] == Setpoint("pv1", 100.0, Owner.PLAN, "plan: all there is")
    later = replace(site, now=NOW + timedelta(minutes=15))
    assert decide(later, plan).setpoints["pv1"] == Setpoint("pv1", 40.0, Owner.PLAN, "plan: curtailed")


def test_an_asset_that_the_plan_does_not_know_rests_and_a_load_gets_nothing():
    assert wanted(decide(snapshot([load(), battery("new"), battery()]), PLAN)) == {"new": 0.0, "bess1": -50.0}


def test_a_device_found_running_without_an_owner_is_brought_to_rest_first():
    site = snapshot([battery(), battery("b")], reclaimed=("bess1", "stranger"))
    decision = decide(site, course({"bess1": [-50.0], "b": [20.0]}))
    assert wanted(decision) == {"bess1": 0.0, "b": 20.0}
    assert decision.setpoints["bess1"].owner is Owner.STOP


def by_rule(*told, units=None, **fields):
    assets = units or [load(), solar(), battery("a"), battery("b")]
    return wanted(decide(snapshot(assets, told, **fields), None))


def test_by_rule_stores_cover_what_load_is_left_after_generation():
    told = [reading("load1", -90.0), reading("pv1", 30.0), reading("a"), reading("b")]
    assert by_rule(*told) == {"pv1": 100.0, "a": 30.0, "b": 30.0}


def test_by_rule_stores_take_up_a_surplus():
    told = [reading("load1", -20.0), reading("pv1", 80.0), reading("a"), reading("b")]
    assert by_rule(*told) == {"pv1": 100.0, "a": -30.0, "b": -30.0}


def test_by_rule_the_dearer_store_waits_for_the_cheaper_one():
    units = [load(), battery("a", cost_per_mwh=20.0), battery("b", cost_per_mwh=10.0)]
    told = [reading("load1", -130.0), reading("a"), reading("b")]
    assert by_rule(*told, units=units) == {"a": 30.0, "b": 100.0}


def test_by_rule_an_empty_store_waits_and_a_full_one_does_not_charge():
    units = [load(), battery("a")]
    assert by_rule(reading("load1", -50.0), reading("a", 0.0, 20.0), units=units) == {"a": 0.0}
    units = [solar(), battery("a")]
    assert by_rule(reading("pv1", 50.0), reading("a", 0.0, 180.0), units=units) == {"pv1": 100.0, "a": 0.0}


def test_by_rule_generation_that_is_not_heard_counts_for_nothing_sure():
    # The load takes 90 kW, and the sun may give up to 100: nothing surely has to be covered.
    assert by_rule(reading("load1", -90.0), reading("a"), reading("b")) == {"pv1": 100.0, "a": 0.0, "b": 0.0}
    # At 130 kW, 30 have to be covered however much the sun shines.
    assert by_rule(reading("load1", -130.0), reading("a"), reading("b")) == {"pv1": 100.0, "a": 15.0, "b": 15.0}


def test_by_rule_a_silent_store_leaves_its_part_to_the_others():
    told = [reading("load1", -90.0), reading("pv1", 30.0), reading("b")]
    assert by_rule(*told) == {"pv1": 100.0, "a": 0.0, "b": 60.0}


def test_by_rule_a_store_that_does_nothing_leaves_its_part_to_the_others():
    told = [reading("load1", -90.0), reading("pv1", 30.0), reading("a", 0.0, follows=False), reading("b")]
    assert by_rule(*told)["b"] == 60.0


def test_by_rule_a_store_moves_within_its_ramp():
    units = [load(), battery("a", ramp_kw_per_s=10.0)]
    told = [reading("load1", -90.0), reading("a")]
    assert by_rule(*told, units=units, permits=[in_force("a", 20.0)]) == {"a": 30.0}


def test_by_rule_the_rest_makes_up_for_a_store_that_an_operator_leads():
    # a is made to charge 40 kW, and does; b covers the load, and what a takes.
    units = [load(), battery("a"), battery("b")]
    told = [reading("load1", -30.0), reading("a", -40.0), reading("b")]
    orders = (override(Action.SET_EXPORT_KW, -40.0, "a"),)
    assert by_rule(*told, units=units, overrides=orders) == {"a": -40.0, "b": 70.0}
