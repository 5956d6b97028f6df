"""What a dispatcher knows at its start of the term before."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.vpp.command import ROOT
from tests.vpp.test_replay import COURSE
from vpp.daemon import read_site, remember
from vpp.domain.telemetry import Quality, Telemetry
from vpp.domain.unit import Mode
from vpp.journal import Journal
from vpp.records import Entry, Planned
from vpp.state_folder import StateFolder
from vpp.telemetry_store import Retention, TelemetryStore

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""In Shanghai, where the tiny site is."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    with closing(StateFolder(tmp_path / "s")) as folder:
        yield folder


def delivered_today_kwh(folder: StateFolder, planned_at: datetime, now: datetime) -> float:
    """After a plan that was told of 500 kWh, and 100 kW ever since."""
    with closing(Journal(folder.journal)) as journal:
        journal.append([Entry(planned_at, Planned(COURSE, {"bess1": 500.0}))])
    store = TelemetryStore(folder.telemetry, Retention(spare_bytes=0))
    for second in range(int((now - planned_at).total_seconds())):
        at = planned_at + timedelta(seconds=second)
        store.add(Telemetry("bess1", at, "boot1", second, 100.0, Mode.GFL, Quality.GOOD))
    store.close()
    with closing(Journal(folder.journal)) as journal:
        site_file = read_site(ROOT / "site_configs" / "tiny.yaml")
        return remember(journal, folder, store, site_file, now).discharged_today_kwh["bess1"]


def test_what_a_store_delivered_today_is_what_the_last_plan_was_told_and_what_was_measured_since(folder):
    assert delivered_today_kwh(folder, NOON, NOON + timedelta(minutes=15)) == pytest.approx(525.0, abs=0.1)


def test_what_was_delivered_before_midnight_counts_for_the_day_before(folder):
    midnight = NOON + timedelta(hours=12)
    at = midnight - timedelta(minutes=10)
    assert delivered_today_kwh(folder, at, midnight + timedelta(minutes=6)) == pytest.approx(10.0, abs=0.1)
