"""What the gate makes of the site's limits at its connection, with numbers checked by hand."""

from dataclasses import replace
from math import inf, nan

import pytest

from tests.snapshots import battery, in_force, load, reading, snapshot, solar, wants
from vpp.domain.setpoint import Permit, Refusal
from vpp.domain.telemetry import Reading, Verdict
from vpp.domain.unit import Mode
from vpp.safety import permits

EXPORT, IMPORT = "export limit of the site", "import limit of the site"


def permitted(site, decision):
    """Permitted powers, and refusals as None."""
    answers = permits(site, decision)
    return {name: round(a.export_kw, 9) if isinstance(a, Permit) else None for name, a in answers.items()}


def narrowed_by(site, decision):
    return {name: answer.narrowed_by for name, answer in permits(site, decision).items()}


TWO = [battery("a", 100.0), battery("b", 50.0)]


def test_exports_beyond_the_limit_are_narrowed_in_proportion_to_their_distance_from_zero():
    # 150 kW wanted, 90 allowed: two fifths of each have to go.
    site = snapshot(TWO, export_limit_kw=90.0)
    assert permitted(site, wants(a=100.0, b=50.0)) == {"a": 60.0, "b": 30.0}
    assert narrowed_by(site, wants(a=100.0, b=50.0)) == {"a": EXPORT, "b": EXPORT}


def test_imports_beyond_the_limit_are_narrowed_in_proportion_to_their_distance_from_zero():
    site = snapshot(TWO, import_limit_kw=90.0)
    assert permitted(site, wants(a=-100.0, b=-50.0)) == {"a": -60.0, "b": -30.0}
    assert narrowed_by(site, wants(a=-100.0, b=-50.0)) == {"a": IMPORT, "b": IMPORT}


def test_at_the_limit_nothing_is_narrowed():
    site = snapshot(TWO, export_limit_kw=150.0, import_limit_kw=150.0)
    assert narrowed_by(site, wants(a=100.0, b=50.0)) == {"a": None, "b": None}
    assert narrowed_by(site, wants(a=-100.0, b=-50.0)) == {"a": None, "b": None}


def test_rounding_beyond_the_limit_is_not_narrowed():
    site = snapshot([battery("a")], export_limit_kw=0.0)
    assert narrowed_by(site, wants(a=1e-6)) == {"a": None}
    assert narrowed_by(site, wants(a=1.1e-6)) == {"a": EXPORT}


def test_each_direction_has_its_own_limit():
    site = snapshot([battery("a")], export_limit_kw=20.0, import_limit_kw=30.0)
    assert permitted(site, wants(a=80.0)) == {"a": 20.0}
    assert permitted(site, wants(a=-80.0)) == {"a": -30.0}


def test_what_charges_is_not_made_to_charge_more_while_others_can_still_discharge_less():
    # 100 - 20 = 80 kW, 50 allowed: the one that discharges gives way, and alone.
    site = snapshot(TWO, export_limit_kw=50.0)
    assert permitted(site, wants(a=100.0, b=-20.0)) == {"a": 70.0, "b": -20.0}
    assert narrowed_by(site, wants(a=100.0, b=-20.0)) == {"a": EXPORT, "b": None}


def test_measured_loads_leave_room_for_export_and_take_it_from_import():
    site = snapshot(
        [load(), battery("a")], [reading("load1", -40.0), reading("a")], export_limit_kw=50.0, import_limit_kw=50.0
    )
    assert permitted(site, wants(a=100.0)) == {"a": 90.0}
    assert permitted(site, wants(a=-100.0)) == {"a": -10.0}


def test_a_site_outside_its_import_limit_is_moved_towards_it_beyond_zero():
    # The load takes 120 kW, 50 are allowed: 70 kW have to come from the stores, by their rating 2 : 1.
    told = [reading("load1", -120.0), reading("a"), reading("b")]
    site = snapshot([load(), *TWO], told, import_limit_kw=50.0)
    assert permitted(site, wants(a=0.0, b=0.0)) == {"a": pytest.approx(70 * 2 / 3), "b": pytest.approx(70 / 3)}
    assert narrowed_by(site, wants(a=0.0, b=0.0)) == {"a": IMPORT, "b": IMPORT}


def test_a_site_outside_its_export_limit_is_moved_towards_it_beyond_zero():
    told = [reading("wind", 120.0, None), reading("a")]
    site = snapshot([solar("wind", 200.0, is_controllable=False), battery("a")], told, export_limit_kw=50.0)
    assert permitted(site, wants(a=10.0)) == {"a": -70.0}


