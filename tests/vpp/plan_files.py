"""Reads the files of a plan back, as another program would."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Files:
    """The files of one plan."""

    document: dict[str, Any]
    rows: list[Row]
    positions: list[Row]
    report: str
    scenarios: list[Row]
    """Rows of every scenario; none where nothing is uncertain."""

    def of(self, asset_id: str) -> list[Row]:
        """The rows of one asset, in order of time."""
        return [row for row in self.rows if row["asset_id"] == asset_id]

    @property
    def starts(self) -> list[str]:
        """The starts of the steps."""
        return list(dict.fromkeys(row["start_utc"] for row in self.rows))

    def site_export_kw(self) -> list[float]:
        """What the site feeds in, step by step."""
        return self._summed(self.rows, {})

    def mean_export_kw(self) -> list[float]:
        """The mean of what the site feeds in over all scenarios, step by step."""
        weights = {scenario["name"]: scenario["weight"] for scenario in self.document["scenarios"]}
        return self._summed(self.scenarios or self.rows, weights)

    def _summed(self, rows: list[Row], weights: dict[str, float]) -> list[float]:
        totals = dict.fromkeys(self.starts, 0.0)
        for row in rows:
            totals[row["start_utc"]] += weights.get(row.get("scenario"), 1.0) * row["export_kw"]
        return list(totals.values())


def read_plan(folder: Path) -> Files:
    """Read all files of a plan; numbers become numbers, empty cells `None`."""
    return Files(
        json.loads((folder / "plan.json").read_text("utf-8")),
        read_table(folder / "plan.csv"),
        read_table(folder / "positions.csv"),
        (folder / "report.html").read_text("utf-8"),
        read_table(folder / "scenarios.csv") if (folder / "scenarios.csv").exists() else [],
    )


def read_table(path: Path) -> list[Row]:
    """Read a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text or None


def net_of(files: Files, price_per_mwh: Sequence[float], step_h: float = 1.0) -> float:
    """What the site's export earns at a price."""
    return sum(kw * step_h * price for kw, price in zip(files.site_export_kw(), price_per_mwh, strict=True)) / 1000


def without_this_run(page: str) -> str:
    """A report without the block that belongs to one run."""
    rest, count = re.subn(r"<!-- this run -->.*?<!-- end of this run -->", "", page, flags=re.DOTALL)
    assert count == 1
    return rest
