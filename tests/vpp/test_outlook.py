"""A running site is planned a day ahead whatever is missing, and each plan says what stands for what."""

from datetime import UTC, date, datetime, timedelta

import pytest

from optimizer.problem import State
from tests.sites import P24
from tests.vpp.site_folder import LOAD_KW, SITE, START, changed, hourly, write_site
from tests.zones import HOURS
from vpp.domain.errors import InputError
from vpp.domain.feed import Feed
from vpp.domain.horizon import local_midnight
from vpp.outlook import look_ahead, rolling_horizon
from vpp.series_names import bounds_of, series_of
from vpp.site import parse_site

PRICES = "markets[0].prices: prices.csv"
LOAD = "assets[1].forecast: load.csv"


@pytest.fixture
def two_days(tmp_path):
    """A site whose series cover two days, so that a whole day can be looked ahead from any instant of the first."""
    return write_site(tmp_path, prices=hourly("price_per_mwh", P24 * 2), load=hourly("load_kw", LOAD_KW * 2))


def looked(path, now=START, states=None, feeds=None):
    return look_ahead(path, now, states or {}, feeds or {})


def premises(case):
    return {premise.input: premise for premise in case.premises}


def feed(series, values, start=START, issued=START, step_s=3600):
    return Feed(series, start, step_s, tuple(map(float, values)), issued)


@pytest.mark.parametrize(("zone", "day"), HOURS, ids=str)
def test_the_number_of_steps_is_the_same_at_every_instant_of_a_day_on_which_clocks_change(zone, day):
    midnight = local_midnight(day, zone)
    for quarter in range(30 * 4):
        for second in (0, 1, 899):
            now = midnight + timedelta(seconds=900 * quarter + second)
            horizon = rolling_horizon(now, zone, 900)
            assert horizon.count == 97
            assert horizon.start == now
            assert 0 < horizon.first_step_s <= 900
            assert timedelta(hours=24) < horizon.end - now <= timedelta(hours=24, minutes=15)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Asia/Kolkata", "Australia/Adelaide", "Europe/Berlin"])
@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_steps_end_where_the_steps_of_the_local_day_end(zone, minutes):
    now = datetime(2026, 6, 1, 7, 3, 20, tzinfo=UTC)
    horizon = rolling_horizon(now, zone, minutes * 60)
    midnight = local_midnight(horizon.local_starts[0].date(), zone)
    for edge in horizon.edges[1:]:
        assert (edge - midnight).total_seconds() % (minutes * 60) == 0
    assert local_midnight(horizon.local_starts[0].date() + timedelta(days=1), zone) in horizon.edges


def test_a_part_of_a_second_is_left_out():
    horizon = rolling_horizon(START.replace(microsecond=999_999), "UTC", 900)
    assert (horizon.start, horizon.first_step_s) == (START, 900)


def test_what_the_files_know_is_planned_with_and_called_ok(two_days):
    case = looked(two_days, START + timedelta(hours=3))
    assert case.problem.energy.import_price_per_mwh == (P24 * 2)[3:28]
    assert {p.verdict for p in case.premises} == {"ok"}
    assert premises(case)[PRICES].check == "25 of 25 steps"


def test_prices_that_are_not_out_yet_are_those_of_a_week_before_and_no_fault(tmp_path):
    prices = hourly("price_per_mwh", [1] * 24 + [0] * 24 * 6 + list(P24), START - timedelta(days=7))
    path = write_site(tmp_path, prices=prices, load=hourly("load_kw", LOAD_KW * 2))
    case = looked(path, START + timedelta(hours=12))
    assert case.problem.energy.import_price_per_mwh[:12] == P24[12:]
    assert case.problem.energy.import_price_per_mwh[12:] == (0.0,) * 13  # of the day six days ago
    assert premises(case)[PRICES].check == "12 of 25 steps, the rest from 1 week before"
    assert premises(case)[PRICES].verdict == "ok"


