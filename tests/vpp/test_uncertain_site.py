"""A site whose series are uncertain, from its file to what is printed, written and followed."""

from datetime import timedelta

import pytest

from tests.vpp.command import Ran
from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import START, changed, hourly, write_site
from vpp.outlook import look_ahead

PV_KW = {"p10": 0, "p50": 10, "p90": 40}
"""The same in every hour: at 50 EUR/MWh, 80 for a shortfall and 30 for a surplus, 10 kW is what to sell ahead."""
PV = {"id": "pv1", "type": "solar", "capacity_kw": 100, "forecast": {"file": "pv.csv"} | {name: name for name in PV_KW}}
BESIDE = {
    "product": "energy_imbalance",
    "prices": {"file": "prices.csv", "column": "shortfall"},
    "export_prices": {"file": "prices.csv", "column": "surplus"},
}


def columns(count=24, **values):
    """A series of several columns, each of one value."""
    row = ",".join(str(value) for value in values.values())
    return hourly(",".join(values), [row] * count)


def site(folder, *changes, count=24):
    """A plant alone that sells ahead."""
    values = changed((("assets",), [PV]), (("markets", 0, "product"), "energy_scheduled"), (("markets", 1), BESIDE),
                     *changes)  # fmt: skip
    return write_site(folder, values, prices=columns(count, price_per_mwh=50, shortfall=80, surplus=30),
                      pv=columns(count, **PV_KW))  # fmt: skip


@pytest.fixture
def made(vpp, folder):
    """Its plan: what was printed, and its files."""
    told: Ran = vpp("plan", site(folder))
    assert told.code == 0, told.err
    return " ".join(told.out.replace("\u00a0", " ").split()), read_plan(folder / "out")


def test_the_sentence_says_what_each_scenario_comes_to(made):
    """In an hour of p10 10 kW are bought back at 80: 24 × 10 × (50 − 80) / 1000; and so on."""
    text, _ = made
    assert "Earns 12.72 EUR on average over 3 scenarios." in text
    assert "It comes to −7.20 EUR in p10 (30 %), 12.00 EUR in p50 (40 %) and 33.60 EUR in p90 (30 %)." in text
    assert "The worst 5 % come to −7.20 EUR on average. Times and powers are those of p50." in text
    assert "p10 30 % −7.20 0.00 −7.20 p50, shown 40 % 12.00 0.00 12.00 p90 30 % 33.60" in text


def test_plan_json_has_every_scenario_and_the_worst(made):
    document = made[1].document
    assert [(s["name"], s["weight"], s["is_shown"]) for s in document["scenarios"]] == [
        ("p10", 0.3, False), ("p50", 0.4, True), ("p90", 0.3, False),
    ]  # fmt: skip
    assert [s["net"] for s in document["scenarios"]] == pytest.approx([-7.2, 12.0, 33.6])
    assert document["risk"] == {"cvar": pytest.approx(-7.2), "cvar_alpha": 0.95, "cvar_weight": 0.0}
    assert document["objective"]["net"] == pytest.approx(0.3 * -7.2 + 0.4 * 12 + 0.3 * 33.6)


def test_positions_are_what_is_sold_ahead_and_the_mean_of_what_is_beside_it(made):
    """0.3 of the time 10 kW are missing, 0.3 of the time 30 kW are over."""
    first = [row for row in made[1].positions if row["start_utc"] == made[1].starts[0]]
    assert [(row["product"], row["quantity_kw"], row["price"]) for row in first] == [
        ("energy_scheduled", 10.0, 50.0), ("energy_imbalance", 9.0, 30.0), ("energy_imbalance", -3.0, 80.0),
    ]  # fmt: skip
    assert [row["cash"] for row in first] == pytest.approx([0.5, 0.27, -0.24])


def test_plan_csv_is_the_scenario_shown_and_scenarios_csv_is_all(made):
    files = made[1]
    assert {row["export_kw"] for row in files.rows} == {10.0}
    assert {(row["scenario"], row["export_kw"]) for row in files.scenarios} == {
        ("p10", 0.0),
        ("p50", 10.0),
        ("p90", 40.0),
    }
    assert len(files.scenarios) == 3 * len(files.rows)
    assert set(files.document["files"]) == {"plan.csv", "positions.csv", "scenarios.csv"}


