"""Who does what at a site of three technologies: what the price of wear moves, and how the report says it."""

from dataclasses import replace
from datetime import date

import pytest

from optimizer.contrast import contrast
from optimizer.planner import compare, plan
from optimizer.problem import Wanted
from optimizer.work import free_of_wear, work_of
from tests.sites import CREATED, P24
from tests.vpp.command import ROOT
from vpp.intake import Request, take_in
from vpp.report.work import shift, work_table

DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def whole():
    """LFP, vanadium and carbon dioxide at prices P24, with ±20 MW of regulation."""
    given = take_in(Request(ROOT / "site_configs" / "mixed_storage.yaml", first=DAY), CREATED).problem
    held = tuple(replace(reserve, hold_kw=(20_000.0,) * 24) for reserve in given.reserves)
    prices = tuple(map(float, P24))
    return replace(given, energy=replace(given.energy, import_price_per_mwh=prices), reserves=held)


@pytest.fixture(scope="module")
def made(whole):
    return compare(whole, plan(whole, CREATED))


def discharged_kwh(whole, made):
    return {work.asset_id: work.discharged_kwh for work in work_of(whole, made.schedules)}


def test_with_a_price_of_ageing_lfp_does_less_and_the_flow_battery_more(whole, made):
    """Requirement ACC-17, with two plans that know nothing of each other."""
    priced, free = discharged_kwh(whole, made), discharged_kwh(whole, plan(free_of_wear(whole), CREATED))
    assert priced["lfp"] < 0.9 * free["lfp"]
    assert priced["flow"] > 1.1 * free["flow"]


def test_the_shift_is_told_in_mwh_and_in_money(whole, made):
    without = plan(free_of_wear(whole), CREATED)
    priced, free = discharged_kwh(whole, made), discharged_kwh(whole, without)
    assert made.shift.discharged_kwh == pytest.approx({name: priced[name] - free[name] for name in priced}, abs=0.01)
    borne = sum(work.wear_cost for work in work_of(whole, without.schedules))
    assert made.shift.wear == pytest.approx(borne + made.money.wear, abs=0.01)
    assert made.shift.energy == pytest.approx(made.money.energy - without.money.energy, abs=0.01)
    assert made.shift.net > 0
    told = shift(made).replace("\u00a0", " ").replace("\u202f", " ")
    assert "lfp discharges " in told
    assert f"{priced['flow'] / 1000 - free['flow'] / 1000:.2f} MWh more" in told


def test_what_each_store_costs_adds_up_to_what_the_plan_costs(made):
    """At one price in both directions all that stores draw, give and wear is the money of the plan."""
    assert sum(work.wear_cost for work in made.work) == pytest.approx(-made.money.wear, rel=1e-6)
    drawn, given = sum(work.drawn_cost for work in made.work), sum(work.given_cash for work in made.work)
    assert given - drawn == pytest.approx(made.money.energy, rel=1e-6)
    for work in made.work:
        expected = (work.drawn_cost + work.wear_cost) / (work.discharged_kwh / 1000)
        assert work.cost_per_mwh == pytest.approx(expected)


def test_the_table_names_technology_throughput_and_cost_per_mwh(made):
    head, rows = work_table(made)
    assert head == ["Store", "technology", "discharged", "cycles", "wear", "costs/MWh", "earns/MWh"]
    assert [row[:2] for row in rows] == [["lfp", "lfp"], ["flow", "vanadium_flow"], ["co2", "co2_store"]]
    flow = made.work[1]
    assert flow.wear_cost == 300 * sum(
        charging + discharging
        for charging, discharging in zip(
            made.schedules[1].flows["is_charging"], made.schedules[1].flows["is_discharging"], strict=True
        )
    )
    assert made.work[2].wear_cost == 2000 * made.work[2].start_count


def test_a_power_below_the_minimum_load_is_refused_by_the_limits_of_the_store_alone(whole):
    """Behind a connection that binds, the whole site's limits would be named beside them."""
    wide = whole.connection.model_copy(update={"import_limit_kw": 300e3, "export_limit_kw": 300e3})
    found = contrast(replace(whole, connection=wide, reserves=()), Wanted("co2", 18, 5000.0), CREATED)
    assert {conflict.owner for conflict in found.conflicts} == {"co2"}
    assert "lowest discharge power" in {conflict.limit for conflict in found.conflicts}


def test_a_site_with_one_store_has_no_shift_to_tell(vpp, tmp_path):
    document = vpp("plan", ROOT / "site_configs" / "tiny.yaml", "--out", tmp_path, "--json").document
    assert document["shift"] is None
    assert [work["asset"] for work in document["work"]] == ["bess1"]
