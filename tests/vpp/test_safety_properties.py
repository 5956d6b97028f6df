"""What holds at the gate whatever is wanted, measured or said."""

from dataclasses import replace
from math import inf, isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.snapshot_strategies import any_decision, any_snapshot, sound_decision, sound_snapshot
from vpp.domain.setpoint import Owner, Permit, Setpoint
from vpp.domain.snapshot import Decision, InControl, Snapshot
from vpp.domain.unit import Kind, Mode, Unit
from vpp.safety import permits

FORMING = {Mode.GFM_DROOP, Mode.GFM_VSM, Mode.GFM_ISOCHRONOUS, Mode.BLACK_START}
SLACK_KW = 1e-5
gate = settings(derandomize=True, deadline=None, max_examples=200)


def permitted(snapshot: Snapshot, decision: Decision) -> dict[str, Permit]:
    return {name: p for name, p in permits(snapshot, decision).items() if isinstance(p, Permit)}


def unit_of(snapshot: Snapshot, name: str) -> Unit:
    return next(unit for unit in snapshot.units if unit.id == name)


@gate
@given(any_snapshot(), any_decision())
def test_every_set_point_of_a_controllable_asset_gets_exactly_one_answer(snapshot, decision):
    controllable = {unit.id for unit in snapshot.units if unit.is_controllable}
    assert set(permits(snapshot, decision)) == controllable & set(decision.setpoints)


@gate
@given(any_snapshot(), any_decision())
def test_a_permit_is_a_number_inside_what_the_device_can_do(snapshot, decision):
    for name, permit in permitted(snapshot, decision).items():
        unit, told = unit_of(snapshot, name), snapshot.readings[name].fresh
        assert told is not None
        assert isfinite(permit.export_kw)
        assert -unit.charge_kw <= permit.export_kw <= unit.discharge_kw
        if told.limits is not None and unit.kind is not Kind.GENERATION:
            assert -told.limits.charge_kw <= permit.export_kw <= told.limits.discharge_kw
        assert (permit.lease_s, permit.ramp_kw_per_s) == (snapshot.lease_s, unit.ramp_kw_per_s)


@gate
@given(any_snapshot(), any_decision())
def test_a_store_that_obeys_for_its_whole_lease_stays_in_its_window_or_moves_towards_it(snapshot, decision):
    for name, permit in permitted(snapshot, decision).items():
        unit, told = unit_of(snapshot, name), snapshot.readings[name].fresh
        if unit.kind is not Kind.STORAGE or told is None or told.stored_kwh is None:
            continue
        assert unit.floor_kwh is not None
        assert unit.ceiling_kwh is not None
        hours = permit.lease_s / 3600
        charged_kwh = max(0.0, -permit.export_kw) * unit.charge_efficiency * hours
        taken_kwh = max(0.0, permit.export_kw) / unit.discharge_efficiency * hours
        end_kwh, slack_kwh = told.stored_kwh + charged_kwh - taken_kwh, 1e-9 * (1 + abs(told.stored_kwh))
        assert min(unit.floor_kwh, told.stored_kwh) - slack_kwh <= end_kwh
        assert end_kwh <= max(unit.ceiling_kwh, told.stored_kwh) + slack_kwh


@gate
@given(any_snapshot(), any_decision())
def test_a_forming_unit_is_never_told_to_follow_and_never_narrowed_to_zero(snapshot, decision):
    for name, permit in permitted(snapshot, decision).items():
        told, wanted = snapshot.readings[name].fresh, decision.setpoints[name]
        assert told is not None
        assert permit.mode in FORMING or told.mode not in FORMING
        if permit.mode in FORMING and permit.export_kw == 0:
            assert wanted.export_kw == 0 or permit.narrowed_by == "ramp"


@gate
@given(sound_snapshot(), sound_decision())
def test_a_permit_moves_no_faster_than_its_ramp_unless_a_limit_of_the_device_demands_it(snapshot, decision):
    for name, permit in permitted(snapshot, decision).items():
        unit, told = unit_of(snapshot, name), snapshot.readings[name].telemetry
        last_kw = snapshot.permits[name].export_kw if name in snapshot.permits else told.export_kw
        starts_kw = [last_kw, told.export_kw] if unit.kind is Kind.GENERATION else [last_kw]
        span_kw = unit.ramp_kw_per_s * snapshot.tick_s
        is_slow = min(starts_kw) - span_kw <= permit.export_kw <= max(starts_kw) + span_kw
        assert is_slow or permit.export_kw == pytest.approx(nearer_zero_kw(unit, told.stored_kwh, last_kw))


