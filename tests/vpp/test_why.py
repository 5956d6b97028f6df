"""Reasons of set-points, from plans of few steps whose worths are set by hand, and from those of the shipped sites."""

from dataclasses import replace
from html import unescape

import pytest

from tests.vpp.reported import SITES, four_hours, limit, planned, source, store
from vpp.domain.plan import Account
from vpp.report.page import report_page
from vpp.report.why import Because, in_words, reasons, spells

PRICES = (50.0, 20.0, 40.0, 100.0)
CELL = Account(PRICES, (60.0,) * 4, (66.0,) * 4, (54.0,) * 4, (1.1,) * 4, (0.9,) * 4)
"""Charges below 54, discharges above 66."""


def told(plan, asset="cell"):
    """The reasons of an asset in words, spell by spell."""
    schedule = next(s for s in plan.schedules if s.asset_id == asset)
    return [(s.first, s.after, s.reason.verb, in_words(plan, schedule, s)) for s in spells(plan, schedule)]


def cell(account=CELL, **fields):
    return four_hours(accounts={"cell": account}, **fields)


def test_a_store_charges_below_and_discharges_above_and_says_which_limits_hold_it():
    plan = cell(limits=(limit(worths_per_unit=(0.034,)),))
    assert told(plan)[1] == (1, 2, "charges", "below 54 charging pays; charge power")
    assert told(plan)[3] == (3, 4, "discharges", "above 66 discharging pays")


def test_a_store_at_rest_between_its_break_evens_says_what_would_pay():
    assert told(cell(replace(CELL, meter_per_mwh=(60.0, 20.0, 58.0, 100.0))))[2][3] == "pays only below 54 or above 66"


def test_a_store_whose_price_meets_its_break_even_just_pays():
    plan = cell(replace(CELL, takes_below_per_mwh=(54.0, 20.0, 54.0, 54.0)))
    assert told(plan)[1][3] == "at 20 charging just pays"


def test_a_store_that_rests_though_moving_would_pay_says_so_with_the_limit():
    plan = cell(limits=(limit(name="highest stored energy", steps=(2,), worths_per_unit=(0.1,)),))
    assert told(plan)[2] == (2, 3, "rests", "it would pay to move, if it could; highest stored energy")


def test_limits_of_the_site_follow_those_of_the_asset_and_those_of_others_are_left_out():
    limits = tuple(
        limit(owner=owner, name=name, worths_per_unit=(0.1,))
        for owner, name in (
            ("grid connection", "import limit"),
            ("cell", "charge power"),
            ("twin", "charge power of twin"),
        )
    )
    behind_a_limit = replace(CELL, meter_per_mwh=(50.0, 25.0, 40.0, 100.0))
    plan = replace(cell(behind_a_limit, limits=limits), schedules=(store(), store("twin")))
    assert reasons(plan, plan.schedules[0])[1].limits == ("charge power", "import limit")


def test_a_limit_of_the_site_that_leaves_the_price_as_it_is_is_no_reason():
    of_reserves = limit(owner="reserve market", name="upward reserve", worths_per_unit=(0.1,))
    plan = cell(limits=(of_reserves,))
    assert reasons(plan, plan.schedules[0])[1].limits == ()


def test_spells_of_rest_are_told_together_whichever_limit_holds_when():
    still = store(export_kw=(0.0,) * 4, flows={"charge_kw": (0.0,) * 4, "discharge_kw": (0.0,) * 4})
    limits = (
        limit(name="lowest stored energy", steps=(0,), worths_per_unit=(0.1,)),
        limit(name="highest stored energy", steps=(3,), worths_per_unit=(0.1,)),
    )
    plan = four_hours(still, accounts={"cell": replace(CELL, meter_per_mwh=(60.0,) * 4)}, limits=limits)
    assert told(plan) == [
        (0, 4, "rests", "pays only below 54 or above 66; lowest stored energy and highest stored energy")
    ]


def test_a_standing_load_is_no_charge():
    idle = store(export_kw=(-3.0,) * 4, flows={"charge_kw": (0.0,) * 4, "discharge_kw": (0.0,) * 4})
    plan = four_hours(idle, accounts={"cell": replace(CELL, meter_per_mwh=(60.0,) * 4)})
    assert [reason.verb for reason in reasons(plan, plan.schedules[0])] == ["rests"] * 4


def test_generation_gives_all_there_is_is_curtailed_or_has_nothing():
    park = source("park", (10.0, 0.0, 5.0, 0.0), (10.0, 10.0, 10.0, 0.0))
    account = Account((50.0, -20.0, 0.0, 100.0), None, (0.0,) * 4, None)
    plan = four_hours(park, accounts={"park": account})
    assert [(verb, text) for _, _, verb, text in told(plan, "park")] == [
        ("gives", "all there is: above 0 it pays"),
        ("is curtailed", "pays only above 0"),
        ("is curtailed", "at 0 giving just pays"),
        ("rests", "nothing is available"),
    ]


def test_what_is_given_says_so():
    plan = four_hours()
    assert {reason.because for reason in reasons(plan, plan.schedules[0])} == {Because.GIVEN}
    assert told(plan) == [(0, 4, "is given", "its power is given")]


@pytest.mark.parametrize("name", SITES)
def test_the_page_says_why_each_store_moves_in_picture_table_and_step(name):
    plan = planned(name)
    text = unescape(report_page(plan, "seal"))
    stores = [s for s in plan.schedules if s.stored_kwh is not None]
    assert stores
    most = sorted(stores, key=lambda schedule: -sum(map(abs, schedule.export_kw)))[:3]
    for schedule in stores[:8]:
        assert f"{schedule.asset_id}: what a MWh is worth" in text
    for schedule in most:
        assert f"<h3>{schedule.asset_id}</h3>" in text
        for spell in spells(plan, schedule):
            assert in_words(plan, schedule, spell) in text


@pytest.mark.parametrize("name", SITES)
def test_no_store_of_a_shipped_site_is_held_back_without_a_limit_or_told_against_its_break_evens(name):
    plan = planned(name)
    for schedule in plan.schedules:
        if schedule.stored_kwh is not None:
            for reason in reasons(plan, schedule):
                assert reason.because is not Because.HELD or reason.limits


def test_a_plan_that_nobody_asked_about_has_a_page_without_reasons():
    text = report_page(replace(planned("tiny"), accounts={}), "seal")
    assert "<h2>Why</h2><p>No store has anything to decide.</p>" in text