def test_a_substitute_within_the_coming_four_hours_is_named_in_the_verdict(tmp_path):
    prices = hourly("price_per_mwh", P24, START - timedelta(days=7))
    path = write_site(tmp_path, prices=prices + "2026-11-23T00:00:00Z,5\n", load=hourly("load_kw", LOAD_KW * 2))
    case = looked(path)
    assert premises(case)[PRICES].check == "1 of 25 steps, the rest from 1 week or 1 day before"
    assert premises(case)[PRICES].verdict == "substituted by 1 week or 1 day before"
    assert premises(case)[LOAD].verdict == "ok"


def test_without_an_earlier_week_another_day_stands_in_and_is_named(tmp_path):
    path = write_site(tmp_path, load=hourly("load_kw", LOAD_KW * 2))
    case = looked(path, START + timedelta(days=1))
    assert case.problem.energy.import_price_per_mwh[:24] == P24
    assert premises(case)[PRICES].verdict == "substituted by 1 day or 2 days before"


def test_a_number_that_is_none_or_impossible_is_replaced_and_named(tmp_path):
    week = list(LOAD_KW)
    wrong = ["nan", "-500", *LOAD_KW[2:], *week]
    text = hourly("load_kw", week * 7 + wrong, START - timedelta(days=7))
    path = write_site(tmp_path, prices=hourly("price_per_mwh", P24 * 2), load=text)
    case = looked(path)
    assert case.problem.series["base", "forecast"][:3] == (20.0, 20.0, 20.0)
    assert premises(case)[LOAD].verdict == "substituted by 1 week before"


def test_a_feed_counts_before_the_file_and_the_newest_feed_first(two_days):
    old, new = feed("energy_day_ahead", [1] * 24), feed("energy_day_ahead", [2] * 12, issued=START + timedelta(hours=1))
    prices = looked(two_days, feeds={"energy_day_ahead": (old, new)}).problem.energy.import_price_per_mwh
    assert prices == (2.0,) * 12 + (1.0,) * 12 + P24[:1]


def test_a_feed_stands_in_for_a_file_that_is_not_there(tmp_path):
    path = write_site(tmp_path, load=hourly("load_kw", LOAD_KW * 2))
    (tmp_path / "prices.csv").unlink()
    with pytest.raises(InputError, match=r"prices\.file: no such file"):
        looked(path)
    case = looked(path, feeds={"energy_day_ahead": (feed("energy_day_ahead", [7] * 30),)})
    assert case.problem.energy.import_price_per_mwh == (7.0,) * 25


def test_the_age_of_an_input_is_that_of_its_newest_source(two_days):
    issued = START + timedelta(hours=2)
    case = looked(two_days, START + timedelta(hours=3), feeds={"base": (feed("base", [20] * 48, issued=issued),)})
    assert premises(case)[LOAD].age_s <= 3600.0


def test_measured_energies_are_where_the_plan_begins(two_days):
    case = looked(two_days, states={"bess1": State(150.0, 30.0)})
    assert case.problem.states["bess1"] == State(150.0, 30.0)


def test_a_fault_in_the_site_file_is_told(two_days):
    two_days.write_text("schema_version: 1\n", "utf-8")
    with pytest.raises(InputError):
        looked(two_days)


def test_series_are_called_like_their_asset_or_product(tmp_path):
    export = {"file": "prices.csv", "column": "price_per_mwh"}
    path = write_site(tmp_path, changed((("markets", 0, "export_prices"), export)))
    _, site_file, faults = parse_site(path)
    assert not faults
    assert sorted(series_of(site_file)) == ["base", "energy_day_ahead", "energy_day_ahead-export"]
    assert bounds_of(site_file)["base"].lowest == 0.0
    assert bounds_of(site_file)["energy_day_ahead"].lowest == float("-inf")


def test_the_day_of_the_site_is_the_local_one(tmp_path):
    values = changed((("site", "timezone"), "America/Chicago"), site=SITE)
    path = write_site(tmp_path, values, prices=hourly("price_per_mwh", P24 * 3), load=hourly("load_kw", LOAD_KW * 3))
    horizon = looked(path, START + timedelta(hours=5, minutes=30)).problem.horizon
    assert horizon.first_step_s == 1800
    assert [start.date() for start in horizon.local_starts][:2] == [date(2026, 11, 22), date(2026, 11, 23)]
