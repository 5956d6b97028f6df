"""`vpp explain` says why, in words and in JSON, from a plan's folder or its bundle, and refuses what it cannot say.

Pain 15 of users of comparable systems: "why did it do that, and did it earn anything?"
"""

import json
import shutil
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.vpp.site_folder import DAY, changed, hourly, write_site
from vpp.report.files import digest, json_text

APART = ("does", "because", "limits")


@pytest.fixture
def planned(vpp, folder):
    """The folder of a small site's plan."""
    assert vpp("plan", write_site(folder), "--day", DAY, "--bundle").code == 0
    return folder / "out"


def rows_of(folder, asset="bess1"):
    lines = (folder / "plan.csv").read_text().splitlines()[1:]
    return [line.split(",") for line in lines if f",{asset}," in line]


def test_every_asset_is_told_in_spells_that_make_up_its_day(vpp, planned):
    document = vpp("explain", planned, "--json").document
    assert document["is_as_written"]
    assert document["site_id"] == "small"
    bess = document["assets"]["bess1"]
    assert [float(row[2]) for row in rows_of(planned)] == pytest.approx(bess["export_kw"])
    spells = bess["spells"]
    assert spells[0]["start_utc"] == document["starts_utc"][0]
    for before, after in pairwise(spells):
        assert before["end_utc"] == after["start_utc"]
        assert [before[key] for key in APART] != [after[key] for key in APART]
    power = dict(zip(document["starts_utc"], bess["export_kw"], strict=True))
    for spell in spells:
        for start, kw in power.items():
            if spell["start_utc"] <= start < spell["end_utc"]:
                assert spell["does"] == ("charges" if kw < -1e-6 else "discharges" if kw > 1e-6 else "rests")
    assert document["assets"]["base"]["spells"][0]["text"] == "its power is given"


def test_the_text_names_the_spells_the_limits_and_what_has_nothing_to_decide(vpp, planned):
    text = vpp("explain", planned).out
    assert "Why: Small site, Mon 23 Nov 2026" in text
    assert "discharging pays; discharge power" in " ".join(text.split())
    assert "Given, and nothing to decide: base." in text
    assert "What limits it" in text
    assert max(map(len, text.splitlines())) <= 80


def test_one_asset_alone(vpp, planned):
    assert list(vpp("explain", planned, "--asset", "base", "--json").document["assets"]) == ["base"]
    assert "its power is given" in vpp("explain", planned, "--asset", "base").out


def test_a_step_is_told_in_numbers_that_fit_together(vpp, planned):
    document = vpp("explain", planned, "--asset", "bess1", "--at", "19:00", "--json").document
    assert document["does"] == "discharges"
    assert document["because"] == "giving pays"
    assert document["export_kw"] == pytest.approx(100.0)
    assert document["meter_per_mwh"] == pytest.approx(600.0, abs=1e-3)
    stored, above = document["stored_per_mwh"], document["gives_above_per_mwh"]
    assert above == pytest.approx(stored / 0.95 + 20, abs=1e-3)
    (limit,) = document["limits"]
    assert (limit["owner"], limit["name"], limit["bound"]) == ("bess1", "discharge power", 100.0)
    assert limit["worth_per_unit"] == pytest.approx((600 - above) / 1000, abs=1e-6)
    words = " ".join(document["text"])
    assert f"because 600.00 is more than {above:.2f}: each MWh earns {600 - above:.2f}." in words
    assert "95 % of what is taken out comes out" in words


def test_a_step_is_named_by_local_time_or_by_any_instant_in_it(vpp, planned):
    def start(at):
        return vpp("explain", planned, "--asset", "bess1", "--at", at, "--json").document["start_utc"]

    same = ("18:00", "18:59", f"{DAY}T18:30:00Z", f"{DAY}T19:30:00+01:00", f"{DAY}T18:05")
    assert {start(at) for at in same} == {f"{DAY}T18:00:00Z"}


