"""What an asset takes from the technology library, and what is said of it."""

import pytest
from pydantic import ValidationError

from optimizer.ageing.schema import Ageing
from optimizer.assets import asset_types
from optimizer.technologies.asset import CURRENCY
from optimizer.technologies.premises import technology_premises
from optimizer.technologies.record import known_technologies
from tests.sites import battery

LIBRARY = known_technologies()
BATTERY = {"id": "one", "type": "battery", "energy_capacity_kwh": 200, "charge_power_kw": 50, "discharge_power_kw": 50}


SIZES = {
    "pumped_hydro": {"reservoir_volume_m3": 1500, "head_m": 100, "pump_unit_power_kw": 100, "turbine_power_kw": 100},
    "hydrogen_storage": {"tank_capacity_kg": 12, "electrolyser_power_kw": 100, "fuel_cell_power_kw": 100},
}
"""Stores of two machines whose fields have other names."""


def read(currency="CNY", **fields):
    """A battery as a site file in this currency says it."""
    return asset_types()["battery"].model_validate(BATTERY | fields, context={CURRENCY: currency})


def test_the_library_has_what_a_site_may_be_built_of():
    assert set(LIBRARY) >= {
        "lfp", "nmc", "lto", "sodium_ion", "semi_solid", "all_solid_state", "lead_carbon",
        "vanadium_flow", "zinc_bromine", "adiabatic_caes", "liquid_air", "co2_store", "flywheel", "supercapacitor",
        "pumped_hydro", "gravity_brick", "hydrogen_loop",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_record_fills_fields_that_its_type_has_with_values_inside_their_ranges(name):
    record = LIBRARY[name]
    schema = asset_types()[record.type]
    for field, value in record.fields.items():
        assert field in schema.model_fields
        assert value.per is None or value.per in schema.model_fields
    assert set(record.ageing) <= set(Ageing.model_fields)
    for value in (*record.fields.values(), *record.ageing.values()):
        assert value.source
        low, high = value.range
        assert low <= high
        assert value.value is None or low <= value.value <= high


@pytest.mark.parametrize(
    ("name", "round_trip"),
    [
        *(("vanadium_flow", 0.65), ("zinc_bromine", 0.69)),
        *(("adiabatic_caes", 0.52), ("liquid_air", 0.545), ("co2_store", 0.75)),
        *(("pumped_hydro", 0.8), ("hydrogen_loop", 0.339)),
    ],
)
def test_at_rated_power_a_store_of_two_machines_gives_back_what_the_library_says(name, round_trip):
    """An hour of charging at 100 kW stores s; discharging at 100 kW that lasts for s / taken hours, standby apart."""
    kind = LIBRARY[name].type
    sizes = SIZES.get(kind, {"energy_capacity_kwh": 400, "charge_power_kw": 100, "discharge_power_kw": 100})
    asset = asset_types()[kind].model_validate({"id": "one", "type": kind, "technology": name} | sizes)
    store = asset.machines()
    stored_kwh = 100 * store.charger.efficiency - store.charger.loss_on_kw
    taken_kw = 100 / store.discharger.efficiency + store.discharger.loss_on_kw
    given_kwh = (store.given_kw(100) + store.charger.load_off_kw) * stored_kwh / taken_kw
    assert given_kwh / store.drawn_kw(100) == pytest.approx(round_trip, abs=0.0005)
    assert LIBRARY[name].facts["round_trip_efficiency"].value == round_trip


def test_every_value_of_a_technology_that_no_fleet_has_measured_is_assumed():
    record = LIBRARY["all_solid_state"]
    values = (*record.fields.values(), *record.ageing.values())
    assert {value.quality for value in values} == {"assumed"}


def test_a_technology_fills_what_is_not_given_and_what_is_given_wins():
    made = read(technology="lfp", charge_efficiency=0.95, max_soc_fraction=1.0)
    assert (made.charge_efficiency, made.max_soc_fraction) == (0.95, 1.0)
    assert (made.discharge_efficiency, made.min_soc_fraction) == (0.9193, 0.1)
    assert made.ageing == Ageing(replacement_cost_per_kwh=495, cycle_life_count=8000, depth_exponent=1.4, calendar=[])


def test_zero_is_a_value_that_is_given():
    assert read(technology="lfp", self_discharge_fraction_per_h=0.0).self_discharge_fraction_per_h == 0
    assert read(technology="lfp", throughput_cost_per_mwh=0.0).ageing is None


def test_the_price_of_wear_is_that_of_the_site_s_currency():
    assert read("EUR", technology="lfp").ageing.replacement_cost_per_kwh == 236.48
    assert read("USD", technology="lfp").ageing is None


def test_an_own_price_takes_life_and_depth_from_the_library():
    ageing = read(technology="nmc", ageing={"replacement_cost_per_kwh": 900}).ageing
    assert (ageing.replacement_cost_per_kwh, ageing.cycle_life_count, ageing.depth_exponent) == (900, 1908, 2.03)
    own = read(technology="nmc", ageing={"replacement_cost_per_kwh": 900, "cycle_coefficient": 5.24e-4}).ageing
    assert (own.cycle_life_count, own.cycle_coefficient) == (None, 5.24e-4)


def test_a_value_per_size_grows_with_the_asset():
    assert read("CNY", technology="all_solid_state").standing_load_kw == pytest.approx(0.4)


def test_a_value_outside_the_range_needs_a_reason_and_is_then_told_with_it():
    with pytest.raises(ValidationError, match=r"must be 0\.88 to 0.99 for technology lfp"):
        read(technology="lfp", charge_efficiency=0.995)
    made = read(technology="lfp", charge_efficiency=0.995, range_override_reason="measured in May")
    told = {premise.verdict: premise.check for premise in technology_premises(made, "CNY")}
    assert told["outside its range"] == "charge_efficiency 0.995 (library: 0.88 to 0.99): measured in May"
    assert told["ok"].startswith("discharge_efficiency 0.9193, ageing.")


def test_what_is_taken_is_told_by_how_well_it_is_known():
    known, assumed = technology_premises(read(technology="lfp"), "CNY")
    assert known.verdict == "ok"
    assert "discharge_efficiency 0.9193" in known.check
    assert "ageing.replacement_cost_per_kwh 495 CNY of 2024-09" in known.check
    assert assumed.verdict == "assumed"
    assert assumed.check == (
        "min_soc_fraction 0.1, max_soc_fraction 0.9, self_discharge_fraction_per_h 2.7e-05, ageing.depth_exponent 1.4"
    )


def test_a_store_of_no_technology_has_nothing_to_tell():
    assert list(technology_premises(battery(), "EUR")) == []


def test_a_record_survives_being_written_and_read():
    made = read(technology="all_solid_state")
    assert type(made).model_validate_json(made.model_dump_json()) == made
