"""Plans to report on: those of the shipped sites, and one of four steps whose numbers are checked by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from optimizer.planner import compare, explained
from tests.sites import hours
from vpp.domain.plan import BindingLimit, Money, Plan, Position, Schedule, Status, Verification
from vpp.domain.series import Premise
from vpp.intake import Request, take_in

CONFIGS = Path(__file__).resolve().parents[2] / "site_configs"
CREATED = datetime(2026, 11, 23, 6, tzinfo=UTC)
CHANGE_DAY = date(2026, 10, 25)
"""The day on which clocks go back in Europe, which the shop's series cover."""
SITES = ("tiny", "shop", "station", "wind_park", "solar_park")


@cache
def planned(name: str, first: date | None = None, last: date | None = None) -> Plan:
    """The plan of a shipped site, compared with its stores left alone."""
    case = take_in(Request(CONFIGS / f"{name}.yaml", first, last or first), CREATED)
    return replace(compare(case.problem, explained(case.problem, CREATED)), premises=case.premises)


def store(name: str = "cell", **fields: Any) -> Schedule:
    """A store of 200 kWh that charges 100 kW in the second hour, and gives 90 kW in the fourth."""
    given: dict[str, Any] = {
        "asset_id": name,
        "asset_type": "battery",
        "export_kw": (0.0, -100.0, 0.0, 90.0),
        "available_kw": None,
        "stored_kwh": (50.0, 145.0, 145.0, 50.0),
        "energy_capacity_kwh": 200.0,
        "initial_kwh": 50.0,
        "floor_kwh": (20.0,) * 4,
        "ceiling_kwh": (180.0,) * 4,
        "up_kw": {},
        "down_kw": {},
        "flows": {"charge_kw": (0.0, 100.0, 0.0, 0.0), "discharge_kw": (0.0, 0.0, 0.0, 90.0)},
    }
    return Schedule(**given | fields)


def source(name: str, export_kw: tuple[float, ...], available_kw: tuple[float, ...] | None = None) -> Schedule:
    """A wind park that gives what it is told, out of what it could."""
    nothing = dict.fromkeys(("stored_kwh", "energy_capacity_kwh", "initial_kwh", "floor_kwh", "ceiling_kwh"))
    return store(
        name, asset_type="wind", export_kw=export_kw, available_kw=available_kw or export_kw, flows={}, **nothing
    )


def four_hours(*schedules: Schedule, **fields: Any) -> Plan:
    """Four hours from midnight UTC, at 50, 20, 40 and 100 EUR/MWh. The store alone earns 9 − 2 = 7 EUR."""
    horizon = hours(4)
    given: dict[str, Any] = {
        "site_id": "site",
        "site_name": "Site",
        "created": CREATED,
        "horizon": horizon,
        "status": Status.OPTIMAL,
        "money": Money("EUR", energy=7.0),
        "bound": 7.0,
        "gap_fraction": 0.0,
        "schedules": schedules or (store(),),
        "positions": (
            Position(horizon.starts[1], horizon.ends[1], "energy_day_ahead", "net", -100.0, 20.0, "per_mwh", -2.0),
            Position(horizon.starts[3], horizon.ends[3], "energy_day_ahead", "net", 90.0, 100.0, "per_mwh", 9.0),
        ),
        "import_price_per_mwh": (50.0, 20.0, 40.0, 100.0),
        "export_price_per_mwh": (50.0, 20.0, 40.0, 100.0),
        "import_limit_kw": 150.0,
        "export_limit_kw": 1000.0,
        "limits": (),
        "stored_value_per_mwh": {},
        "verification": Verification(passed=True, worst_violation=1e-9),
        "premises": (Premise("prices.csv", 60.0, "4 rows cover 4 of 4 steps", "ok"),),
        "idle_net": 0.0,
        "model_rows": 5,
        "model_columns": 12,
    }
    return Plan(**given | fields)


def limit(owner: str = "cell", name: str = "charge power", **fields: Any) -> BindingLimit:
    """A limit of 100 kW that binds in the second hour; one kW more would earn 0.05 EUR."""
    given: dict[str, Any] = {"bound": 100.0, "unit": "kW", "steps": (1,), "worth_per_unit": 0.05}
    return BindingLimit(owner=owner, limit=name, **given | fields)
