"""What the gate makes of one asset's set-point, with numbers checked by hand."""

from dataclasses import replace
from math import inf, nan

import pytest

from tests.snapshots import NOW, battery, in_force, limits, load, reading, snapshot, solar, telemetry, wants
from vpp.domain.setpoint import Owner, Permit, Refusal, Setpoint
from vpp.domain.snapshot import Decision, InControl
from vpp.domain.telemetry import Reading, Verdict
from vpp.domain.unit import Mode
from vpp.safety import permits

NOT_HEARD = "its telemetry is missing, stale or suspect"
NOT_A_NUMBER = "the set-point is not a number"
NOT_KNOWN = "its limits or its stored energy are not known"
FORMS = "it forms the grid, and is left to its own control"


def answer(unit, told, wanted_kw, mode=Mode.GFL, **fields):
    """The gate's answer for a single asset."""
    return permits(snapshot([unit], [told], **fields), wants(mode, **{unit.id: wanted_kw}))[unit.id]


def outcome(unit, told, wanted_kw, **fields):
    """Permitted power and the limit that narrowed it."""
    permit = answer(unit, told, wanted_kw, **fields)
    assert isinstance(permit, Permit), permit
    return permit.export_kw, permit.narrowed_by


def test_a_wanted_power_inside_all_limits_is_permitted_as_it_is():
    wanted = Decision(InControl.PLAN, 1, {"bess1": Setpoint("bess1", 60.0, Owner.SIGNAL, "asked for", Mode.STANDBY)})
    site = snapshot([battery(ramp_kw_per_s=80.0)], [reading("bess1")], lease_s=45.0)
    assert permits(site, wanted) == {
        "bess1": Permit("bess1", 60.0, Mode.STANDBY, 45.0, 80.0, Owner.SIGNAL, "asked for", None)
    }


@pytest.mark.parametrize(
    ("wanted_kw", "permitted"),
    [
        (99.0, (99.0, None)),
        (100.0, (100.0, None)),
        (101.0, (100.0, "discharge power")),
        (-50.0, (-50.0, None)),
        (-51.0, (-50.0, "charge power")),
    ],
)
def test_a_permit_stays_within_the_rating(wanted_kw, permitted):
    assert outcome(battery(charge_kw=50.0), reading("bess1"), wanted_kw) == permitted


@pytest.mark.parametrize(
    ("wanted_kw", "permitted"),
    [(90.0, (40.0, "discharge power now")), (40.0, (40.0, None)), (-90.0, (-30.0, "charge power now"))],
)
def test_what_the_device_can_do_now_is_harder_than_its_rating(wanted_kw, permitted):
    assert outcome(battery(), reading("bess1", limits=limits(30.0, 40.0)), wanted_kw) == permitted


def test_a_ceiling_of_generation_stays_where_it_is_when_clouds_come():
    assert outcome(solar(), reading("pv1", 20.0, limits=limits(0.0, 20.0)), 80.0) == (80.0, None)


def test_live_limits_above_the_rating_do_not_widen_it():
    assert outcome(battery(), reading("bess1", limits=limits(500.0, 500.0)), 400.0) == (100.0, "discharge power")
    assert outcome(battery(), reading("bess1", limits=limits(500.0, 500.0)), -400.0) == (-100.0, "charge power")


@pytest.mark.parametrize(
    ("wanted_kw", "permitted"),
    [(50.0, (30.0, "ramp")), (30.0, (30.0, None)), (-50.0, (10.0, "ramp")), (10.0, (10.0, None))],
)
def test_a_permit_moves_no_faster_than_the_ramp_from_the_last_one(wanted_kw, permitted):
    unit, last = battery(ramp_kw_per_s=5.0), in_force("bess1", 20.0)
    assert outcome(unit, reading("bess1", 90.0), wanted_kw, permits=[last], tick_s=2.0) == permitted


