"""`vpp ageing`: cycles, gaps, life used and cost of a measured state of charge; and what is wrong with a trace."""

from datetime import datetime, timedelta

import pytest

from tests.vpp.command import files_in
from tests.vpp.site_folder import MISSING, START, changed, write_site

LFP = {"replacement_cost_per_kwh": 700, "cycle_life_count": 8000, "depth_exponent": 1.4}
NMC = {"replacement_cost_per_kwh": 900, "cycle_coefficient": 5.24e-4, "depth_exponent": 2.03}
MODEL = {"cell": "lfp_graphite_250ah", "age_years": 10, "temperature_c": 25}
BESS = ("assets", 0)
PUBLISHED = (0.5, 0.9, 0.1, 0.5)
"""Half-cycles of 0.4, 0.8 and 0.4."""


def aged(folder, law=LFP, *more):
    """A site whose battery has a law of ageing."""
    by_depth = [((*BESS, "ageing"), law), ((*BESS, "throughput_cost_per_mwh"), MISSING)]
    return write_site(folder, changed(*by_depth, *more))


def trace(folder, soc_fraction, step_s=60, head="start_utc,soc_fraction", skip=()):
    """A trace, of which rows may be left out."""
    rows = [f"{START + timedelta(seconds=k * step_s):%Y-%m-%dT%H:%M:%SZ},{v}" for k, v in enumerate(soc_fraction)]
    kept = [row for k, row in enumerate(rows) if k not in skip]
    path = folder / "trace.csv"
    path.write_text("\n".join([head, *kept]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(("law", "used"), [(LFP, 8.0388e-5), (NMC, 2.4813e-4)])
@pytest.mark.parametrize("step_s", [60, 3600])
def test_half_cycles_that_are_not_closed_count_half(vpp, folder, law, used, step_s):
    told = vpp("ageing", aged(folder, law), trace(folder, PUBLISHED, step_s), "--json")
    document = told.document
    (wear,) = document["assets"]
    assert (document["site_id"], document["currency"], wear["asset"]) == ("small", "EUR", "bess1")
    assert wear["life_used_fraction"] == pytest.approx(used, rel=1e-4)
    assert wear["cost"] == pytest.approx(law["replacement_cost_per_kwh"] * 200 * used, rel=1e-4)
    assert wear["full_cycle_count"] == pytest.approx(0.8)
    assert wear["discharged_mwh"] == pytest.approx(0.8 * 0.2 * 0.95)
    assert {d["to_fraction"]: d["cycle_count"] for d in wear["depths"] if d["cycle_count"]} == {0.4: 1.0, 0.8: 0.5}
    assert (wear["gaps"], wear["rest"], wear["forecast"]) == ([], None, None)


def test_the_text_says_life_cost_and_depths(vpp, folder):
    told = vpp("ageing", aged(folder), trace(folder, PUBLISHED))
    text = " ".join(told.out.split())
    assert told.code == 0
    assert "bess1 Mon 23 Nov 2026 00:00 – Mon 23 Nov 2026 00:03 UTC" in text
    assert "4 values, usually one every 1 min. Cycles took 0.00804 % of the store's life, worth 11.25 EUR" in text
    assert "They add up to 0.80 full cycles" in text
    assert "30–40 % 1 0.00347 % ██" in text
    assert "70–80 % 0.5 0.00457 % ████" in text
    assert max(map(len, told.out.splitlines())) <= 80


def test_a_gap_counts_as_half_a_cycle_of_the_whole_window_and_is_told(vpp, folder):
    window = [((*BESS, "min_soc_fraction"), 0.1), ((*BESS, "max_soc_fraction"), 0.9)]
    path = trace(folder, [0.5] * 60, skip=range(20, 26))
    (wear,) = vpp("ageing", aged(folder, LFP, *window), path, "--json").document["assets"]
    assert wear["gaps"] == [{"start_utc": "2026-11-23T00:19:00Z", "length_s": 420.0}]
    assert wear["gap_depth_fraction"] == pytest.approx(0.8)
    assert wear["life_used_fraction"] == wear["gap_life_used_fraction"] == pytest.approx(0.5 * 0.8**1.4 / 8000)
    assert wear["full_cycle_count"] == 0
    text = " ".join(vpp("ageing", aged(folder, LFP, *window), path).out.split())
    assert "1 gap: 7 min from Mon 23 Nov 2026 00:19. It counts as half a cycle of the worst depth, 80 %" in text


def test_five_minutes_without_a_value_are_no_gap(vpp, folder):
    (wear,) = vpp("ageing", aged(folder), trace(folder, [0.5] * 60, skip=range(20, 24)), "--json").document["assets"]
    assert wear["gaps"] == []


def test_values_that_are_rare_are_said_to_hide_cycles_and_are_no_gaps_by_themselves(vpp, folder):
    path = trace(folder, [0.5, 0.7] * 12, step_s=900, skip=(7, 8))
    told = vpp("ageing", aged(folder), path)
    assert "usually one every 15 min. Cycles between two of them are not seen." in " ".join(told.out.split())
    (wear,) = vpp("ageing", aged(folder), path, "--json").document["assets"]
    assert [gap["length_s"] for gap in wear["gaps"]] == [2700.0]


def test_a_measured_depth_beyond_the_window_is_the_worst(vpp, folder):
    window = [((*BESS, "min_soc_fraction"), 0.4), ((*BESS, "max_soc_fraction"), 0.6)]
    path = trace(folder, [0.5, 0.3, *[0.5] * 20], skip=range(8, 18))
    (wear,) = vpp("ageing", aged(folder, LFP, *window), path, "--json").document["assets"]
    assert wear["gap_depth_fraction"] == pytest.approx(0.3)


def test_rest_and_a_forecast_come_from_the_law_of_a_cell(vpp, folder):
    """Ten years at a state of charge of one half cost 3.70 % of the capacity; here it is the last hour of them."""
    law = LFP | {"calendar_model": MODEL}
    (wear,) = vpp("ageing", aged(folder, law), trace(folder, [0.5] * 61), "--json").document["assets"]
    an_hour = 0.0370 * 0.526 / (10 * 365.25 * 24)
    assert wear["rest"]["capacity_lost_fraction"] == pytest.approx(an_hour, rel=1e-3)
    assert wear["rest"]["cost"] == pytest.approx(an_hour / 0.2 * 700 * 200, rel=1e-3)
    assert wear["forecast"] is None  # it never moved


def test_a_forecast_says_when_the_store_is_worn_and_what_is_extrapolated(vpp, folder):
    swing = [0.1 + 0.8 * abs((k % 480) / 240 - 1) for k in range(481)]  # down and up within eight hours
    law = LFP | {"calendar_model": MODEL}
    (wear,) = vpp("ageing", aged(folder, law), trace(folder, swing), "--json").document["assets"]
    forecast = wear["forecast"]
    assert wear["full_cycle_count"] == pytest.approx(0.8)
    per_ten_years = 0.8 * 3 * 3652.5
    kappa = (
        0.1354289 / 3650**0.828 * (4.38e-8 + 1.55e-8 * 0.8 + 1.68e-7 * 0.2) / (4.38e-8 + 1.55e-8 * 0.8 + 1.68e-7 * 0.25)
    )
    assert forecast["cycle_loss_fraction"] == pytest.approx(kappa * per_ten_years**0.828, rel=1e-3)
    assert 0.02 < forecast["calendar_loss_fraction"] < 0.06
    assert 5 < forecast["end_of_life_years"] < 10
    assert forecast["beyond_tests"] == []
    shallow = [0.5 + 0.1 * (k % 2) for k in range(100)]
    text = vpp("ageing", aged(folder, law), trace(folder, shallow)).out
    assert "Extrapolated: depth 10 % (tested 80 to 100); charge rate 6 C" in " ".join(text.split())


def test_the_stores_of_a_plan_are_counted_each_by_its_own_rows(vpp, folder):
    site = aged(folder)
    assert vpp("plan", site).code == 0
    told = vpp("ageing", site, folder / "out" / "plan.csv", "--json")
    assert [wear["asset"] for wear in told.document["assets"]] == ["bess1"]
    assert told.document["assets"][0]["value_count"] == 24


TWIN = {"id": "bess2", "type": "battery", "energy_capacity_kwh": 1, "charge_power_kw": 1, "discharge_power_kw": 1,
        "ageing": LFP}  # fmt: skip


def test_whose_trace_it_is_must_be_said_where_several_stores_age(vpp, folder):
    site = aged(folder, LFP, (("assets", 2), TWIN))
    (fault,) = vpp("ageing", site, trace(folder, PUBLISHED), "--json").faults
    assert (fault["path"], fault["remedy"]) == ("--asset", "Name one of bess1, bess2.")
    told = vpp("ageing", site, trace(folder, PUBLISHED), "--asset", "bess2", "--json")
    assert told.document["assets"][0]["asset"] == "bess2"


@pytest.mark.parametrize(
    ("asset", "path", "told"),
    [
        ("base", "assets[1].ageing", "base has no law of ageing"),
        ("bess", "--asset", "not an asset of this site"),
    ],
)
def test_a_store_that_does_not_age_is_refused(vpp, folder, asset, path, told):
    (fault,) = vpp("ageing", aged(folder), trace(folder, PUBLISHED), "--asset", asset, "--json").faults
    assert (fault["path"], fault["problem"]) == (path, told)


def test_a_site_without_a_law_of_ageing_is_refused(vpp, folder):
    (fault,) = vpp("ageing", write_site(folder), trace(folder, PUBLISHED), "--json").faults
    assert (fault["path"], fault["problem"]) == ("assets", "no store has a law of ageing")


HEAD = "start_utc,soc_fraction\n"
ROWS = "2026-11-23T00:00:00Z,0.5\n2026-11-23T00:01:00Z,0.6\n"
CASES = {
    "above full": (HEAD + ROWS + "2026-11-23T00:02:00Z,1.01\n", "soc_fraction", "1.01", "must be 0 to 1", 4),
    "below empty": (HEAD + "2026-11-22T00:00:00Z,-0.1\n" + ROWS, "soc_fraction", "-0.1", "must be 0 to 1", 2),
    "a percentage": (HEAD + ROWS + "2026-11-23T00:02:00Z,62\n", "soc_fraction", "62", "Divide by 100.", 4),
    "NaN": (HEAD + ROWS + "2026-11-23T00:02:00Z,NaN\n", "soc_fraction", "NaN", "is no number", 4),
    "infinite": (HEAD + ROWS + "2026-11-23T00:02:00Z,inf\n", "soc_fraction", "inf", "is no number", 4),
    "an empty cell": (HEAD + ROWS + "2026-11-23T00:02:00Z,\n", "soc_fraction", "–", "is no number", 4),
    "a short row": (HEAD + ROWS + "2026-11-23T00:02:00Z\n", "soc_fraction", "–", "is no number", 4),
    "a decimal comma": (HEAD + ROWS + '2026-11-23T00:02:00Z,"0,5"\n', "soc_fraction", "0,5", "is no number", 4),
    "a duplicate": (HEAD + ROWS + "2026-11-23T00:01:00Z,0.6\n", "time", "2026-11-23T00:01:00Z", "occurs twice", 4),
    "unsorted": (HEAD + ROWS + "2026-11-22T00:00:00Z,0.6\n", "time", "2026-11-22T00:00:00Z", "Sort the rows", 4),
    "no zone": (HEAD + ROWS + "2026-11-23T00:02:00,0.6\n", "time", "2026-11-23T00:02:00", "with a time zone", 4),
    "no instant": (HEAD + ROWS + "noon,0.6\n", "time", "noon", "is no instant", 4),
    "one value": (HEAD + "2026-11-23T00:00:00Z,0.5\n", "soc_fraction", "0.5", "the only value", 2),
    "another column": ("start_utc,soc\n" + ROWS, "soc_fraction", "–", "The file has start_utc, soc.", 1),
    "no time": ("when,soc_fraction\n" + ROWS, "start_utc", "–", "no column 'start_utc' or 'at'", 1),
    "no rows": (HEAD, "", "", "has no rows", None),
    "a stranger": ("start_utc,asset_id,soc_fraction\n2026-11-23T00:00:00Z,bess,0.5\n2026-11-23T00:01:00Z,bess,0.6\n",
                   "asset_id", '"bess"', 'Did you mean "bess1"?', None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_trace_is_refused_with_what_is_wrong_in_it(vpp, folder, name):
    text, path, value, told, line = CASES[name]
    site, file = aged(folder), folder / "trace.csv"
    file.write_text(text, "utf-8")
    there = files_in(folder)
    (fault,) = vpp("ageing", site, file, "--json").faults
    assert (fault["file"], fault["path"], fault["value"], fault["line"]) == (str(file), path, value, line)
    assert told in f"{fault['problem']} {fault['remedy']}"
    plain = vpp("ageing", site, file)
    assert (plain.code, plain.out) == (2, "")
    assert f"{file}: 1 fault\n" in plain.err
    assert "nothing was counted" in plain.err
    assert files_in(folder) == there


def test_every_fault_of_the_trace_and_of_the_site_is_told_at_once(vpp, folder):
    rows = [f"{START + timedelta(minutes=k):%Y-%m-%dT%H:%M:%SZ},{1.2 if k < 8 else 0.5}" for k in range(12)]
    rows += ["2026-11-23T00:11:00Z,x", "2026-11-23T00:05:30Z,0.5"]
    file = folder / "trace.csv"
    file.write_text("\n".join(["at,soc_fraction", *rows]) + "\n", "utf-8")
    faults = vpp("ageing", aged(folder, LFP | {"depth_exponent": 0.5}), file, "--json").faults
    told = {(fault["path"], fault["line"]): fault["problem"] for fault in faults if fault["file"] == str(file)}
    assert told == {
        ("soc_fraction", 2): "must be 0 to 1; so in lines 3, 4, 5, 6 and 3 more",
        ("soc_fraction", 14): "is no number",
        ("time", 14): "occurs twice",
        ("time", 15): "is earlier than the row before",
    }
    assert [fault["path"] for fault in faults if fault["file"] != str(file)] == ["assets[0].ageing.depth_exponent"]


def test_no_file_no_count(vpp, folder):
    (fault,) = vpp("ageing", aged(folder), folder / "none.csv", "--json").faults
    assert (fault["file"], fault["problem"]) == (str(folder / "none.csv"), "no such file")
    binary = folder / "trace.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    (fault,) = vpp("ageing", aged(folder), binary, "--json").faults
    assert fault["problem"].startswith("cannot be read")


def test_instants_are_told_in_local_time(vpp, folder):
    site = aged(folder, LFP, (("site", "timezone"), "Asia/Shanghai"))
    assert "Mon 23 Nov 2026 08:00 –" in vpp("ageing", site, trace(folder, PUBLISHED)).out
    start = vpp("ageing", site, trace(folder, PUBLISHED), "--json").document["assets"][0]["start_utc"]
    assert datetime.fromisoformat(start) == START