def test_it_is_moved_no_further_than_its_own_limits():
    told = [reading("load1", -500.0), reading("a")]
    site = snapshot([load(), battery("a")], told, import_limit_kw=50.0)
    assert permitted(site, wants(a=-30.0)) == {"a": 100.0}


def test_it_is_moved_no_faster_than_its_ramp():
    told = [reading("load1", -500.0), reading("a")]
    site = snapshot([load(), battery("a", ramp_kw_per_s=15.0)], told, import_limit_kw=50.0)
    assert permitted(site, wants(a=0.0)) == {"a": 15.0}
    site = snapshot([battery("a", ramp_kw_per_s=15.0)], permits=[in_force("a", 90.0)], export_limit_kw=50.0)
    assert permitted(site, wants(a=90.0)) == {"a": 75.0}


def test_where_something_is_unknown_permits_are_moved_to_zero_and_not_beyond():
    told = [reading("load1", -500.0, verdict=Verdict.STALE), reading("a")]
    site = snapshot([load(), battery("a")], told, import_limit_kw=50.0)
    assert permitted(site, wants(a=-30.0)) == {"a": 0.0}
    assert permitted(site, wants(a=30.0)) == {"a": 30.0}


@pytest.mark.parametrize(
    "unheard",
    [
        reading("b", 0.0, verdict=Verdict.MISSING),
        reading("b", 0.0, verdict=Verdict.STALE),
        reading("b", 0.0, verdict=Verdict.SUSPECT),
        reading("b", nan),
    ],
    ids=["missing", "stale", "suspect", "no number"],
)
def test_an_asset_that_is_not_heard_counts_at_its_rating_in_both_directions(unheard):
    units = [battery("a"), battery("b", charge_kw=30.0, discharge_kw=50.0)]
    site = snapshot(units, [reading("a"), unheard], export_limit_kw=80.0, import_limit_kw=80.0)
    assert permitted(site, wants(a=100.0, b=0.0)) == {"a": 30.0, "b": None}
    assert permitted(site, wants(a=-100.0, b=0.0)) == {"a": -50.0, "b": None}


@pytest.mark.parametrize("rating_kw", [nan, -0.5])
def test_an_asset_that_is_not_heard_and_whose_rating_makes_no_sense_leaves_no_room(rating_kw):
    site = snapshot([battery("a"), battery("b", discharge_kw=rating_kw, charge_kw=rating_kw)], [reading("a")])
    assert permitted(site, wants(a=100.0)) == {"a": 0.0}
    assert permitted(site, wants(a=-100.0)) == {"a": 0.0}


def test_a_load_that_is_not_heard_does_not_keep_stores_from_exporting():
    site = snapshot([load(), battery("a")], [reading("a")], export_limit_kw=80.0, import_limit_kw=80.0)
    assert permitted(site, wants(a=100.0)) == {"a": 80.0}


def test_an_asset_that_got_no_set_point_counts_at_what_is_measured_or_was_last_permitted():
    units = [battery("a"), battery("b")]
    told = [reading("a"), reading("b", 20.0)]
    limit = {"export_limit_kw": 100.0, "import_limit_kw": 100.0}
    assert permitted(snapshot(units, told, **limit), wants(a=100.0)) == {"a": 80.0}
    assert permitted(snapshot(units, told, permits=[in_force("b", 50.0)], **limit), wants(a=100.0)) == {"a": 50.0}
    assert permitted(snapshot(units, told, permits=[in_force("b", 10.0)], **limit), wants(a=100.0)) == {"a": 80.0}
    assert permitted(snapshot(units, told, permits=[in_force("b", -30.0)], **limit), wants(a=-100.0)) == {"a": -70.0}


def test_a_refused_set_point_counts_at_what_is_measured():
    site = snapshot(TWO, [reading("a"), reading("b", 30.0)], export_limit_kw=100.0)
    assert permitted(site, wants(a=100.0, b=nan)) == {"a": 70.0, "b": None}


def test_a_device_that_does_not_follow_counts_at_the_worse_of_permitted_and_measured():
    told = [reading("a"), reading("b", 40.0, follows=False)]
    site = snapshot(TWO, told, export_limit_kw=100.0)
    assert permitted(site, wants(a=100.0, b=10.0)) == {"a": 60.0, "b": 10.0}
    site = snapshot(TWO, told, import_limit_kw=96.0)
    assert permitted(site, wants(a=-70.0, b=-50.0)) == {"a": -56.0, "b": -40.0}