def test_the_report_draws_fans_of_what_is_uncertain(made):
    page = made[1].report
    assert "<h2>3 scenarios</h2>" in page
    assert "pv1: available" in page
    assert page.count('<path class="fan"') == 2
    assert "lowest to highest 0.0 to 40.0 kW" in page
    assert "sold ahead, in every scenario" in page


def test_a_certain_site_has_no_scenarios(vpp, folder):
    told = vpp("plan", write_site(folder), "--json")
    assert (told.document["scenarios"], told.document["risk"]) == ([], None)
    files = read_plan(folder / "out")
    assert not (folder / "out" / "scenarios.csv").exists()
    assert "scenarios</h2>" not in files.report
    assert "scenario" not in vpp("plan", write_site(folder)).out


def test_the_more_the_worst_counts_the_less_is_sold_ahead(vpp, folder):
    told = vpp("plan", site(folder, (("planning",), {"cvar_weight": 0.9, "cvar_alpha": 0.7})), "--json")
    assert told.document["risk"] == {"cvar": pytest.approx(0.0), "cvar_alpha": 0.7, "cvar_weight": 0.9}
    assert told.document["objective"]["net"] == pytest.approx(24 * (0.4 * 10 + 0.3 * 40) * 30 / 1000)
    text = " ".join(vpp("plan", site(folder, (("planning",), {"cvar_weight": 0.9, "cvar_alpha": 0.7}))).out.split())
    assert "The worst 30 % come to 0.00 EUR on average, which counts for 90 % of what is maximised." in text


def test_check_says_how_many_scenarios_there_are_and_how_likely(vpp, folder):
    assert "\n  3 scenarios: p10 30 %, p50 40 %, p90 30 %\n" in vpp("check", site(folder)).out
    document = vpp("check", site(folder), "--json").document
    assert document["scenarios"][1] == {"name": "p50", "weight": 0.4}
    assert document["premises"][2]["input"] == "assets[0].forecast: pv.csv p90"


def test_many_scenarios_are_told_by_the_worst_and_the_best(vpp, folder):
    names = [f"s{k}" for k in range(1, 31)]
    forecast = {"file": "many.csv", "scenarios": names}
    path = write_site(folder, changed((("assets",), [PV | {"forecast": forecast}])),
                      many=columns(**{name: k for k, name in enumerate(names, 1)}))  # fmt: skip
    text = " ".join(vpp("plan", path).out.replace("\u00a0", " ").split())
    assert "on average over 30 scenarios" in text
    assert "It comes to from" not in text
    assert "It comes to between" in text
    assert "EUR in s1 and" in text


def test_uncertain_prices_are_planned_for_each_scenario(vpp, folder):
    """Nothing is decided ahead at the meter: the mean of both days planned by themselves."""
    prices = {"file": "prices.csv", "scenarios": ["calm", "wild"], "weights": [0.75, 0.25]}
    path = write_site(folder, changed((("markets", 0, "prices"), prices)), prices=_calm_and_wild())
    both = vpp("plan", path, "--json").document
    alone = []
    for name in ("calm", "wild"):
        source = {"file": "prices.csv", "column": name}
        path = write_site(folder, changed((("markets", 0, "prices"), source)), prices=_calm_and_wild())
        alone.append(vpp("plan", path, "--json").document["objective"]["net"])
    assert [scenario["net"] for scenario in both["scenarios"]] == pytest.approx(alone)
    assert both["objective"]["net"] == pytest.approx(0.75 * alone[0] + 0.25 * alone[1])
    assert 'aria-label="Price:' in (folder / "out" / "report.html").read_text("utf-8")


def _calm_and_wild():
    return hourly("calm,wild", [f"{60 + 5 * (hour % 3)},{60 + 9 * (hour % 12)}" for hour in range(24)])


def test_a_running_site_is_planned_on_the_middle_scenario_and_says_so(folder):
    path = site(folder, count=48)
    case = look_ahead(path, START + timedelta(hours=1), {}, {})
    assert case.problem.scenarios == ()
    assert set(case.problem.series["pv1", "forecast"]) == {10.0}
    (pv,) = [premise for premise in case.premises if "pv.csv" in premise.input]
    assert pv.input == "assets[0].forecast: pv.csv p50"
    assert pv.check == "25 of 25 steps; of 3 scenarios this one alone, until the next plan"
