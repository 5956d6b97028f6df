"""The files of a plan: their columns, their types, and what their cells say."""

import csv
import json
import os
import re
from datetime import datetime

import pytest

from tests.sites import P24
from tests.vpp.command import Ran
from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import MISSING, changed, hourly, write_site
from vpp.report.files import decimal

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
RESERVE = {
    "product": {"id": "fcr", "kind": "capacity", "direction": "symmetric", "reserve": {"energy_up_h": 0.5}},
    "hold_kw": 20,
}
UP = {"product": {"id": "mfrr", "kind": "capacity", "direction": "up"}, "hold_kw": {"file": "held.csv", "column": "kw"}}
SOLAR = {
    "id": "pv1",
    "type": "solar",
    "capacity_kw": 500,
    "forecast": {"file": "pv.csv", "column": "pv_kw"},
}
HELD = hourly("kw", [10.0 if 8 <= hour < 20 else 0.0 for hour in range(24)])
PV = hourly("pv_kw", [max(0.0, 400 - 12 * (hour - 12) ** 2) for hour in range(24)])


@pytest.fixture
def made(vpp, folder):
    """A plan of a battery, a load and a plant, with two reserves held."""
    values = changed((("assets", 2), SOLAR), (("markets", 1), RESERVE), (("markets", 2), UP))
    told: Ran = vpp("plan", write_site(folder, values, held=HELD, pv=PV), "--json")
    assert told.code == 0, told.err
    return read_plan(folder / "out")


def test_plan_csv_has_the_promised_columns_and_one_per_reserve_and_direction(made, folder):
    with (folder / "out" / "plan.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == [
        "start_utc", "asset_id", "export_kw", "stored_kwh", "soc_fraction", "fcr_up_kw", "fcr_down_kw", "mfrr_up_kw",
    ]  # fmt: skip
    assert len(rows) == 3 * 24
    for start, asset_id, *cells in rows:
        assert INSTANT.fullmatch(start)
        for name, cell in zip(head[2:], cells, strict=True):
            is_given = name == "export_kw" or asset_id == "bess1"
            assert bool(cell) == is_given, (name, asset_id)
            assert re.fullmatch(r"-?\d+(\.\d+)?", cell) or not cell
            assert cell != "-0"


def test_tables_end_their_lines_as_unix_does_and_hold_no_blank_line(made, folder):
    for name in ("plan.csv", "positions.csv"):
        content = (folder / "out" / name).read_bytes()
        assert b"\r" not in content
        assert b"\n\n" not in content
        assert content.endswith(b"\n")


def test_numbers_keep_nine_digits(vpp, folder):
    load = hourly("load_kw", [123.456789012, *(0.123456789,) * 23])
    assert vpp("plan", write_site(folder, load=load)).code == 0
    base = read_plan(folder / "out").of("base")
    assert base[0]["export_kw"] == pytest.approx(-123.456789012, rel=1e-10)
    assert base[1]["export_kw"] == pytest.approx(-0.123456789, rel=1e-9)


def test_the_state_of_charge_is_the_stored_share_of_the_capacity(made):
    for row in made.of("bess1"):
        assert row["soc_fraction"] == pytest.approx(row["stored_kwh"] / 200, abs=1e-9)
        assert 0 <= row["soc_fraction"] <= 1


def test_a_reserve_is_held_in_every_step_with_power_and_energy_behind_it(made):
    before = 100.0
    for row in made.of("bess1"):
        assert row["fcr_up_kw"] >= 20 - 1e-6
        assert row["fcr_down_kw"] >= 20 - 1e-6
        assert row["export_kw"] + row["fcr_up_kw"] + row["mfrr_up_kw"] <= 100 + 1e-6
        assert row["export_kw"] - row["fcr_down_kw"] >= -100 - 1e-6
        assert min(before, row["stored_kwh"]) >= 20 * 0.5 - 1e-6
        before = row["stored_kwh"]


def test_positions_csv_has_one_row_per_product_and_block(made, folder):
    with (folder / "out" / "positions.csv").open(newline="") as file:
        head = next(csv.reader(file))
    assert head == ["start_utc", "end_utc", "product", "direction", "quantity_kw", "price", "price_unit", "cash"]
    kinds = {(row["product"], row["direction"]) for row in made.positions}
    assert kinds == {("energy_day_ahead", "net"), ("fcr", "symmetric"), ("mfrr", "up")}
    energy = [row for row in made.positions if row["product"] == "energy_day_ahead"]
    assert [row["price"] for row in energy] == list(map(float, P24))
    assert {row["price_unit"] for row in energy} == {"per_mwh"}
    held = [row for row in made.positions if row["product"] == "mfrr"]
    assert sum(row["quantity_kw"] for row in held) == 120
    for row in made.positions:
        start, end = (datetime.fromisoformat(row[key]) for key in ("start_utc", "end_utc"))
        assert (end - start).total_seconds() == 3600