def test_the_ramp_starts_at_the_measured_power_where_nothing_was_permitted():
    assert outcome(battery(ramp_kw_per_s=5.0), reading("bess1", 40.0), 90.0) == (45.0, "ramp")


def test_the_ramp_starts_at_the_measured_power_of_a_device_that_does_not_follow():
    told, last = reading("bess1", 40.0, follows=False), in_force("bess1", 90.0)
    assert outcome(battery(ramp_kw_per_s=5.0), told, 95.0, permits=[last]) == (45.0, "ramp")


def test_a_ramp_of_zero_holds_the_power():
    assert outcome(battery(ramp_kw_per_s=0.0), reading("bess1", 40.0), 90.0) == (40.0, "ramp")


@pytest.mark.parametrize(
    ("wanted_kw", "permitted"), [(0.0, (150.0, "ramp")), (390.0, (390.0, None)), (500.0, (410.0, "ramp"))]
)
def test_a_ceiling_of_generation_may_come_down_to_what_it_delivers_at_once(wanted_kw, permitted):
    unit, last = solar(power_kw=1000.0, ramp_kw_per_s=10.0), in_force("pv1", 400.0)
    assert outcome(unit, reading("pv1", 160.0, None), wanted_kw, permits=[last]) == permitted


def test_a_limit_wins_over_the_ramp():
    unit, told = battery(ramp_kw_per_s=5.0), reading("bess1", 90.0, limits=limits(100.0, 40.0))
    assert outcome(unit, told, 90.0) == (40.0, "discharge power now")
    assert outcome(unit, told, 20.0) == (40.0, "ramp")


def test_a_limit_wins_over_the_ramp_of_a_charging_device():
    unit, told = battery(ramp_kw_per_s=5.0), reading("bess1", -90.0, limits=limits(40.0, 100.0))
    assert outcome(unit, told, -90.0) == (-40.0, "charge power now")
    assert outcome(unit, told, -20.0) == (-40.0, "ramp")


def test_discharging_ends_where_the_lease_would_pass_the_lowest_stored_energy():
    # 1 kWh above the floor of 20 kWh, of which 0.8 reach the terminals, within 60 s: 48 kW.
    unit = battery(discharge_efficiency=0.8, charge_efficiency=0.5)
    assert outcome(unit, reading("bess1", 0.0, 21.0), 90.0) == (pytest.approx(48.0), "lowest stored energy")
    assert outcome(unit, reading("bess1", 0.0, 21.0), 47.9) == (47.9, None)


def test_charging_ends_where_the_lease_would_pass_the_highest_stored_energy():
    # 0.5 kWh below the ceiling of 180 kWh, which takes 0.625 kWh at the terminals, within 60 s: 37.5 kW.
    unit = battery(charge_efficiency=0.8, discharge_efficiency=0.5)
    assert outcome(unit, reading("bess1", 0.0, 179.5), -90.0) == (pytest.approx(-37.5), "highest stored energy")
    assert outcome(unit, reading("bess1", 0.0, 179.5), -37.4) == (-37.4, None)


def test_the_window_is_held_for_the_length_of_the_lease():
    assert outcome(battery(), reading("bess1", 0.0, 21.0), 90.0, lease_s=120.0)[0] == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("stored_kwh", "wanted_kw", "permitted"),
    [
        (10.0, 50.0, (0.0, "lowest stored energy")),
        (10.0, -50.0, (-50.0, None)),
        (-1.0, -50.0, (-50.0, None)),
        (190.0, -50.0, (0.0, "highest stored energy")),
        (190.0, 50.0, (50.0, None)),
    ],
)
def test_a_store_outside_its_window_moves_towards_it_only(stored_kwh, wanted_kw, permitted):
    assert outcome(battery(), reading("bess1", 0.0, stored_kwh), wanted_kw) == permitted


def test_an_empty_store_that_discharges_is_stopped_whatever_its_ramp():
    unit = battery(ramp_kw_per_s=1.0)
    assert outcome(unit, reading("bess1", 80.0, 10.0), 80.0) == (0.0, "lowest stored energy")


