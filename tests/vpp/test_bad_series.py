"""A series that cannot be planned on is refused with the instants that are wrong, and nothing is written."""

import pytest

from tests.sites import P24
from tests.vpp.command import files_in
from tests.vpp.site_folder import DAY, LOAD_KW, changed, hourly, write_site

PRICES = hourly("price_per_mwh", P24)
FILE = "markets[0].prices.file"


def without(text, *instants):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(instants))


CASES = {
    "a gap": (without(PRICES, "2026-11-23T04", "2026-11-23T05"), FILE,
              "no row for 2026-11-23T04:00:00Z, 2026-11-23T05:00:00Z"),
    "a duplicate": (PRICES + "2026-11-23T07:00:00Z,1\n", FILE, "more than one row for 2026-11-23T07:00:00Z"),
    "a duplicate of the first": (PRICES + "2026-11-23T00:00:00Z,1\n", FILE, "more than one row for 2026-11-23T00"),
    "a day not covered to its end": (hourly("price_per_mwh", P24[:20]), FILE, "no row for 2026-11-23T20:00:00Z"),
    "NaN": (PRICES.replace("04:00:00Z,230", "04:00:00Z,NaN"), FILE, "no number: empty or NaN at 2026-11-23T04:00:00Z"),
    "an empty cell": (PRICES.replace("04:00:00Z,230", "04:00:00Z,"), FILE, "no number: empty or NaN at 2026-11-23T04"),
    "a decimal comma": (PRICES.replace("04:00:00Z,230", '04:00:00Z,"2,5"'), FILE, "no number: '2,5' at 2026-11-23T04"),
    "an instant without a zone": (PRICES.replace("04:00:00Z", "04:00:00"), FILE, "which names no time zone"),
    "an instant that is none": (PRICES.replace("23T04", "23T64"), FILE, "row 5 is '2026-11-23T64:00:00Z'"),
    "another separator": (PRICES.replace(",", ";"), FILE, "no column 'start_utc'"),
    "another column": (PRICES.replace("price_per_mwh", "price"), "markets[0].prices.column", "no column 'price_per"),
    "nothing": ("", FILE, "cannot be read"),
    "a head and no rows": ("start_utc,price_per_mwh\n", FILE, "has no rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("days", [(), ("--day", DAY)], ids=["any day", "that day"])
def test_a_series_is_refused_with_what_is_wrong_in_it(vpp, folder, name, days):
    text, place, told = CASES[name]
    site = write_site(folder, prices=text)
    there = files_in(folder)
    (fault,) = vpp("plan", site, *days, "--json").faults
    assert (fault["file"], fault["path"]) == (str(site), place)
    assert told in fault["problem"]
    plain = vpp("plan", site, *days)
    assert (plain.code, plain.out) == (2, "")
    assert told in plain.err
    assert files_in(folder) == there


def test_a_day_that_no_series_covers_is_refused_for_every_series(vpp, folder):
    faults = vpp("plan", write_site(folder), "--day", "2026-11-25", "--json").faults
    assert [fault["path"] for fault in faults] == ["assets[1].forecast.file", FILE]
    assert all(fault["problem"].startswith("no row for 2026-11-25T00:00:00Z") for fault in faults)
    assert all(fault["remedy"].startswith("0 of 24 steps are covered.") for fault in faults)


def test_a_span_is_refused_for_the_part_that_is_not_covered(vpp, folder):
    faults = vpp("plan", write_site(folder), "--from", DAY, "--to", "2026-11-24", "--json").faults
    assert all(fault["problem"].startswith("no row for 2026-11-24T00:00:00Z") for fault in faults)
    assert all(fault["remedy"].startswith("24 of 48 steps are covered.") for fault in faults)


def test_a_file_of_prices_on_the_command_line_is_the_one_that_is_faulty(vpp, folder):
    site = write_site(folder, other=hourly("price_per_mwh", P24[:5]))
    (fault,) = vpp("plan", site, "--prices", "other.csv", "--json").faults
    assert fault["path"] == FILE
    assert fault["value"] == f'"{folder / "other.csv"}"'


def test_a_file_of_prices_on_the_command_line_that_is_absent_is_named(vpp, folder):
    (fault,) = vpp("plan", write_site(folder), "--prices", "none.csv", "--json").faults
    assert (fault["path"], fault["problem"]) == (FILE, "no such file")
    assert fault["value"] == f'"{folder / "none.csv"}"'


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [("load", -5, "must be at least 0, and is -5 at 2026-11-23T03:00:00Z"),
     ("solar", 51, "must be 0 to 50, and is 51 at 2026-11-23T03:00:00Z")],
)  # fmt: skip
def test_power_that_an_asset_cannot_have_is_refused(vpp, folder, kind, value, told):
    asset = {"id": "base", "type": kind, "forecast": {"file": "load.csv", "column": "load_kw"}}
    asset |= {"capacity_kw": 50} if kind == "solar" else {}
    load = hourly("load_kw", [*(10,) * 3, value, *(10,) * 20])
    (fault,) = vpp("plan", write_site(folder, changed((("assets", 1), asset)), load=load), "--json").faults
    assert (fault["path"], fault["problem"]) == ("assets[1].forecast.column", told)
    assert "scale" in fault["remedy"]


def test_a_held_quantity_below_nothing_is_refused(vpp, folder):
    product = {"id": "fcr", "kind": "capacity", "direction": "up"}
    site = changed((("markets", 1), {"product": product, "hold_kw": {"file": "held.csv", "column": "kw"}}))
    held = hourly("kw", [5.0] * 12 + [-0.5] * 12)
    (fault,) = vpp("plan", write_site(folder, site, held=held), "--json").faults
    assert fault["path"] == "markets[1].hold_kw.column"
    assert fault["problem"] == "must be at least 0, and is -0.5 at 2026-11-23T12:00:00Z and in 11 more steps"


def test_a_price_out_of_all_reason_is_refused(vpp, folder):
    (fault,) = vpp("plan", write_site(folder, prices=hourly("price_per_mwh", [*P24[:23], 1e30])), "--json").faults
    assert fault["path"] == "markets[0].prices.column"
    assert fault["problem"] == "must be -1e+12 to 1e+12, and is 1e+30 at 2026-11-23T23:00:00Z"


def test_a_mild_scale_makes_a_file_of_megawatts_fit(vpp, folder):
    site = changed((("assets", 1, "forecast", "scale"), 1000))
    load = hourly("load_kw", [kw / 1000 for kw in LOAD_KW])
    by_scale = vpp("plan", write_site(folder, site, load=load), "--json")
    assert by_scale.code == 0, by_scale.err
    assert by_scale.document["objective"] == vpp("plan", write_site(folder), "--json").document["objective"]
