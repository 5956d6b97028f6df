"""FlexMeasures: its model alone, as its own tests call it, and its whole scheduler on a message as users send it.

The scheduler looks its assets and sensors up in a database. Postgres is not needed for that: one table type that only
Postgres has is written as JSON, and the database is SQLite in memory. No web server and no queue runs.
"""

from datetime import timedelta
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from flask import Flask
from flexmeasures.data.config import configure_db_for, db
from flexmeasures.data.models.generic_assets import GenericAsset, GenericAssetType
from flexmeasures.data.models.planning import FlowCommitment
from flexmeasures.data.models.planning.linear_optimization import device_scheduler
from flexmeasures.data.models.planning.storage import StorageScheduler
from flexmeasures.data.models.planning.utils import initialize_df
from flexmeasures.data.models.time_series import Sensor
from flexmeasures.utils.config_defaults import TestingConfig
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles

from benchmarks.peers.service import Prepared, serve

START = pd.Timestamp("2026-01-01T00:00:00Z")
COLUMNS = [
    "equals", "max", "min", "efficiency", "derivative equals", "derivative max", "derivative min",
    "derivative down efficiency", "derivative up efficiency", "stock delta",
]  # fmt: skip
PACKAGES = ("flexmeasures", "highspy", "pyomo", "sqlalchemy", "timely-beliefs", "pandas", "numpy")


def model_alone(fleet: Any) -> Prepared:
    """`device_scheduler` on tables that stand ready.

    Flows are in kW and stocks in kW × step, counted from the start; a flow into a device is positive. A commitment of
    zero, from which both directions deviate at the energy price, is what buying and selling at one price is there.
    """
    step = timedelta(hours=fleet.step_h)
    frame = partial(initialize_df, COLUMNS, START, START + fleet.steps * step, step)
    meter = frame()
    meter["derivative max"], meter["derivative min"] = fleet.limit_kw, -fleet.limit_kw
    price = pd.Series(fleet.price_per_mwh * fleet.step_h / 1000, index=meter.index)
    everyone = list(range(fleet.count))
    energy = FlowCommitment(
        name="energy",
        quantity=0,
        upwards_deviation_price=price,
        downwards_deviation_price=price,
        index=meter.index,
        device=pd.Series([everyone] * fleet.steps, index=meter.index),
        device_group=pd.Series(["site"] * fleet.count, index=everyone),
    )
    schedule = partial(
        device_scheduler,
        device_constraints=[_device(frame(), fleet, k) for k in everyone],
        ems_constraints=meter,
        commitments=[energy],
        initial_stock=[float(0.5 * capacity_kwh / fleet.step_h) for capacity_kwh in fleet.capacity_kwh],
    )

    def net(outcome: Any) -> float:
        consumed_kw = np.sum([flow.to_numpy() for flow in outcome[0][: fleet.count]], axis=0)
        return _earned(fleet, -consumed_kw)

    return schedule, net


def _device(frame: pd.DataFrame, fleet: Any, k: int) -> pd.DataFrame:
    room = 0.4 * fleet.capacity_kwh[k] / fleet.step_h
    frame["max"], frame["min"] = room, -room
    frame.loc[frame.index[-1], ["max", "min"]] = 0.0
    frame["derivative max"], frame["derivative min"] = fleet.power_kw[k], -fleet.power_kw[k]
    frame["derivative up efficiency"] = fleet.charge_efficiency[k]
    frame["derivative down efficiency"] = fleet.discharge_efficiency[k]
    return frame


def whole_scheduler(fleet: Any) -> Prepared:
    """`StorageScheduler.compute` on the message that would trigger it; sensors and assets stand in the database."""
    site, sensors = _site(fleet.count)
    step = timedelta(hours=fleet.step_h)
    end = START + fleet.steps * step
    prices = [
        {
            "start": (START + t * step).isoformat(),
            "duration": f"PT{60 * fleet.step_h:.0f}M",
            "value": f"{price} EUR/MWh",
        }
        for t, price in enumerate(fleet.price_per_mwh)
    ]

    def run() -> Any:
        scheduler = StorageScheduler(
            asset_or_sensor=site,
            start=START,
            end=end,
            resolution=step,
            belief_time=START,
            flex_model=[_message(fleet, k, sensor, end) for k, sensor in enumerate(sensors)],
            flex_context={"consumption-price": prices, "site-power-capacity": f"{fleet.limit_kw} kW"},
            return_multiple=True,
            round_to_decimals=None,
        )
        return scheduler.compute()

    def net(outcome: Any) -> float:
        schedules_mw = [part["data"].to_numpy() for part in outcome if part["name"] == "storage_schedule"]
        assert len(schedules_mw) == fleet.count
        return _earned(fleet, -1000 * np.sum(schedules_mw, axis=0))

    return run, net


def _message(fleet: Any, k: int, sensor: Sensor, end: pd.Timestamp) -> dict[str, Any]:
    capacity_kwh = fleet.capacity_kwh[k]
    return {
        "sensor": sensor.id,
        "soc-at-start": f"{0.5 * capacity_kwh} kWh",
        "soc-min": f"{0.1 * capacity_kwh} kWh",
        "soc-max": f"{0.9 * capacity_kwh} kWh",
        "soc-targets": [{"datetime": end.isoformat(), "value": f"{0.5 * capacity_kwh} kWh"}],
        "power-capacity": f"{fleet.power_kw[k]} kW",
        "charging-efficiency": f"{100 * fleet.charge_efficiency[k]} %",
        "discharging-efficiency": f"{100 * fleet.discharge_efficiency[k]} %",
        "prefer-charging-sooner": False,
        "prefer-curtailing-later": False,
    }


def _earned(fleet: Any, export_kw: Any) -> float:
    return float((export_kw * fleet.price_per_mwh).sum() * fleet.step_h / 1000)


@cache
def _site(count: int) -> tuple[GenericAsset, list[Sensor]]:
    """A site with batteries below it, each with a sensor of its power."""
    site = GenericAsset(name=f"site of {count}", generic_asset_type=GenericAssetType(name=f"site of {count}"))
    battery = GenericAssetType(name=f"battery of {count}")
    db.session.add_all([site, battery])
    db.session.flush()
    sensors = []
    for k in range(count):
        asset = GenericAsset(name=f"b{k:04d}", generic_asset_type=battery, parent_asset_id=site.id)
        db.session.add(asset)
        sensors.append(Sensor(name="power", generic_asset=asset, unit="MW", event_resolution=timedelta(minutes=15)))
    db.session.add_all(sensors)
    db.session.commit()
    return site, sensors


@compiles(JSONB, "sqlite")
def _json(*_: Any, **__: Any) -> str:
    return "JSON"


if __name__ == "__main__":
    app = Flask("peer")
    app.config.from_object(TestingConfig)
    app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", SQLALCHEMY_ENGINE_OPTIONS={}, LOGGING_LEVEL="INFO")
    configure_db_for(app)
    with app.app_context():
        db.create_all()
        serve(PACKAGES, {"model_alone": model_alone, "whole_scheduler": whole_scheduler})