def test_another_power_is_told_by_its_cost_and_by_what_else_changes(vpp, planned):
    document = vpp("explain", planned, "--asset", "bess1", "--at", "19:00", "--want", "0", "--json").document
    instead = document["instead"]
    assert instead["is_possible"]
    net = json.loads((planned / "plan.json").read_text())["objective"]["net"]
    assert instead["cost"] == pytest.approx(net - instead["objective"]["net"])
    assert instead["cost"] > 0
    here = [change for change in instead["changes"] if change["start_utc"] == f"{DAY}T19:00:00Z"]
    assert here[0]["planned_kw"] == pytest.approx(100.0)
    assert here[0]["instead_kw"] == pytest.approx(0.0)
    assert len(instead["changes"]) > 1
    text = vpp("explain", planned, "--asset", "bess1", "--at", "19:00", "--want", "0").out
    assert f"0 kW, 19:00–20:00, instead of +100 kW costs {instead['cost']:.2f} EUR." in text
    assert "What changes" in text


def test_a_power_that_is_not_possible_is_told_by_the_limit_and_the_nearest_that_was_tried(vpp, planned):
    ran = vpp("explain", planned, "--asset", "bess1", "--at", "02:00", "--want", "-150")
    assert ran.code == 0
    text = " ".join(ran.out.split())
    assert "−150 kW, 02:00–03:00, is not possible: it contradicts bess1: charge power." in text
    assert "The nearest that is possible is −100 kW" in text
    instead = vpp("explain", planned, "--asset", "bess1", "--at", "02:00", "--want", "-150", "--json").document[
        "instead"
    ]
    assert not instead["is_possible"]
    assert instead["conflicts"] == [{"owner": "bess1", "limit": "charge power", "starts_utc": [f"{DAY}T02:00:00Z"]}]
    assert instead["nearest_kw"] == pytest.approx(-100.0)


def test_what_is_given_can_be_nothing_else(vpp, planned):
    ran = vpp("explain", planned, "--asset", "base", "--at", "10:00", "--want", "0")
    assert "0 kW, 10:00–11:00, is not possible: its power is given" in " ".join(ran.out.split())
    same = vpp("explain", planned, "--asset", "base", "--at", "10:00", "--want", "-60").out
    assert "costs nothing" in same
    assert "Nothing changes." in same


def test_a_bundle_explains_itself_wherever_it_is(vpp, planned, folder, tmp_path_factory):
    told = vpp("explain", planned, "--json").document
    bundle = shutil.move(planned / "run.zip", tmp_path_factory.mktemp("elsewhere") / "run.zip")
    (folder / "prices.csv").unlink()
    assert vpp("explain", bundle, "--json").document == told


def test_a_plan_from_a_measured_state_is_explained_from_that_state(vpp, folder):
    (folder / "state.yaml").write_text("bess1: {stored_kwh: 30}\n", "utf-8")
    options = ("--now", f"{DAY}T06:20:00Z", "--state", "state.yaml", "--out", "rest")
    assert vpp("plan", write_site(folder), *options).code == 0
    document = vpp("explain", "rest", "--asset", "bess1", "--at", "06:30", "--json").document
    assert document["is_as_written"]
    assert document["start_utc"] == f"{DAY}T06:20:00Z"


def test_inputs_that_changed_or_are_gone_are_all_named_and_nothing_is_explained(vpp, planned, folder):
    (folder / "prices.csv").write_text(hourly("price_per_mwh", [50.0] * 24), "utf-8")
    (folder / "load.csv").unlink()
    ran = vpp("explain", planned, "--json")
    faults = {fault["path"]: fault for fault in ran.faults}
    assert "changed since the plan was made" in faults["prices.csv"]["problem"]
    assert "cannot be read" in faults["load.csv"]["problem"]
    assert all("--bundle" in fault["remedy"] for fault in faults.values())
    assert ran.document["error"]["consequence"] == "nothing was explained"


