"""What holds of every decision, whatever is measured, ordered or planned."""

from dataclasses import replace
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.snapshot_strategies import NAMES, any_snapshot, sound_snapshot
from tests.snapshots import course, override, signal
from vpp.control.decide import decide
from vpp.control.reach import able, reach
from vpp.domain.override import SITE, Action
from vpp.domain.setpoint import Permit
from vpp.domain.unit import Mode
from vpp.safety import permits

kw = st.floats(-1000.0, 1000.0)
always = settings(derandomize=True, deadline=None, max_examples=150)


@st.composite
def plans(draw):
    powers = {name: [draw(kw)] for name in NAMES}
    return course(powers, curtailed={name: [draw(st.booleans())] for name in NAMES})


@always
@given(any_snapshot(), st.none() | plans())
def test_every_controllable_asset_gets_a_set_point_and_the_gate_answers_it(snapshot, plan):
    decision = decide(snapshot, plan)
    assert set(decision.setpoints) == {unit.id for unit in snapshot.units if unit.is_controllable}
    assert decision.rung in (1, 2, 3, 4)
    for answer in permits(snapshot, decision).values():
        assert not isinstance(answer, Permit) or isfinite(answer.export_kw)


@always
@given(any_snapshot(), st.none() | plans())
def test_a_limit_holds_against_every_level_below_it(snapshot, plan):
    decision = decide(snapshot, plan)
    for order in snapshot.overrides:
        is_amount = isinstance(order.value, float) and order.value >= 0
        if (
            order.action is Action.LIMIT_KW
            and is_amount
            and isfinite(order.value)
            and order.asset in decision.setpoints
        ):
            assert not abs(decision.setpoints[order.asset].export_kw) > order.value


@always
@given(any_snapshot(), st.none() | plans())
def test_a_stopped_site_wants_nothing_but_rest(snapshot, plan):
    stopped = replace(snapshot, overrides=(*snapshot.overrides, override(Action.STOP, asset=SITE, since_s=-99.0)))
    assert {setpoint.export_kw for setpoint in decide(stopped, plan).setpoints.values()} <= {0.0}


@always
@given(sound_snapshot(), plans(), kw, st.booleans())
def test_target_residual_and_what_the_assets_do_add_up(snapshot, plan, target_kw, is_signal):
    order = {"signal": signal(target_kw)} if is_signal else {"overrides": (override(Action.SET_EXPORT_KW, target_kw),)}
    site = replace(snapshot, **order)
    decision = decide(site, plan)
    assert decision.target_kw is not None
    total_kw = 0.0
    for unit in site.units:
        low_kw, high_kw = reach(site, unit)
        wanted = decision.setpoints.get(unit.id)
        measured_kw = site.readings[unit.id].telemetry.export_kw
        total_kw += measured_kw if wanted is None else max(low_kw, min(high_kw, wanted.export_kw))
    assert abs(decision.target_kw - decision.residual_kw - total_kw) <= 1e-5


@always
@given(any_snapshot())
def test_what_can_be_reached_in_a_tick_lies_within_what_can_be_kept_up(snapshot):
    for unit in snapshot.units:
        (low_kw, high_kw), (reach_low_kw, reach_high_kw) = able(snapshot, unit), reach(snapshot, unit)
        assert low_kw <= reach_low_kw <= reach_high_kw <= high_kw


@always
@given(sound_snapshot())
def test_the_rule_never_exports_from_a_store_and_never_charges_one_from_the_grid(snapshot):
    at_rest = replace(snapshot, permits={}, units=tuple(replace(u, ramp_kw_per_s=1e9) for u in snapshot.units))
    setpoints = decide(at_rest, None).setpoints
    stores = [unit for unit in at_rest.units if unit.energy_capacity_kwh is not None]
    others_kw = sum(at_rest.readings[unit.id].telemetry.export_kw for unit in at_rest.units if unit not in stores)
    for unit in stores:
        export_kw = setpoints[unit.id].export_kw
        assert export_kw <= max(0.0, -others_kw) + 1e-6
        assert export_kw >= min(0.0, -others_kw) - 1e-6
    stores_kw = sum(setpoints[unit.id].export_kw for unit in stores)
    assert min(0.0, -others_kw) - 1e-6 <= stores_kw <= max(0.0, -others_kw) + 1e-6


@always
@given(any_snapshot(), plans())
def test_the_same_inputs_give_the_same_decision(snapshot, plan):
    assert repr(decide(snapshot, plan)) == repr(decide(snapshot, plan))


@always
@given(any_snapshot(), st.none() | plans())
def test_a_device_in_standby_is_not_told_to_move(snapshot, plan):
    for setpoint in decide(snapshot, plan).setpoints.values():
        assert setpoint.mode is not Mode.STANDBY or setpoint.export_kw == 0.0