def test_generation_needs_no_stored_energy():
    assert outcome(solar(), reading("pv1", 30.0, None), 70.0) == (70.0, None)


def test_a_zero_is_never_negative():
    assert str(outcome(solar(), reading("pv1", 30.0, None), -5.0)[0]) == "0.0"
    assert str(outcome(battery(), reading("bess1", 0.0, 10.0), 50.0)[0]) == "0.0"


@pytest.mark.parametrize("verdict", [Verdict.MISSING, Verdict.STALE, Verdict.SUSPECT])
def test_telemetry_that_may_not_be_used_is_refused(verdict):
    assert answer(battery(), reading("bess1", verdict=verdict), 10.0) == Refusal("bess1", NOT_HEARD)


def test_a_device_that_was_never_heard_is_refused():
    wanted = wants(bess1=10.0)
    assert permits(snapshot([battery()], []), wanted) == {"bess1": Refusal("bess1", NOT_HEARD)}
    nothing = replace(snapshot([battery()]), readings={"bess1": Reading(Verdict.FRESH, None)})
    assert permits(nothing, wanted) == {"bess1": Refusal("bess1", NOT_HEARD)}


@pytest.mark.parametrize("measured_kw", [nan, inf, -inf])
def test_a_measured_power_that_is_no_number_is_refused(measured_kw):
    assert answer(battery(), reading("bess1", measured_kw), 10.0) == Refusal("bess1", NOT_HEARD)


@pytest.mark.parametrize("wanted_kw", [nan, inf, -inf])
def test_a_set_point_that_is_no_number_is_refused(wanted_kw):
    assert answer(battery(), reading("bess1"), wanted_kw) == Refusal("bess1", NOT_A_NUMBER)


@pytest.mark.parametrize("stored_kwh", [None, nan, inf, -inf])
def test_a_store_whose_energy_is_not_known_is_refused(stored_kwh):
    assert answer(battery(), reading("bess1", 0.0, stored_kwh), 10.0) == Refusal("bess1", NOT_KNOWN)


@pytest.mark.parametrize(
    "fields",
    [
        *({"charge_kw": value} for value in (nan, inf, -1.0)),
        *({"discharge_kw": value} for value in (nan, inf, -1.0)),
        *({"floor_kwh": value} for value in (None, nan, inf, -inf)),
        *({"ceiling_kwh": value} for value in (None, nan, inf, -inf)),
        *({"charge_efficiency": value} for value in (nan, 0.0, -1.0)),
        *({"discharge_efficiency": value} for value in (nan, 0.0, -1.0)),
        *({"ramp_kw_per_s": value} for value in (nan, -1.0)),
    ],
    ids=str,
)
def test_a_unit_whose_limits_make_no_sense_is_refused(fields):
    assert answer(battery(**fields), reading("bess1"), 10.0) == Refusal("bess1", NOT_KNOWN)


@pytest.mark.parametrize("fields", [{"charge_kw": nan}, {"discharge_kw": nan}], ids=str)
def test_live_limits_do_not_stand_in_for_a_rating_that_is_not_known(fields):
    assert answer(battery(**fields), reading("bess1", limits=limits(50.0, 50.0)), 10.0) == Refusal("bess1", NOT_KNOWN)


@pytest.mark.parametrize("value", [nan, inf, -1.0])
def test_live_limits_that_make_no_sense_are_refused(value):
    for live in (limits(value, 50.0), limits(50.0, value)):
        assert answer(battery(), reading("bess1", limits=live), 10.0) == Refusal("bess1", NOT_KNOWN)


def test_limits_of_zero_are_limits():
    assert outcome(battery(), reading("bess1", limits=limits(0.0, 50.0)), -10.0) == (0.0, "charge power now")
    assert outcome(battery(), reading("bess1", limits=limits(50.0, 0.0)), 10.0) == (0.0, "discharge power now")