def test_a_device_that_does_not_follow_brings_no_relief_below_what_is_measured():
    # b is measured at 30 kW and would be permitted 50: it can give 20 back, a all of its 80; 70 kW have to go.
    site = snapshot(TWO, [reading("a"), reading("b", 30.0, follows=False)], export_limit_kw=60.0)
    assert permitted(site, wants(a=80.0, b=50.0)) == {"a": 80.0 - 0.7 * 80.0, "b": 50.0 - 0.7 * 20.0}


def test_a_charging_device_that_does_not_follow_brings_no_relief_above_what_is_measured():
    site = snapshot(TWO, [reading("a"), reading("b", -30.0, follows=False)], import_limit_kw=60.0)
    assert permitted(site, wants(a=-80.0, b=-50.0)) == {"a": -80.0 + 0.7 * 80.0, "b": -50.0 + 0.7 * 20.0}


def test_a_device_that_follows_counts_at_what_it_is_permitted():
    site = snapshot(TWO, [reading("a"), reading("b", 50.0)], export_limit_kw=100.0)
    assert permitted(site, wants(a=100.0, b=0.0)) == {"a": 100.0, "b": 0.0}


SUN = [solar("pv1", 1000.0), battery("a", 600.0, 6000.0)]


def test_ceilings_of_generation_come_down_before_stores_give_way():
    # 200 kW of sun under a ceiling of 1,000 kW, and 500 from the store: 800 are allowed.
    site = snapshot(SUN, [reading("pv1", 200.0, None), reading("a", stored_kwh=3000.0)], export_limit_kw=800.0)
    assert permitted(site, wants(pv1=1000.0, a=500.0)) == {"pv1": 300.0, "a": 500.0}
    assert narrowed_by(site, wants(pv1=1000.0, a=500.0)) == {"pv1": EXPORT, "a": None}


def test_a_ceiling_leaves_room_for_the_sun_to_rise_until_the_next_tick():
    # It comes down to 200 + 5 % of 1,000 = 250 kW; what is left of the excess is shared 250 : 600.
    site = snapshot(SUN, [reading("pv1", 200.0, None), reading("a", stored_kwh=3000.0)], export_limit_kw=680.0)
    assert permitted(site, wants(pv1=1000.0, a=600.0)) == {"pv1": 200.0, "a": 480.0}


def test_generation_that_delivers_all_its_ceiling_shares_with_the_stores():
    site = snapshot(SUN, [reading("pv1", 900.0, None), reading("a", stored_kwh=3000.0)], export_limit_kw=750.0)
    assert permitted(site, wants(pv1=900.0, a=600.0)) == {"pv1": 450.0, "a": 300.0}


def test_an_unused_ceiling_does_not_make_a_store_charge():
    site = snapshot(SUN, [reading("pv1", 200.0, None), reading("a", stored_kwh=3000.0)], export_limit_kw=400.0)
    assert permitted(site, wants(pv1=1000.0, a=0.0)) == {"pv1": 400.0, "a": 0.0}


def test_generation_counts_against_import_only_with_what_it_delivers():
    # The load takes 900 kW and the sun gives 200: of the limit of 1,000 kW, 300 are left.
    told = [reading("load1", -900.0), reading("pv1", 200.0, None), reading("a", stored_kwh=3000.0)]
    site = snapshot([load(), *SUN], told, import_limit_kw=1000.0)
    assert permitted(site, wants(pv1=1000.0, a=-600.0)) == {"pv1": 1000.0, "a": -300.0}


def test_a_ceiling_below_what_is_delivered_counts_against_import():
    told = [reading("load1", -900.0), reading("pv1", 200.0, None), reading("a", stored_kwh=3000.0)]
    site = snapshot([load(), *SUN], told, import_limit_kw=1000.0)
    assert permitted(site, wants(pv1=100.0, a=-300.0)) == {"pv1": 100.0, "a": -200.0}