def nearer_zero_kw(unit: Unit, stored_kwh: float | None, last_kw: float) -> float:
    """The last power, as far as a store's window leaves it for a lease of a minute."""
    if stored_kwh is None or unit.floor_kwh is None or unit.ceiling_kwh is None:
        return last_kw
    highest_kw = (stored_kwh - unit.floor_kwh) * unit.discharge_efficiency * 60
    lowest_kw = -(unit.ceiling_kwh - stored_kwh) / unit.charge_efficiency * 60
    return min(highest_kw, max(lowest_kw, last_kw))


@gate
@given(sound_snapshot(), sound_decision())
def test_what_is_permitted_equals_what_is_wanted_or_a_limit_is_named(snapshot, decision):
    for name, permit in permitted(snapshot, decision).items():
        assert permit.export_kw == decision.setpoints[name].export_kw or permit.narrowed_by is not None


def delivered_kw(snapshot: Snapshot, permits_: dict[str, Permit], sun: float) -> float:
    """What the site exports when every device obeys, and generation gives a share of what it may at most."""
    total_kw = 0.0
    for unit in snapshot.units:
        measured_kw = snapshot.readings[unit.id].telemetry.export_kw
        if unit.id not in permits_:
            total_kw += measured_kw
        elif unit.kind is Kind.GENERATION:
            brightest_kw = max(measured_kw, permits_[unit.id].export_kw)
            total_kw += min(permits_[unit.id].export_kw, measured_kw + sun * (brightest_kw - measured_kw))
        else:
            total_kw += permits_[unit.id].export_kw
    return total_kw


def furthest_kw(snapshot: Snapshot, direction: int) -> float:
    """The least that the site can be brought to export (1) or import (-1), each asset by itself as far as it goes."""
    rest = replace(snapshot.connection, import_limit_kw=inf, export_limit_kw=inf)
    extreme = {u.id: Setpoint(u.id, -direction * 1e6, Owner.PLAN, "") for u in snapshot.units if u.is_controllable}
    allowed = permitted(replace(snapshot, connection=rest), Decision(InControl.PLAN, 1, extreme))
    return direction * delivered_kw(snapshot, allowed, 0.0)


@settings(gate, max_examples=400)
@given(sound_snapshot(), sound_decision(), st.sampled_from([0.0, 0.5, 1.0]))
def test_a_site_that_obeys_stays_inside_its_connection_wherever_its_assets_can_bring_it_there(snapshot, decision, sun):
    total_kw = delivered_kw(snapshot, permitted(snapshot, decision), sun)
    export_kw, import_kw = snapshot.connection.export_limit_kw, snapshot.connection.import_limit_kw
    if furthest_kw(snapshot, 1) <= export_kw:
        assert total_kw <= export_kw + SLACK_KW
    if furthest_kw(snapshot, -1) <= import_kw:
        assert -total_kw <= import_kw + SLACK_KW


@gate
@given(sound_snapshot(), sound_decision())
def test_permitting_what_was_permitted_changes_nothing(snapshot, decision):
    first = permitted(snapshot, decision)
    again = {name: Setpoint(name, p.export_kw, p.owner, p.why, p.mode) for name, p in first.items()}
    second = permitted(snapshot, Decision(InControl.PLAN, 1, again))
    assert {name: p.export_kw for name, p in second.items()} == {
        name: pytest.approx(p.export_kw, abs=SLACK_KW) for name, p in first.items()
    }


@gate
@given(sound_snapshot(), sound_decision(), st.sampled_from("abcd"))
def test_an_asset_falling_silent_is_refused_and_pushes_nobody_past_zero(snapshot, decision, silent):
    told = {name: r for name, r in snapshot.readings.items() if name != silent}
    if len(told) == len(snapshot.readings):
        return
    answers = permits(replace(snapshot, readings=told), decision)
    assert not isinstance(answers.get(silent), Permit)
    alone = replace(snapshot, connection=replace(snapshot.connection, import_limit_kw=inf, export_limit_kw=inf))
    free = permitted(alone, decision)
    for name, permit in answers.items():
        if isinstance(permit, Permit):
            assert min(0.0, free[name].export_kw) - SLACK_KW <= permit.export_kw
            assert permit.export_kw <= max(0.0, free[name].export_kw) + SLACK_KW