@pytest.mark.parametrize("fields", [{"lease_s": 0.0}, {"lease_s": -1.0}, {"lease_s": nan}, {"tick_s": nan}], ids=str)
def test_times_that_make_no_sense_are_refused(fields):
    assert answer(battery(), reading("bess1"), 10.0, **fields) == Refusal("bess1", NOT_KNOWN)


@pytest.mark.parametrize("last_kw", [nan, inf, -inf])
def test_a_last_permit_that_is_no_number_is_refused(last_kw):
    last = in_force("bess1", last_kw)
    assert answer(battery(), reading("bess1"), 10.0, permits=[last]) == Refusal("bess1", NOT_KNOWN)


def test_a_last_ceiling_of_generation_that_is_no_number_is_refused():
    assert answer(solar(), reading("pv1", 30.0, None), 10.0, permits=[in_force("pv1", nan)]) == Refusal(
        "pv1", NOT_KNOWN
    )


@pytest.mark.parametrize("forming", [Mode.GFM_DROOP, Mode.GFM_VSM, Mode.GFM_ISOCHRONOUS, Mode.BLACK_START])
@pytest.mark.parametrize("wanted", [Mode.GFL, Mode.STANDBY])
def test_a_forming_unit_is_never_told_to_follow(forming, wanted):
    assert answer(battery(), reading("bess1", mode=forming), 0.0, wanted) == Refusal("bess1", FORMS)


@pytest.mark.parametrize("forming", [Mode.GFM_DROOP, Mode.GFM_VSM, Mode.GFM_ISOCHRONOUS, Mode.BLACK_START])
def test_a_forming_unit_is_left_alone_rather_than_narrowed_to_zero(forming):
    empty, full = reading("bess1", 40.0, 10.0, mode=forming), reading("bess1", -40.0, 190.0, mode=forming)
    assert answer(battery(), empty, 50.0, forming) == Refusal("bess1", FORMS)
    assert answer(battery(), full, -50.0, forming) == Refusal("bess1", FORMS)


def test_a_forming_unit_may_be_narrowed_short_of_zero_and_told_zero_where_that_is_wanted():
    told = reading("bess1", 40.0, mode=Mode.GFM_DROOP)
    assert outcome(battery(), told, 150.0, mode=Mode.GFM_DROOP) == (100.0, "discharge power")
    assert outcome(battery(), told, 0.0, mode=Mode.GFM_DROOP) == (0.0, None)


def test_the_ramp_may_take_a_forming_unit_through_zero():
    told = reading("bess1", 10.0, mode=Mode.GFM_VSM)
    assert outcome(battery(ramp_kw_per_s=10.0), told, -50.0, mode=Mode.GFM_VSM) == (0.0, "ramp")


def test_a_following_unit_is_narrowed_to_zero():
    assert outcome(battery(), reading("bess1", 40.0, 10.0), 50.0) == (0.0, "lowest stored energy")


def test_a_following_unit_may_be_told_to_form():
    assert answer(battery(), reading("bess1"), 20.0, Mode.GFM_DROOP).mode is Mode.GFM_DROOP


def test_nothing_is_said_to_what_is_not_controllable_or_not_in_the_decision():
    site = snapshot([load(), battery("a"), battery("b")])
    assert list(permits(site, wants(load1=10.0, b=20.0, stranger=30.0))) == ["b"]


def test_a_store_without_a_doubt_is_permitted_beside_one_that_is_refused():
    site = snapshot([battery("a"), battery("b")], [reading("a", verdict=Verdict.STALE), reading("b")])
    answers = permits(site, wants(a=10.0, b=20.0))
    assert isinstance(answers["a"], Refusal)
    assert answers["b"].export_kw == 20.0


def test_the_age_of_a_message_is_judged_by_its_verdict_and_not_by_the_device_clock():
    old = telemetry("bess1", at=NOW.replace(year=2000))
    told = Reading(Verdict.FRESH, old, 0.5)
    assert answer(battery(), told, 10.0).export_kw == 10.0
