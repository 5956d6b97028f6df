"""What a plan says of the technologies it rests on."""

import pytest

from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import changed, write_site

TECHNOLOGY, AGEING = ("assets", 0, "technology"), ("assets", 0, "ageing")
OWN_COST = (AGEING, {"replacement_cost_per_kwh": 300})


def priced(name):
    """The small site with a battery of a technology, whose wear has a price of its own."""
    site = changed((TECHNOLOGY, name), OWN_COST)
    del site["assets"][0]["throughput_cost_per_mwh"]
    return site


def planned(vpp, folder, site):
    told = vpp("plan", write_site(folder, site), "--out", folder / "out")
    assert told.code == 0, told.err
    return read_plan(folder / "out"), " ".join(told.out.split())


def test_another_record_changes_the_library_entry_alone_and_the_plan_says_that_it_is_assumed(vpp, folder):
    iron, _ = planned(vpp, folder, priced("lfp"))
    solid, printed = planned(vpp, folder, priced("all_solid_state"))
    assert [row["asset_id"] for row in iron.rows] == [row["asset_id"] for row in solid.rows]
    said = "Assumed by technology all_solid_state of bess1: charge_efficiency 0.92, discharge_efficiency 0.92"
    assert said in printed
    assert said in solid.report
    assert [p["verdict"] for p in solid.document["premises"] if "technology" in p["input"]] == ["assumed"]
    verdicts = {p["verdict"] for p in iron.document["premises"] if "technology" in p["input"]}
    assert verdicts == {"ok", "assumed"}


def test_a_reason_for_a_value_outside_its_range_stands_in_the_plan(vpp, folder):
    site = changed((("assets", 0), priced("lfp")["assets"][0] | {
        "charge_efficiency": 0.995, "range_override_reason": "measured in May"}))  # fmt: skip
    files, printed = planned(vpp, folder, site)
    assert "charge_efficiency 0.995 (library: 0.88 to 0.99): measured in May." in printed
    (premise,) = [p for p in files.document["premises"] if p["verdict"] == "outside its range"]
    assert premise["check"].endswith("measured in May")


def test_a_check_lists_what_is_taken_from_the_library(vpp, folder):
    told = " ".join(vpp("check", write_site(folder, priced("lfp"))).out.split())
    assert "technology lfp of bess1, ok: charge_efficiency 0.9193, discharge_efficiency 0.9193," in told
    assert "technology lfp of bess1, assumed: min_soc_fraction 0.1, max_soc_fraction 0.9," in told


STORE = {
    "id": "bess1", "type": "battery", "energy_capacity_kwh": 200, "charge_power_kw": 100, "discharge_power_kw": 100,
}  # fmt: skip
PRICED = {"throughput_cost_per_mwh": 20}
BAD = {
    "an unknown technology": (
        PRICED | {"technology": "lfpp"},
        "technology",
        '"lfpp"',
        "not a technology of the library",
        'Did you mean "lfp"? Known for battery: all_solid_state,',
    ),
    "a value outside its technology's range": (
        PRICED | {"technology": "sodium_ion", "charge_efficiency": 0.5},
        "charge_efficiency",
        "0.5",
        "must be 0.9 to 0.97 for technology sodium_ion",
        "say why in range_override_reason",
    ),
    "a power outside its technology's range": (
        PRICED | {"technology": "lead_carbon", "discharge_power_kw": 50},
        "charge_power_kw",
        "100",
        "must be 0 to 60 for technology lead_carbon",
        "say why in range_override_reason",
    ),
    "an ageing outside its technology's range": (
        {"technology": "lfp", "ageing": {"cycle_life_count": 300}},
        "ageing",
        "{…}",
        "cycle_life_count must be 6000 to 10000 for technology lfp",
        "say why in range_override_reason",
    ),
    "a cost in no currency": (
        {"technology": "sodium_ion"},
        "technology",
        '"sodium_ion"',
        "the library has no replacement cost in EUR for it, none in any currency",
        "replacement_cost_per_kwh",
    ),
    "a cost in another currency": (
        {"technology": "lfp", "id": "usd"},
        "technology",
        '"lfp"',
        "no replacement cost in USD for it, only one in CNY (2024-09) and EUR (2022), which is not converted",
        "throughput_cost_per_mwh",
    ),
    "a reason without words": (
        PRICED | {"range_override_reason": ""},
        "range_override_reason",
        '""',
        "at least 1",
        "",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_fault_about_a_technology_is_named_with_its_place_and_what_is_allowed(vpp, folder, name):
    fields, place, written, problem, remedy = BAD[name]
    currency = "USD" if fields.get("id") == "usd" else "EUR"
    site = changed((("assets", 0), STORE | fields), (("site", "currency"), currency))
    (fault,) = vpp("check", write_site(folder, site), "--json").faults
    assert (fault["path"], fault["value"]) == (f"assets[0].{place}", written)
    assert problem in fault["problem"]
    assert remedy in fault["remedy"]
    assert fault["line"] is not None
    assert vpp("plan", write_site(folder, site)).code == 2