def test_raising_a_ceiling_relieves_import_only_up_to_what_is_delivered():
    # 700 kW are missing: the ceiling may give the 100 kW up to the 200 that are delivered, the store 600.
    told = [reading("load1", -1800.0), reading("pv1", 200.0, None), reading("a", stored_kwh=3000.0)]
    site = snapshot([load(power_kw=2000.0), *SUN], told, import_limit_kw=1000.0)
    assert permitted(site, wants(pv1=100.0, a=0.0)) == {"pv1": 200.0, "a": 600.0}


def test_generation_that_draws_more_than_it_may_is_not_told_to_draw():
    told = [reading("wind", 900.0, None), reading("pv1", -80.0, None)]
    site = snapshot([solar("wind", 1000.0, is_controllable=False), solar("pv1", 1000.0)], told, export_limit_kw=50.0)
    assert permitted(site, wants(pv1=1000.0)) == {"pv1": 0.0}


@pytest.mark.parametrize("limit_kw", [0.0, -0.5, nan])
def test_a_limit_that_is_no_positive_number_allows_nothing(limit_kw):
    site = snapshot([battery("a")], export_limit_kw=limit_kw, import_limit_kw=limit_kw)
    assert permitted(site, wants(a=50.0)) == {"a": 0.0}
    assert permitted(site, wants(a=-50.0)) == {"a": 0.0}


def test_a_small_limit_is_a_limit():
    assert permitted(snapshot([battery("a")], export_limit_kw=0.5), wants(a=50.0)) == {"a": 0.5}


def test_a_limit_of_infinity_allows_everything():
    site = snapshot([battery("a")], export_limit_kw=inf, import_limit_kw=inf)
    assert permitted(site, wants(a=50.0)) == {"a": 50.0}


def test_a_zero_is_never_negative():
    site = snapshot([battery("a")], import_limit_kw=0.0, export_limit_kw=0.0)
    assert [str(permits(site, wants(a=kw))["a"].export_kw) for kw in (50.0, -50.0)] == ["0.0", "0.0"]


def test_a_forming_unit_is_narrowed_to_the_limit_of_the_site_but_not_to_zero():
    units, told = [load(), battery("a")], [reading("load1", -20.0), reading("a", 50.0, mode=Mode.GFM_DROOP)]
    answers = permits(snapshot(units, told, export_limit_kw=40.0), wants(Mode.GFM_DROOP, a=90.0))
    assert answers["a"].export_kw == 60.0
    told = [reading("load1", -20.0), reading("a", -50.0, mode=Mode.GFM_DROOP)]
    answers = permits(snapshot(units, told, import_limit_kw=10.0), wants(Mode.GFM_DROOP, a=-90.0))
    assert answers["a"] == Refusal("a", "it forms the grid, and is left to its own control")


def test_a_forming_unit_at_zero_may_be_moved_towards_the_limit():
    units, told = [load(), battery("a")], [reading("load1", -90.0), reading("a", mode=Mode.GFM_DROOP)]
    answers = permits(snapshot(units, told, import_limit_kw=60.0), wants(Mode.GFM_DROOP, a=0.0))
    assert answers["a"].export_kw == 30.0


def test_a_forming_unit_that_is_left_alone_counts_at_what_it_does():
    # a would have to stop, and is left at its -50 kW; b makes up for it and the load: 20 + 50 - 10 = 60 kW.
    units = [load(), battery("a"), battery("b")]
    told = [reading("load1", -20.0), reading("a", -50.0, mode=Mode.GFM_DROOP), reading("b", mode=Mode.GFM_DROOP)]
    site = snapshot(units, told, import_limit_kw=10.0)
    assert permitted(site, wants(Mode.GFM_DROOP, a=-90.0, b=0.0)) == {"a": None, "b": 60.0}


def test_a_following_unit_is_narrowed_to_zero_by_the_site():
    site = snapshot([load(), battery("a")], [reading("load1", -10.0), reading("a")], import_limit_kw=10.0)
    assert permitted(site, wants(a=-90.0)) == {"a": 0.0}


def test_an_asset_without_telemetry_beside_a_verdict_counts_as_unheard():
    site = snapshot([battery("a"), battery("b", 50.0)], [reading("a")], export_limit_kw=100.0)
    site = replace(site, readings={**site.readings, "b": Reading(Verdict.FRESH)})
    assert permitted(site, wants(a=100.0)) == {"a": 50.0}


def test_rounding_takes_no_permit_beyond_its_interval():
    # The last permit less the ramp is 1 - 0.9 kW; 1.7 - (1.7 - that) is a little less, in binary.
    site = snapshot([battery("a", ramp_kw_per_s=0.9)], permits=[in_force("a", 1.0)], export_limit_kw=0.0)
    assert permits(site, wants(a=1.7))["a"].export_kw == 1.0 - 0.9


