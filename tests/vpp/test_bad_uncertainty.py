"""Whatever is wrong with scenarios, quantiles and imbalance is named, all at once, and nothing is written."""

import pytest

from tests.sites import P24
from tests.vpp.command import files_in
from tests.vpp.site_folder import changed, hourly, write_site

LOAD = ("assets", 1, "forecast")
PRICES = ("markets", 0, "prices")
SCHEDULED = (("markets", 0, "product"), "energy_scheduled")
BESIDE = {"product": "energy_imbalance", "prices": {"file": "prices.csv", "column": "price_per_mwh"}}


def load(**source):
    return LOAD, {"file": "load.csv"} | source


def wide(**columns):
    """A load with several columns."""
    names, rows = list(columns), zip(*columns.values(), strict=True)
    lines = hourly("x", [",".join(map(str, row)) for row in rows]).splitlines()
    return "\n".join(["start_utc," + ",".join(names), *lines[1:]]) + "\n"


CASES = {
    "weights that do not sum to one": (load(scenarios=["load_kw", "b"], weights=[0.5, 0.25]),
        "assets[1].forecast.weights", "[…]", "must sum to 1, and sum to 0.75. In the same proportions they are 0.6667"),
    "weights of nothing": (load(scenarios=["load_kw", "b"], weights=[0.0, 0.0]), "assets[1].forecast.weights", "[…]",
        "must sum to 1, and sum to 0"),
    "a negative weight": (load(scenarios=["load_kw", "b"], weights=[1.5, -0.5]), "assets[1].forecast.weights[1]",
        "-0.5", "must be at least 0"),
    "too few weights": (load(scenarios=["load_kw", "b", "c"], weights=[0.5, 0.5]), "assets[1].forecast.weights", "[…]",
        "must be 3 numbers, one for each scenario, and are 2"),
    "a weight in words": (load(scenarios=["load_kw"], weights=["all"]), "assets[1].forecast.weights[0]", '"all"',
        "must be a number"),
    "weights without scenarios": (load(column="load_kw", weights=[1.0]), "assets[1].forecast.weights", "[…]",
        "means nothing without scenarios"),
    "no scenarios": (load(scenarios=[]), "assets[1].forecast.scenarios", "[…]", "must name at least 1 column"),
    "scenarios that are a word": (load(scenarios="load_kw"), "assets[1].forecast.scenarios", '"load_kw"',
        "must be a list"),
    "a scenario twice": (load(scenarios=["load_kw", "load_kw"]), "assets[1].forecast.scenarios[1]", '"load_kw"',
        "is named twice"),
    "a scenario that the file does not have": (load(scenarios=["load_kw", "lood_kw"]),
        "assets[1].forecast.scenarios[1]", '"lood_kw"', "no column 'lood_kw'. Did you mean 'load_kw'?"),
    "two quantiles": (load(p10="load_kw", p50="load_kw"), "assets[1].forecast.p90", "–", "p90 is required beside p10"),
    "a column beside scenarios": (load(column="load_kw", scenarios=["load_kw"]), "assets[1].forecast.scenarios", "[…]",
        "stands beside column"),
    "an uncertain quantity held": ((("markets", 1), {"product": {"id": "fcr", "kind": "capacity", "direction": "up"},
        "hold_kw": {"file": "load.csv", "scenarios": ["load_kw"]}}), "markets[1].hold_kw", "{…}",
        "cannot be uncertain: what is held was sold"),
    "a share of one for the worst": ((("planning",), {"cvar_weight": 1.0}), "planning.cvar_weight", "1.0",
        "must be at least 0 and below 1"),
    "the worst of nothing": ((("planning",), {"cvar_alpha": 1.0}), "planning.cvar_alpha", "1.0", "and below 1"),
    "energy sold ahead that nothing settles": (SCHEDULED, "markets[0].product", '"energy_scheduled"',
        "settles beside itself at energy_imbalance, which has no entry"),
    "imbalance of nothing": ((("markets", 1), BESIDE), "markets[1].product", '"energy_imbalance"', "none names it"),
    "an imbalance of a reserve": ((("markets", 1), {"product": {"id": "fcr", "kind": "capacity", "direction": "up",
        "imbalance": "x"}, "hold_kw": 1}), "markets[1].product.imbalance", '"x"',
        "imbalance means nothing for a product of kind capacity"),
    "imbalance with a direction": ((("markets", 1), {"product": {"id": "x", "kind": "imbalance", "direction": "up"},
        "prices": BESIDE["prices"]}), "markets[1].product.direction", '"up"', "must be net for a product of kind imb"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_named_with_its_place_its_value_and_what_is_allowed(vpp, folder, name):
    change, place, written, allowed = CASES[name]
    site = write_site(folder, changed(change))
    there = files_in(folder)
    (fault,) = vpp("plan", site, "--json").faults
    assert (fault["path"], fault["value"]) == (place, written)
    assert allowed in f"{fault['problem']}. {fault['remedy']}"
    assert fault["line"] is not None
    assert files_in(folder) == there


def test_all_uncertain_series_turn_out_together(vpp, folder):
    site = write_site(
        folder,
        changed(
            load(p10="load_kw", p50="load_kw", p90="load_kw"),
            (PRICES, {"file": "prices.csv", "scenarios": ["price_per_mwh", "b"]}),
            (("markets", 1), BESIDE | {"prices": {"file": "prices.csv", "scenarios": ["a", "b", "c"]}}),
            SCHEDULED,
        ),
    )
    told = {fault["path"]: fault["problem"] for fault in vpp("check", site, "--json").faults}
    assert told["markets[0].prices"].startswith("has 2 scenarios, and assets[1].forecast (line ")
    assert told["markets[0].prices"].endswith("has 3")
    assert told["markets[1].prices"].startswith("weighs its scenarios 0.333333, 0.333333, 0.333333, and assets[1].fore")
    assert told["markets[1].prices"].endswith("0.3, 0.4, 0.3")


def test_quantiles_that_cross_are_refused_with_the_step(vpp, folder):
    low, middle = [10] * 24, [*[20] * 5, 5, *[20] * 18]
    site = write_site(
        folder, changed(load(p10="low", p50="middle", p90="high")), load=wide(low=low, middle=middle, high=[30] * 24)
    )
    (fault,) = vpp("plan", site, "--json").faults
    assert fault["path"] == "assets[1].forecast.p50"
    assert fault["problem"] == "is below p10 at 2026-11-23T05:00:00Z"


def test_a_surplus_that_brings_more_than_a_shortfall_costs_is_refused(vpp, folder):
    dearer = [price + 1 for price in P24]
    site = write_site(
        folder,
        changed(SCHEDULED, (("markets", 1), BESIDE | {"export_prices": {"file": "prices.csv", "column": "dearer"}})),
        prices=wide(price_per_mwh=P24, dearer=dearer),
    )
    (fault,) = vpp("plan", site, "--json").faults
    assert fault["path"] == "markets[1].export_prices.column"
    assert fault["problem"].startswith("a surplus brings more than a shortfall costs at 2026-11-23T00:00:00Z and in 23")


def test_energy_sold_ahead_has_one_price(vpp, folder):
    prices = {"file": "prices.csv", "column": "price_per_mwh"}
    site = write_site(folder, changed(SCHEDULED, (("markets", 1), BESIDE), (("markets", 0, "export_prices"), prices)))
    (fault,) = vpp("plan", site, "--json").faults
    assert fault["path"] == "markets[0].export_prices"
    assert "sold ahead" in fault["problem"]


def test_a_gap_in_the_file_of_three_quantiles_is_told_once(vpp, folder):
    text = wide(low=[10] * 20, middle=[20] * 20, high=[30] * 20)
    site = write_site(folder, changed(load(p10="low", p50="middle", p90="high")), load=text)
    (fault,) = vpp("plan", site, "--day", "2026-11-23", "--json").faults
    assert fault["path"] == "assets[1].forecast.file"


def test_many_faults_of_one_series_are_found_in_one_go(vpp, folder):
    site = write_site(folder, changed((LOAD, {"file": "load.csv", "scenarios": ["a", "a"], "weights": [-1, 2, 3]}),
                                      (PRICES, {"file": "prices.csv", "p50": "x", "weights": [1]})))  # fmt: skip
    assert {fault["path"] for fault in vpp("plan", site, "--json").faults} == {
        "assets[1].forecast.scenarios[1]", "assets[1].forecast.weights[0]", "assets[1].forecast.weights",
        "markets[0].prices.p10", "markets[0].prices.p90", "markets[0].prices.weights",
    }  # fmt: skip


def test_one_scenario_is_a_certain_series(vpp, folder, tmp_path):
    certain, one = tmp_path / "certain", tmp_path / "one"
    assert vpp("plan", write_site(folder), "--out", certain).code == 0
    site = write_site(folder, changed((LOAD, {"file": "load.csv", "scenarios": ["load_kw"]})))
    assert vpp("plan", site, "--out", one).code == 0
    assert (one / "plan.csv").read_bytes() == (certain / "plan.csv").read_bytes()


def test_a_scenario_without_weight_is_left_out(vpp, folder):
    never = {"file": "load.csv", "scenarios": ["load_kw", "flood"], "weights": [1, 0]}
    site = write_site(folder, changed((LOAD, never)), load=wide(load_kw=[20] * 24, flood=[9999] * 24))
    told = vpp("plan", site, "--json")
    assert told.code == 0, told.err


def test_what_a_surplus_brings_is_by_default_what_a_shortfall_costs(vpp, folder):
    told = vpp("check", write_site(folder, changed(SCHEDULED, (("markets", 1), BESIDE))))
    assert told.code == 0, told.err
