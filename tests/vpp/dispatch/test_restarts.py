"""A machine that cannot run at what a limit leaves it is not started again every few seconds."""

from dataclasses import replace

import pytest

from tests.snapshots import battery, course, override, snapshot, wants
from tests.vpp.dispatch.stage import Stage
from vpp.control.decide import TURNED_DOWN, decide
from vpp.dispatch.following import Following
from vpp.dispatch.restarts import LEFT_S, Restarts
from vpp.domain.override import Action
from vpp.domain.setpoint import Refusal
from vpp.domain.unit import Connection
from vpp.safety import permits

PUMPS = battery(
    "lake", charge_kw=300.0, discharge_kw=200.0, least_charge_kw=100.0, least_discharge_kw=80.0, charger_count=3
)
"""Three pumps of 100 kW, and a turbine of 80 to 200 kW."""
ELECTROLYSER = battery("loop", charge_kw=300.0, least_charge_kw=30.0, least_discharge_kw=15.0, rest_load_kw=6.0)


@pytest.mark.parametrize(
    ("told_kw", "done_kw"),
    [(-300, -300), (-299, -200), (-250, -200), (-199.9999999, -200), (-99, 0), (0, 0), (79, 0), (80, 80), (200, 200)],
)
def test_pumps_run_whole_and_a_turbine_from_its_lowest_power_on(told_kw, done_kw):
    assert PUMPS.settled_kw(told_kw) == pytest.approx(done_kw, abs=1e-6)


@pytest.mark.parametrize(("told_kw", "done_kw"), [(-300, -300), (-31.5, -31.5), (-29, -6), (-6, -6), (0, -6), (50, 50)])
def test_an_electrolyser_runs_at_any_power_from_its_lowest_on_and_rests_on_standby(told_kw, done_kw):
    assert ELECTROLYSER.settled_kw(told_kw) == done_kw


def test_a_battery_does_what_it_is_told():
    assert [battery().settled_kw(kw) for kw in (-70.0, -0.1, 0.0, 0.1, 70.0)] == [-70.0, -0.1, 0.0, 0.1, 70.0]


def test_a_battery_with_a_standing_load_may_cover_a_part_of_it():
    assert battery(rest_load_kw=6.0).settled_kw(-3.0) == -3.0


def test_a_pump_that_stops_because_less_is_left_than_it_draws_obeys():
    compared = Following(PUMPS, tick_s=1.0)
    compared.permitted(-295.0, 60.0, 0.0)
    for second in range(20):
        compared.measured(-200.0, float(second))
    assert compared.off_by_kw is None
    compared.measured(-300.0, 20.0)
    assert compared.off_by_kw == -100.0


def turned_down(unit, wanted_kw, *, at_s=0.0, **limits):
    """What is left of a wanted power, as the restarts remember it."""
    restarts, site, decision = Restarts([unit]), snapshot([unit], **limits), wants(**{unit.id: wanted_kw})
    restarts.note(decision, permits(site, decision), at_s)
    return restarts


def test_a_pump_that_a_limit_stopped_is_left_at_rest_for_ten_minutes():
    restarts = turned_down(PUMPS, -300.0, at_s=50.0, import_limit_kw=295.0)
    assert restarts.left(50.0 + LEFT_S - 1) == {"lake": (-200.0, 200.0)}
    assert restarts.left(50.0 + LEFT_S) == {}


@pytest.mark.parametrize("limit_kw", [20.0, 3.0])
def test_an_electrolyser_that_a_limit_stopped_rests_on_standby(limit_kw):
    assert turned_down(ELECTROLYSER, -300.0, import_limit_kw=limit_kw).left(1.0) == {"loop": (-6.0, 100.0)}


def test_a_turbine_that_a_limit_stopped_may_pump():
    assert turned_down(PUMPS, 200.0, export_limit_kw=70.0).left(1.0) == {"lake": (-300.0, 0.0)}


@pytest.mark.parametrize(
    ("unit", "wanted_kw", "limits"),
    [
        (PUMPS, -300.0, {}),
        (PUMPS, 200.0, {"export_limit_kw": 90.0}),
        (ELECTROLYSER, -300.0, {"import_limit_kw": 100.0}),
        (battery(), -100.0, {"import_limit_kw": 50.0}),
    ],
    ids=["not narrowed", "a turbine at less", "an electrolyser at less", "a battery"],
)
def test_what_can_run_at_what_is_left_is_not_left_there(unit, wanted_kw, limits):
    assert turned_down(unit, wanted_kw, **limits).left(1.0) == {}


def test_what_is_refused_or_wanted_lower_is_not_turned_down():
    restarts = Restarts([PUMPS])
    restarts.note(wants(lake=-250.0), {"lake": Refusal("lake", "stale")}, 0.0)
    restarts.note(wants(lake=-250.0), permits(snapshot([PUMPS]), wants(lake=-250.0)), 0.0)
    assert restarts.left(1.0) == {}


@pytest.mark.parametrize(("planned_kw", "wanted_kw"), [(-300.0, -200.0), (-100.0, -100.0), (150.0, 150.0)])
def test_a_plan_moves_what_was_turned_down_in_every_direction_but_that(planned_kw, wanted_kw):
    site = replace(snapshot([PUMPS]), turned_down={"lake": (-200.0, 200.0)})
    found = decide(site, course({"lake": [planned_kw]})).setpoints["lake"]
    assert found.export_kw == wanted_kw
    assert (found.why == TURNED_DOWN) == (planned_kw == -300.0)


def test_an_operator_starts_what_was_turned_down():
    order = override(Action.SET_EXPORT_KW, -300.0, "lake")
    site = replace(snapshot([PUMPS], overrides=(order,)), turned_down={"lake": (-200.0, 200.0)})
    assert decide(site, course({"lake": [-100.0]})).setpoints["lake"].export_kw == -300.0


def test_a_pump_that_the_site_leaves_too_little_is_not_told_to_start_again_in_the_next_second():
    stage = Stage(PUMPS, connection=Connection(295.0, 1e6))
    stage.dispatcher.adopt(course({"lake": [-300.0]}), stage.now)
    stage.born()
    stage.tell("lake")
    assert stage.turn().outcome["lake"].export_kw == -295.0
    stage.tell("lake")
    following = stage.turn()
    assert (following.outcome["lake"].export_kw, following.outcome["lake"].why) == (-200.0, TURNED_DOWN)