def test_plan_json_has_the_promised_members(made):
    document = made.document
    assert list(document)[:3] == ["schema_version", "site_id", "created_utc"]
    assert document["schema_version"] == 1
    assert document["site_id"] == "small"
    assert INSTANT.fullmatch(document["created_utc"])
    assert document["horizon"].items() >= {"start_utc": "2026-11-23T00:00:00Z", "step_s": 3600, "count": 24}.items()
    assert document["status"] in ("optimal", "feasible", "repaired", "fallback")
    assert list(document["objective"]) == ["currency", "net", "energy", "capacity", "wear", "tariff", "penalties"]
    assert set(document["timing_s"]) == {"read", "build", "solve", "verify", "write"}
    assert all(seconds >= 0 for seconds in document["timing_s"].values())
    assert [list(premise) for premise in document["premises"]] == [["input", "age_s", "check", "verdict"]] * 4
    assert document["repairs"] == []
    assert set(document["reserve_cost"]) == {"fcr", "mfrr"}
    assert set(document["verification"]) == {"passed", "worst_violation"}
    assert document["security"] == []
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", document["seal"])
    assert isinstance(document["bound"], float)
    assert isinstance(document["gap_fraction"], float)


def test_a_reserve_costs_the_optimum_without_it_less_the_optimum_with_it(vpp, folder, made):
    without = changed((("assets", 2), SOLAR), (("markets", 1), UP))
    told = vpp("plan", write_site(folder, without, held=HELD, pv=PV), "--json")
    difference = told.document["objective"]["net"] - made.document["objective"]["net"]
    assert made.document["reserve_cost"]["fcr"] == pytest.approx(difference, abs=1e-6)
    assert difference > 0


def test_the_age_of_an_input_is_counted_to_the_start_of_the_plan(vpp, folder):
    site = write_site(folder)
    before_start = datetime.fromisoformat("2026-11-22T22:00:00Z").timestamp()
    os.utime(folder / "prices.csv", (before_start, before_start))
    os.utime(folder / "load.csv", (before_start + 86_400, before_start + 86_400))
    premises = vpp("plan", site, "--json").document["premises"]
    ages = {premise["input"].rsplit(": ", 1)[1]: premise["age_s"] for premise in premises}
    assert ages == {"prices.csv": 7200, "load.csv": 0}


def test_files_are_replaced_whole_and_nothing_unfinished_stays(vpp, folder):
    site = write_site(folder)
    vpp("plan", site)
    first = json.loads((folder / "out" / "plan.json").read_text())
    (folder / "out" / "mine.txt").write_text("kept")
    write_site(folder, prices=hourly("price_per_mwh", [1.0] * 24))
    vpp("plan", site)
    assert json.loads((folder / "out" / "plan.json").read_text())["objective"] != first["objective"]
    names = {path.name for path in (folder / "out").iterdir()}
    assert names == {"plan.csv", "positions.csv", "plan.json", "report.html", "mine.txt"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-1e-14, "0"),
        (100.0, "100"),
        (-0.5, "-0.5"),
        (1 / 3, "0.333333333333"),
        (1e15, "1" + 15 * "0"),
    ],
)
def test_a_number_in_a_table_says_no_more_than_it_knows(value, text):
    assert decimal(value) == text


def test_a_store_with_a_law_of_ageing_has_its_wear_in_plan_json(vpp, folder):
    law = {"replacement_cost_per_kwh": 100, "cycle_life_count": 10_000, "depth_exponent": 1.2,
           "calendar": [{"above_soc_fraction": 0.5, "price_per_mwh_h": 0.5}]}  # fmt: skip
    values = changed((("assets", 0, "ageing"), law), (("assets", 0, "throughput_cost_per_mwh"), MISSING))
    assert vpp("plan", write_site(folder, values)).code == 0
    document = read_plan(folder / "out").document
    ageing = document["ageing"]
    (wear,) = ageing["assets"]
    assert wear["asset"] == "bess1"
    assert ageing["cycling_cost"] + ageing["resting_cost"] == pytest.approx(-document["objective"]["wear"], abs=1e-6)
    assert wear["rainflow_cost"] == ageing["rainflow_cost"] == pytest.approx(100 * 200 * wear["life_used_fraction"])
    assert 0 < wear["rainflow_cost"] == pytest.approx(wear["cycling_cost"], rel=0.05)
    assert wear["resting_cost"] > 0
    assert 0 < wear["full_cycle_count"] < 3


def test_without_a_law_of_ageing_there_is_no_wear_in_plan_json(made):
    assert "ageing" not in made.document