REFUSED = {
    "an unknown asset": (("--asset", "bess2", "--at", "18:00"), "--asset", "not an asset of this plan", "bess1"),
    "a time of another day": (("--asset", "bess1", "--at", "2026-11-25T10:00:00Z"), "--at", "outside the plan", DAY),
    "no time": (("--asset", "bess1", "--at", "25:00"), "--at", "is no time", "17:15"),
    "a time without an asset": (("--at", "18:00"), "--at", "needs --asset", ""),
    "a power without a time": (("--asset", "bess1", "--want", "5"), "--want", "needs --at", ""),
    "a power that is no number": (("--asset", "bess1", "--at", "18:00", "--want", "much"), "--want", "is no power", ""),
    "a power without end": (("--asset", "bess1", "--at", "18:00", "--want", "inf"), "--want", "is no power", ""),
    "a power that is nothing": (("--asset", "bess1", "--at", "18:00", "--want", "nan"), "--want", "is no power", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_question_that_means_nothing_is_refused_in_words(vpp, planned, name):
    options, place, problem, remedy = REFUSED[name]
    (fault,) = vpp("explain", planned, *options, "--json").faults
    assert fault["path"] == place
    assert problem in fault["problem"]
    assert remedy in fault["remedy"]


def test_every_fault_of_a_question_is_named_at_once(vpp, planned):
    faults = vpp("explain", planned, "--asset", "x", "--at", "2026-11-25T10:00:00Z", "--json").faults
    assert [fault["path"] for fault in faults] == ["--asset", "--at"]


def sealed(document):
    return document | {"seal": digest(json_text({key: value for key, value in document.items() if key != "seal"}))}


BROKEN = {
    "nothing": (lambda d: None, "cannot be read"),
    "no JSON": (lambda d: "{", "is no JSON"),
    "a list": (lambda d: "[]", "is no plan.json"),
    "another net": (lambda d: json.dumps(d | {"idle_net": 1.0}), "was changed since it was written"),
    "no inputs": (lambda d: json.dumps(sealed(d | {"inputs": None})), "does not say what the plan was made from"),
    "no site": (lambda d: json.dumps(sealed(d | {"inputs": d["inputs"] | {"files": []}})), "must name one site file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_holds_no_plan_as_written_is_refused_in_words(vpp, planned, name):
    change, problem = BROKEN[name]
    text = change(json.loads((planned / "plan.json").read_text()))
    (planned / "plan.json").unlink()
    if text is not None:
        (planned / "plan.json").write_text(text, "utf-8")
    (fault,) = vpp("explain", planned, "--json").faults
    assert problem in fault["problem"]


def test_a_plan_that_comes_out_otherwise_now_is_explained_as_it_is_now_and_says_so(vpp, planned):
    document = json.loads((planned / "plan.json").read_text())
    document["files"]["plan.csv"] = "sha256:" + 64 * "0"
    (planned / "plan.json").write_text(json.dumps(sealed(document)), "utf-8")
    assert not vpp("explain", planned, "--json").document["is_as_written"]
    assert "Made again, the plan is not the one in plan.csv" in vpp("explain", planned).out


@pytest.mark.parametrize(("at", "start"), [("02:30A", "2026-10-25T00:00:00Z"), ("02:30B", "2026-10-25T01:00:00Z")])
def test_the_hour_that_clocks_pass_twice_is_told_apart(vpp, folder, at, start):
    site = changed((("site", "timezone"), "Europe/Berlin"))
    begin = datetime(2026, 10, 24, 22, tzinfo=UTC)
    prices, load = ([float(k) for k in range(25)], [10.0] * 25)
    path = write_site(folder, site, prices=hourly("price_per_mwh", prices, begin), load=hourly("load_kw", load, begin))
    assert vpp("plan", path, "--day", "2026-10-25").code == 0
    assert vpp("explain", "out", "--asset", "bess1", "--at", at, "--json").document["start_utc"] == start
    (fault,) = vpp("explain", "out", "--asset", "bess1", "--at", "02:30", "--json").faults
    assert "passed twice" in fault["problem"]


def test_a_time_of_several_days_needs_its_day(vpp, folder):
    values = [float(30 + 40 * (k % 24 > 16)) for k in range(48)]
    path = write_site(folder, prices=hourly("price_per_mwh", values), load=hourly("load_kw", [10.0] * 48))
    assert vpp("plan", path, "--from", DAY, "--to", "2026-11-24").code == 0
    (fault,) = vpp("explain", "out", "--asset", "bess1", "--at", "18:00", "--json").faults
    assert "is a time of several days" in fault["problem"]
    document = vpp("explain", "out", "--asset", "bess1", "--at", "2026-11-24T18:00", "--json").document
    assert document["start_utc"] == "2026-11-24T18:00:00Z"
