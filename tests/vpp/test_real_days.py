"""Prices, loads and weather as they were published: clock changes, negative prices, quarter-hours, whole years."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from optimizer.planner import plan
from tests.oracle import best_net
from tests.shared import shared_data
from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import as_yaml
from vpp.intake import Request, take_in

DE, NL = "price_de-lu_2023_hourly.csv", "price_nl_2024_hourly.csv"
CN, TEXAS = "price_cn_province_2022_15min.csv", "price_us-tex-erco_2023_hourly.csv"
ZONES = {
    DE: ("Europe/Berlin", "EUR", "price_eur_per_mwh"),
    NL: ("Europe/Amsterdam", "EUR", "price_eur_per_mwh"),
    CN: ("Asia/Shanghai", "CNY", "price_cny_per_mwh"),
    TEXAS: ("America/Chicago", "USD", "price_usd_per_mwh"),
}
STORE = {
    "id": "store",
    "type": "battery",
    "energy_capacity_kwh": 2000,
    "charge_power_kw": 1000,
    "discharge_power_kw": 1000,
    "charge_efficiency": 0.93,
    "discharge_efficiency": 0.93,
    "throughput_cost_per_mwh": 5,
}


@pytest.fixture
def site_on(folder):
    """Write a site that lives on published prices."""

    def write(file, step_minutes=60, assets=(STORE,)):
        zone, currency, column = ZONES[file]
        path = folder / "site.yaml"
        values = {
            "schema_version": 1,
            "site": {"id": "real", "timezone": zone, "currency": currency, "step_minutes": step_minutes},
            "connection": {"import_limit_kw": 3000, "export_limit_kw": 3000},
            "assets": list(assets),
            "markets": [{"product": "energy_day_ahead", "prices": {"file": str(shared_data(file)), "column": column}}],
        }
        path.write_text(as_yaml(values))
        return path

    return write


def local_hours(made, zone):
    return [datetime.fromisoformat(start).astimezone(ZoneInfo(zone)) for start in made.starts]


DAYS = [
    (DE, "2023-03-26", 60, 23),
    (DE, "2023-03-26", 15, 92),
    (NL, "2024-10-27", 60, 25),
    (NL, "2024-10-27", 15, 100),
    (NL, "2024-03-31", 30, 46),
    (DE, "2023-07-02", 60, 24),
    (DE, "2023-12-24", 60, 24),
    (NL, "2024-05-01", 15, 96),
    (CN, "2022-02-09", 15, 96),
    (CN, "2022-04-26", 60, 24),
    (TEXAS, "2023-03-12", 60, 23),
    (TEXAS, "2023-11-05", 60, 25),
]
"""The German day in July fell to −500 EUR/MWh, the one in December was negative throughout; the Chinese days have many
quarter-hours at −80 CNY/MWh."""


@pytest.mark.parametrize("published", DAYS, ids=lambda published: "-".join(map(str, published)))
def test_a_published_day_is_planned_as_long_as_it_was_and_as_well_as_can_be(vpp, folder, site_on, published):
    file, day, minutes, steps = published
    site = site_on(file, minutes)
    told = vpp("plan", site, "--day", day, "--json")
    assert told.code == 0, told.err
    document, made = told.document, read_plan(folder / "out")
    assert document["horizon"]["count"] == steps == len(made.starts)
    assert (document["status"], document["verification"]["passed"]) == ("optimal", True)
    assert {at.date().isoformat() for at in local_hours(made, ZONES[file][0])} == {day}
    gaps = {(b - a).total_seconds() for a, b in pairwise(map(datetime.fromisoformat, made.starts))}
    assert gaps == {minutes * 60}
    case = take_in(Request(site, date.fromisoformat(day)), datetime.now(UTC))
    assert document["objective"]["net"] == pytest.approx(best_net(case.problem), rel=1e-6)


@pytest.mark.parametrize("day", ["2023-07-02", "2023-12-24"])
def test_a_store_is_paid_to_charge_at_negative_prices_and_does_not_burn_energy(vpp, folder, site_on, day):
    """At a negative price charging and discharging at once would earn; the store moves one way."""
    assert vpp("plan", site_on(DE), "--day", day).code == 0
    made = read_plan(folder / "out")
    levels = [1000.0, *(row["stored_kwh"] for row in made.rows)]
    for (before, after), row in zip(pairwise(levels), made.rows, strict=True):
        power = row["export_kw"]
        gained = -power * 0.93 if power < 0 else -power / 0.93
        assert after - before == pytest.approx(gained, abs=1e-6)
    assert made.document["objective"]["net"] > 0


def test_a_plant_is_curtailed_where_feeding_in_would_cost(vpp, folder, site_on):
    """The sun shone as on any summer day: a triangle from six to eighteen UTC."""
    rows = "".join(
        f"2023-07-{day:02d}T{hour:02d}:00:00Z,{max(0, 6 - abs(hour - 12)) * 100}\n"
        for day in (1, 2)
        for hour in range(24)
    )
    (folder / "pv.csv").write_text("start_utc,pv_kw\n" + rows)
    plant = {"id": "pv", "type": "solar", "capacity_kw": 700, "forecast": {"file": "pv.csv", "column": "pv_kw"}}
    site = site_on(DE, assets=[plant])
    told = vpp("plan", site, "--day", "2023-07-02")
    assert told.code == 0, told.err
    assert "It curtails" in told.out
    prices = take_in(Request(site, date(2023, 7, 2)), datetime.now(UTC)).problem.energy.import_price_per_mwh
    for row, price in zip(read_plan(folder / "out").rows, prices, strict=True):
        assert price >= 0 or row["export_kw"] == 0


@pytest.mark.parametrize("minutes", [60, 15])
def test_a_day_that_lacks_two_hours_is_refused_with_both_named(vpp, folder, site_on, minutes):
    (fault,) = vpp("plan", site_on(DE, minutes), "--day", "2023-10-29", "--json").faults
    assert fault["path"] == "markets[0].prices.file"
    assert fault["problem"] == "no row for 2023-10-29T00:00:00Z, 2023-10-29T01:00:00Z"
    covered, steps = (23, 25) if minutes == 60 else (92, 100)
    assert fault["remedy"].startswith(f"{covered} of {steps} steps are covered.")
    assert not (folder / "out").exists()


def test_a_year_that_lacks_two_hours_is_refused_with_both_named(vpp, site_on):
    (fault,) = vpp("plan", site_on(DE), "--from", "2023-01-01", "--to", "2023-12-31", "--json").faults
    assert fault["problem"] == "no row for 2023-10-29T00:00:00Z, 2023-10-29T01:00:00Z"
    assert fault["remedy"].startswith("8,758 of 8,760 steps are covered.")


def test_the_next_day_that_is_whole_is_planned_instead(site_on):
    """Asked on the day that lacks two hours, without a day on the command line."""
    case = take_in(Request(site_on(DE)), datetime(2023, 10, 29, 12, tzinfo=UTC))
    assert case.problem.horizon.local_starts[0].date().isoformat() == "2023-10-30"


def test_a_year_of_hours_is_planned_in_one_solve(vpp, folder, site_on):
    told = vpp("plan", site_on(TEXAS), "--from", "2023-01-01", "--to", "2023-12-31", "--json")
    assert told.code == 0, told.err
    document, made = told.document, read_plan(folder / "out")
    assert document["horizon"]["count"] == 8760 == len(made.rows)
    assert document["status"] == "optimal"
    assert document["verification"]["passed"]
    assert document["objective"]["net"] > document["idle_net"]
    assert len(made.positions) == 8760
    assert sum(row["cash"] for row in made.positions) == pytest.approx(document["objective"]["energy"])


def test_a_week_of_quarter_hours_earns_at_least_what_its_days_earn(vpp, site_on):
    site = site_on(CN, 15)
    days = [f"2022-02-{day:02d}" for day in range(7, 10)]
    alone = sum(vpp("plan", site, "--day", day, "--json").document["objective"]["net"] for day in days)
    together = vpp("plan", site, "--from", days[0], "--to", days[-1], "--json").document
    assert together["horizon"]["count"] == 288
    assert together["objective"]["net"] >= alone - 1e-6 * abs(alone)


def test_measured_load_and_sun_of_a_house_are_scaled_from_their_files(vpp, folder):
    """Prices of the year after, so the house is planned on prices of its own: paid 300, received 60."""
    house = str(shared_data("building_citylearn_1_hourly.csv"))
    rows = [f"2017-05-{day:02d}T{hour:02d}:00:00Z" for day in (1, 2, 3) for hour in range(24)]
    for name, price in (("buy", 300), ("sell", 60)):
        (folder / f"{name}.csv").write_text("start_utc,p\n" + "".join(f"{row},{price}\n" for row in rows))
    site = folder / "site.yaml"
    home = STORE | {"id": "wall", "energy_capacity_kwh": 13, "charge_power_kw": 5, "discharge_power_kw": 5}
    values = {
        "schema_version": 1,
        "site": {"id": "house", "timezone": "America/Los_Angeles", "currency": "USD", "step_minutes": 15},
        "connection": {"import_limit_kw": 15, "export_limit_kw": 15},
        "assets": [
            home,
            {"id": "home", "type": "load", "forecast": {"file": house, "column": "load_kw"}},
            {"id": "roof", "type": "solar", "capacity_kw": 6,
             "forecast": {"file": house, "column": "pv_w_per_kw", "scale": 0.006}},
        ],
        "markets": [{"product": "energy_day_ahead", "prices": {"file": "buy.csv", "column": "p"},
                     "export_prices": {"file": "sell.csv", "column": "p"}}],
    }  # fmt: skip
    site.write_text(as_yaml(values))
    told = vpp("plan", site, "--day", "2017-05-02", "--json")
    assert told.code == 0, told.err
    problem = take_in(Request(site, date(2017, 5, 2)), datetime.now(UTC)).problem
    assert told.document["objective"]["net"] == pytest.approx(best_net(problem), rel=1e-6)
    assert told.document["objective"]["net"] > told.document["idle_net"]
    measured = max(problem.series["roof", "forecast"])
    assert 1 < measured <= 6


def test_profiles_of_a_parquet_file_are_planned_on(vpp, folder):
    """Shares of a nominal power, made kilowatts by a scale; the prices repeat a saw-tooth."""
    file = str(shared_data("profiles_simbench_2016_15min.parquet"))
    (folder / "prices.csv").write_text(
        "start_utc,p\n" + "".join(f"2016-06-{d:02d}T{h:02d}:00:00Z,{30 + 3 * h}\n" for d in (1, 2) for h in range(24))
    )
    values = {
        "schema_version": 1,
        "site": {"id": "farm", "timezone": "Europe/Berlin", "currency": "EUR"},
        "connection": {"import_limit_kw": 2000, "export_limit_kw": 2000},
        "assets": [
            STORE,
            {"id": "farm", "type": "load", "forecast": {"file": file, "column": "load_g0_a_per_unit", "scale": 500}},
            {"id": "wind", "type": "wind", "capacity_kw": 800,
             "forecast": {"file": file, "column": "wind_wp1_per_unit", "scale": 800}},
        ],
        "markets": [{"product": "energy_day_ahead", "prices": {"file": "prices.csv", "column": "p"}}],
    }  # fmt: skip
    (folder / "site.yaml").write_text(as_yaml(values))
    told = vpp("plan", "site.yaml", "--day", "2016-06-02", "--json")
    assert told.code == 0, told.err
    assert told.document["horizon"]["count"] == 96
    assert [premise["check"] for premise in told.document["premises"]] == [
        "96 rows cover 96 of 96 steps",
        "96 rows cover 96 of 96 steps",
        "24 rows of 60 min, held cover 96 of 96 steps",
    ]


def test_a_published_day_planned_twice_is_the_same_to_the_last_digit(site_on):
    case = take_in(Request(site_on(NL, 15), date(2024, 10, 27)), datetime.now(UTC))
    one, two = (plan(case.problem, datetime.now(UTC)) for _ in range(2))
    assert one.schedules == two.schedules
    assert replace(one, timing=two.timing, created=two.created) == two
