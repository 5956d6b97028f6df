"""A plan that breaks a promise, as a planner and an operator meet it: files, answers, alarms."""

import json
from dataclasses import replace

import pytest

from tests.snapshots import battery, course
from tests.vpp.command import in_own_process
from tests.vpp.dispatch.stage import Stage
from tests.vpp.site_folder import LOAD_KW, START, changed, hourly, write_site
from vpp.planning import PlanRequest, Stored
from vpp.replanner import Replanner

STORE = {
    "type": "battery", "energy_capacity_kwh": 100, "charge_power_kw": 50, "discharge_power_kw": 50,
    "final_soc_fraction": 0.9,
}  # fmt: skip
TOO_SMALL = (("connection", "import_limit_kw"), 30)
HALF = (("assets", 1, "critical_fraction"), 0.5)


def test_a_repaired_plan_is_written_and_the_command_ends_well(vpp, folder):
    told = vpp("plan", write_site(folder, changed(TOO_SMALL, HALF)), "--json")
    assert told.code == 0
    assert told.document["status"] == "repaired"
    cut = told.document["repairs"][0]
    assert (cut["constraint"], cut["asset"], cut["unit"]) == ("load served", "base", "kWh")
    # From 07:00 to 19:00 30 kW lack, then 5. Before, 7 hours leave 10 kW to charge: 66.5 kWh beside the 100.
    assert cut["amount"] == pytest.approx(12 * 30 + 5 * 5 - (100 + 7 * 10 * 0.95) * 0.95, abs=1e-3)
    assert cut["message"].startswith("load base is cut by ")
    assert {"change", "value", "unit", "owner", "instead_of"} <= cut["alternatives"][0].keys()
    assert told.document["objective"]["penalties"] == 0


def test_a_later_end_is_written_as_an_instant(vpp, folder):
    late = changed((("assets", 0, "final_soc_fraction"), 1.0), (("assets", 0, "charge_power_kw"), 4))
    told = vpp("plan", write_site(folder, late), "--json")
    (repair,) = told.document["repairs"]
    # 24 hours at 4 kW and 95 % bring 91.2 of 100 kWh; 3 more hours bring 11.4.
    assert repair["amount"] == pytest.approx(8.8, abs=1e-4)
    assert repair["alternatives"][0] == {
        "change": "later", "value": "2026-11-24T03:00:00Z", "unit": "utc", "owner": "", "instead_of": None,
    }  # fmt: skip


def test_the_alternatives_of_a_repaired_plan_are_explained_beside_it(vpp, folder):
    write_site(folder, changed(TOO_SMALL, HALF))
    assert vpp("plan", folder / "site.yaml").code == 0
    told = vpp("explain", folder / "out", "--asset", "bess1", "--at", "03:00", "--want", "0", "--json")
    assert told.code == 0
    assert told.document["instead"] is not None


def test_a_bundle_of_a_repaired_plan_makes_the_same_plan(folder):
    site = write_site(folder, changed(TOO_SMALL, HALF))
    assert in_own_process(folder, "plan", site.name, "--bundle").code == 0
    told = in_own_process(folder, "replay", "out/run.zip")
    assert told.code == 0, told.out + told.err


def test_a_running_site_is_given_the_repaired_plan_with_its_sentences(tmp_path):
    two_days = {"prices": hourly("price_per_mwh", [50] * 48), "load": hourly("load_kw", LOAD_KW * 2)}
    site = write_site(tmp_path, changed(TOO_SMALL, HALF), **two_days)
    answer = Replanner(site).plan(PlanRequest(START, {"bess1": Stored(100.0)}, {}))
    assert answer.course is not None
    assert answer.course.status == "repaired"
    (told,) = answer.course.repairs
    assert told.startswith("load base is cut by ")
    assert told.endswith(" (clock of UTC).")


def test_the_alarm_of_a_broken_promise_says_what_is_missing_and_ends_with_a_plan_that_keeps_it():
    stage = Stage(battery())
    broken = replace(course({"bess1": [0.0] * 8}), repairs=("load base is cut by 5 kWh of 20 kWh, 00:00–01:00.",))
    stage.dispatcher.adopt(broken, stage.now)
    assert {alarm.code: alarm.message for alarm in stage.dispatcher.alarms.standing()} == {
        "promise_broken": "load base is cut by 5 kWh of 20 kWh, 00:00–01:00"
    }
    assert json.loads(stage.post.plan(broken).payload)["repairs"] == list(broken.repairs)
    stage.dispatcher.adopt(course({"bess1": [0.0] * 8}), stage.now)
    assert not stage.dispatcher.alarms.standing()


def test_of_many_broken_promises_the_gravest_are_told_and_the_rest_summed_up(vpp, folder):
    """Twelve stores are to hold 90 of 100 kWh at the end and hold 50 + k; none can be charged."""
    stores = [STORE | {"id": f"b{k:02}", "initial_soc_fraction": 0.5 + k / 100} for k in range(12)]
    write_site(folder, changed((("assets",), stores), (("connection", "import_limit_kw"), 0)))
    told = vpp("plan", folder / "site.yaml")
    assert told.code == 0
    lines = [line.strip() for line in told.out.splitlines() if "short" in line or "not kept" in line]
    assert [line.split()[1] for line in lines[:8]] == [f"b{k:02}" for k in range(8)]
    assert lines[8:] == ["4 more promises are not kept, 122 kWh in all."]  # (40 - 8) + ... + (40 - 11)
    assert len(json.loads((folder / "out" / "plan.json").read_text())["repairs"]) == 12
    assert "technology" not in told.out, "a table of stores that all rest says nothing"


def test_pain_8_a_percentage_for_a_share_is_refused_with_the_share_to_write(vpp, folder):
    told = vpp("plan", write_site(folder, changed((("assets", 0, "initial_soc_fraction"), 50))))
    assert told.code == 2
    assert "50 looks like a percentage. Write 0.5." in told.err
