"""A small site in a folder: its site file, and the series it refers to."""

import io
from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.sites import P24

DAY = "2026-11-23"
START = datetime(2026, 11, 23, tzinfo=UTC)
LOAD_KW = (*(20,) * 7, *(60,) * 12, *(35,) * 5)
Path_ = Sequence[str | int]

SITE: dict[str, Any] = {
    "schema_version": 1,
    "site": {"id": "small", "name": "Small site", "timezone": "UTC", "currency": "EUR", "step_minutes": 60},
    "connection": {"import_limit_kw": 300, "export_limit_kw": 300},
    "assets": [
        {
            "id": "bess1",
            "type": "battery",
            "energy_capacity_kwh": 200,
            "charge_power_kw": 100,
            "discharge_power_kw": 100,
            "initial_soc_fraction": 0.5,
            "throughput_cost_per_mwh": 20,
        },
        {"id": "base", "type": "load", "forecast": {"file": "load.csv", "column": "load_kw"}},
    ],
    "markets": [{"product": "energy_day_ahead", "prices": {"file": "prices.csv", "column": "price_per_mwh"}}],
}
"""One battery and one load behind one meter, hourly prices, in UTC."""

MISSING = object()
"""Stands for a key that is left out."""


def changed(*changes: tuple[Path_, Any], site: dict[str, Any] = SITE) -> dict[str, Any]:
    """A copy of a site with other values at some paths."""
    values = deepcopy(site)
    for path, value in changes:
        place = values
        for key in path[:-1]:
            place = place[key]
        if value is MISSING:
            del place[path[-1]]
        elif isinstance(place, list) and path[-1] == len(place):
            place.append(value)
        else:
            place[path[-1]] = value
    return values


def table(column: str, starts: Iterable[datetime], values: Iterable[object]) -> str:
    """A series as the text of a CSV file."""
    rows = (f"{start:%Y-%m-%dT%H:%M:%SZ},{value}" for start, value in zip(starts, values, strict=True))
    return "\n".join([f"start_utc,{column}", *rows]) + "\n"


def hourly(column: str, values: Sequence[object], start: datetime = START) -> str:
    """An hourly series as the text of a CSV file."""
    return table(column, [start + timedelta(hours=k) for k in range(len(values))], values)


def write_site(folder: Path, values: dict[str, Any] | str = SITE, **series: str) -> Path:
    """Write a site file and its series, of which `prices` and `load` have contents of their own by default."""
    texts = {"prices": hourly("price_per_mwh", P24), "load": hourly("load_kw", LOAD_KW)} | series
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    path = folder / "site.yaml"
    path.write_text(values if isinstance(values, str) else as_yaml(values), "utf-8")
    return path


def as_yaml(values: dict[str, Any]) -> str:
    """Values as a YAML document in block style."""
    text = io.StringIO()
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.dump(values, text)
    return text.getvalue()
