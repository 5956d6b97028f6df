"""A published year of a factory: energy and demand to the cent, through the site file."""

import csv
import json
from datetime import UTC, date, datetime

import pytest

from optimizer.tariff.bill import bill
from optimizer.tariff.schema import EnergyFee, PeakCharge, When
from tests.shared import SHARED
from tests.vpp.site_folder import table, write_site
from vpp.domain.horizon import Horizon

CASE = SHARED / "published" / "dervet_bill_reduction.json"
DEMAND = {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7.016, "period": "month",
          "average_minutes": 60}  # fmt: skip
YEAR = Horizon.of_local_days(date(2017, 1, 1), date(2017, 12, 31), "UTC", 3600)


@pytest.fixture(scope="module")
def case():
    if not CASE.exists():
        pytest.skip("the published cases are not beside this checkout")
    return json.loads(CASE.read_text())


@pytest.fixture(scope="module")
def hours(case):
    with (CASE.parent / case["inputs"]).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == YEAR.count
    return {key: [float(row[key]) for row in rows] for key in ("load_kw", "pv_kw", "energy_usd_per_kwh")}


@pytest.fixture(scope="module")
def months(case):
    with (CASE.parent / case["expected_monthly"]).open() as file:
        return list(csv.DictReader(file))


def site_of(case, folder, hours, markets_price):
    starts = [datetime.fromtimestamp(YEAR.start.timestamp() + 3600 * k, UTC) for k in range(YEAR.count)]
    store = case["battery"]
    values = {
        "schema_version": 1,
        "site": {"id": "factory", "timezone": "UTC", "currency": "USD", "step_minutes": 60},
        "connection": {"import_limit_kw": 50_000, "export_limit_kw": 50_000},
        "tariff": [DEMAND],
        "assets": [
            {
                "id": "bess1", "type": "battery", "energy_capacity_kwh": store["energy_kwh"],
                "charge_power_kw": store["charge_kw"], "discharge_power_kw": store["discharge_kw"],
                "charge_efficiency": store["round_trip_efficiency"], "discharge_efficiency": 1.0,
                "initial_soc_fraction": 0.5, "final_soc_fraction": 0.5, "final_soc_max_fraction": 0.5,
            },
            {"id": "pv", "type": "solar", "capacity_kw": 50_000, "forecast": {"file": "pv.csv", "column": "pv_kw"}},
            {"id": "base", "type": "load", "forecast": {"file": "load.csv", "column": "load_kw"}},
        ],
        "markets": [
            {
                "product": "energy_day_ahead",
                "prices": {"file": "prices.csv", "column": "price_per_kwh", "scale": 1000.0},
            }
        ],
    }  # fmt: skip
    return write_site(
        folder,
        values,
        prices=table("price_per_kwh", starts, markets_price),
        load=table("load_kw", starts, hours["load_kw"]),
        pv=table("pv_kw", starts, hours["pv_kw"]),
    )


def test_the_published_bill_of_a_year_is_reached(case, hours, months, vpp, folder):
    site = site_of(case, folder, hours, hours["energy_usd_per_kwh"])
    told = vpp("plan", site, "--from", "2017-01-01", "--to", "2017-12-31", "--json")
    assert told.code == 0, told.err
    plan = json.loads(told.out)
    expected, within = case["expected"], case["tolerance_abs"]
    assert plan["status"] == "optimal"
    assert plan["objective"]["energy"] == pytest.approx(-expected["energy_usd"], abs=within)
    assert plan["objective"]["tariff"] == pytest.approx(-expected["demand_usd"], abs=within)
    assert plan["objective"]["net"] == pytest.approx(-expected["total_usd"], abs=within)
    (entry,) = plan["tariff"]
    assert [period["period"] for period in entry["periods"]] == [month["month"] for month in months]
    for period, month in zip(entry["periods"], months, strict=True):
        assert period["cash"] == pytest.approx(-float(month["demand_usd"]), abs=within)
        assert period["billed_kw"] == pytest.approx(float(month["demand_usd"]) / 7.016, abs=0.01)


def window(entry, number):
    """An entry of the published table; hours there are counted as ending, 1 to 24."""
    is_working_day = entry["Weekday?"]
    return EnergyFee(
        id=f"p{number}",
        kind="energy",
        of="import",
        price_per_mwh=1000 * entry["Value"],
        when=When(
            months=[entry["Start Month"], entry["End Month"]],
            weekdays="weekdays" if is_working_day else "weekends",
            hours=f"{entry['Start Time'] - 1:02}:00-{entry['End Time']:02}:00",
        ),
    )


def test_the_published_bill_without_storage_and_sun_follows_from_the_windows_of_the_tariff(case, hours, months):
    """Fourteen windows and the demand charge, on the load alone."""
    windows = [window(entry, k) for k, entry in enumerate(case["tariff"]) if entry["Charge"] == "Energy"]
    assert len(windows) == 14
    charged = bill((*windows, PeakCharge(**DEMAND)), YEAR, [-kw for kw in hours["load_kw"]], {})
    total = -sum(entry.cash for entry in charged)
    assert total == pytest.approx(case["expected"]["total_without_usd"], abs=case["tolerance_abs"])
    for period, month in zip(charged[-1].periods, months, strict=True):
        assert -period.cash == pytest.approx(float(month["demand_without_usd"]), abs=case["tolerance_abs"])
    energy = -sum(entry.cash for entry in charged[:-1])
    assert energy == pytest.approx(sum(float(m["energy_without_usd"]) for m in months), abs=case["tolerance_abs"])