def test_the_worked_example_of_the_documentation():
    units = [
        load(),
        solar("pv1", 1000.0),
        battery("bess1", 1000.0, 2000.0, ramp_kw_per_s=200.0, discharge_efficiency=0.95),
        battery("bess2", 800.0, 2000.0),
    ]
    told = [
        reading("load1", -200.0),
        reading("pv1", 600.0, None),
        reading("bess1", 500.0, 210.0),
        reading("bess2", 0.0, 1000.0),
    ]
    decision = wants(pv1=1000.0, bess1=1000.0, bess2=800.0)
    alone = snapshot(units, told, permits=[in_force("bess1", 500.0)])
    assert permitted(alone, decision) == {"pv1": 1000.0, "bess1": 570.0, "bess2": 800.0}
    assert narrowed_by(alone, decision) == {"pv1": None, "bess1": "lowest stored energy", "bess2": None}
    site = snapshot(units, told, permits=[in_force("bess1", 500.0)], export_limit_kw=1390.0)
    assert permitted(site, decision) == {"pv1": 487.5, "bess1": 502.5, "bess2": 600.0}
    assert narrowed_by(site, decision) == {"pv1": EXPORT, "bess1": EXPORT, "bess2": EXPORT}


SLOW_AND_QUICK = [battery("slow", 100.0, ramp_s=30.0), battery("quick", 100.0)]


@pytest.mark.parametrize(("direction", "limit"), [(1.0, EXPORT), (-1.0, IMPORT)])
@pytest.mark.parametrize(("slow_kw", "quick_kw"), [(100.0, 20.0), (90.0, 30.0), (60.0, 60.0), (0.0, 60.0)])
def test_what_is_quick_waits_for_what_comes_down_at_its_own_pace(direction, limit, slow_kw, quick_kw):
    # 60 and 60 kW are wanted, 120 allowed: the quick one has what the slow one leaves.
    told = [reading("slow", direction * slow_kw), reading("quick")]
    site = snapshot(SLOW_AND_QUICK, told, export_limit_kw=120.0, import_limit_kw=120.0)
    decision = wants(slow=direction * 60.0, quick=direction * 60.0)
    assert permitted(site, decision) == {"slow": direction * 60.0, "quick": direction * quick_kw}
    assert narrowed_by(site, decision) == {"slow": None, "quick": limit if quick_kw < 60.0 else None}


def test_a_pace_of_one_tick_is_waited_for_by_nobody():
    told = [reading("slow", 100.0), reading("quick")]
    site = snapshot([battery("slow", ramp_s=1.0), battery("quick")], told, export_limit_kw=120.0)
    assert permitted(site, wants(slow=60.0, quick=60.0)) == {"slow": 60.0, "quick": 60.0}


def test_what_waits_does_not_go_beyond_zero():
    told = [reading("slow", 100.0), reading("quick")]
    site = snapshot(SLOW_AND_QUICK, told, export_limit_kw=50.0)
    assert permitted(site, wants(slow=0.0, quick=30.0)) == {"slow": 0.0, "quick": 0.0}
    assert permitted(site, wants(slow=0.0, quick=-10.0)) == {"slow": 0.0, "quick": -10.0}


def test_a_lasting_excess_is_shared_by_the_slow_and_the_quick_before_the_quick_wait():
    # 200 kW wanted, 120 allowed: 60 each; while the slow one still gives 100, the quick one has 20.
    told = [reading("slow", 100.0), reading("quick", 100.0)]
    site = snapshot(SLOW_AND_QUICK, told, export_limit_kw=120.0)
    assert permitted(site, wants(slow=100.0, quick=100.0)) == {"slow": 60.0, "quick": 20.0}


def test_what_still_rises_counts_with_all_that_it_may():
    # One comes down from 100 kW, the other goes up to 60: of 180 kW the quick one has 20.
    told = [reading("slow", 100.0), reading("rising"), reading("quick")]
    site = snapshot([*SLOW_AND_QUICK, battery("rising", 100.0, ramp_s=30.0)], told, export_limit_kw=180.0)
    assert permitted(site, wants(slow=0.0, rising=60.0, quick=60.0)) == {"slow": 0.0, "rising": 60.0, "quick": 20.0}
