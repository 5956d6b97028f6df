"""What a dispatcher knows at its start of the term before."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.vpp.command import ROOT
from tests.vpp.site_folder import SITE, write_site
from tests.vpp.test_replay import COURSE
from vpp.daemon import read_site, remember
from vpp.dispatch.meter import Meter
from vpp.domain.tariff import Counted
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


def test_where_stored_energy_turned_is_found_again_with_what_was_measured_since_the_last_plan(folder):
    with closing(Journal(folder.journal)) as journal:
        journal.append([Entry(NOON, Planned(COURSE, stored_before_kwh={"bess1": (1800.0, 600.0, 700.0)}))])
    store = TelemetryStore(folder.telemetry, Retention(spare_bytes=0))
    for minute, stored_kwh in enumerate((800.0, 900.0, 850.0, 9e9)):
        at = NOON + timedelta(minutes=minute)
        store.add(Telemetry("bess1", at, "boot1", minute, 0.0, Mode.GFL, Quality.GOOD, stored_kwh=stored_kwh))
    store.close()
    with closing(Journal(folder.journal)) as journal:
        site_file = read_site(ROOT / "site_configs" / "tiny.yaml")
        remembered = remember(journal, folder, store, site_file, NOON + timedelta(minutes=10))
    assert remembered.stored_before_kwh == {"bess1": (1800.0, 600.0, 900.0, 850.0)}


DEMAND = {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7, "period": "month", "so_far_kw": 40}


def known_peak_kw(
    folder: StateFolder, planned_at: datetime, now: datetime, *spans: tuple[float, float | None], **fields: object
):
    """After a plan that was told of a peak of 90 kW, and spans of import and charging [kW] since, to an instant."""
    site_file = read_site(write_site(folder.journal.parent, SITE | {"tariff": [DEMAND | fields]}))
    before = Meter("UTC", 3600, site_file.tariff, planned_at, {}).counted
    told = {"demand": Counted(before["demand"].period, 40.0, 90.0, before["demand"].average_start)}
    with closing(Journal(folder.journal)) as journal:
        journal.append([Entry(planned_at, Planned(COURSE, counted=told))])
    store = TelemetryStore(folder.telemetry, Retention(spare_bytes=0))
    for minute, (load_kw, charge_kw) in enumerate(spans):
        for second in range(60):
            at = planned_at + timedelta(minutes=minute, seconds=second)
            for name, kw in (("base", -load_kw), ("bess1", None if charge_kw is None else -charge_kw)):
                if kw is not None:
                    store.add(Telemetry(name, at, "boot1", 60 * minute + second, kw, Mode.GFL, Quality.GOOD))
    store.close()
    with closing(Journal(folder.journal)) as journal:
        remembered = remember(journal, folder, store, site_file, now)
    return Meter("UTC", 3600, site_file.tariff, now, remembered.counted).so_far(now)["demand"].peak_kw


def test_a_restart_knows_the_peak_of_the_month_that_the_last_plan_was_told(folder):
    assert known_peak_kw(folder, NOON, NOON + timedelta(days=5)) == 90.0


def test_a_restart_counts_what_passed_the_meter_since_the_last_plan(folder):
    spans = [(60.0, 50.0)] * 15 + [(10.0, 0.0)] * 15
    assert known_peak_kw(folder, NOON, NOON + timedelta(minutes=31), *spans) == pytest.approx(110.0, rel=1e-3)


def test_a_store_that_delivers_holds_the_peak_down_and_a_value_beyond_its_rating_counts_as_none(folder):
    spans = [(150.0, -60.0)] * 15 + [(60.0, 1e6)] * 15
    assert known_peak_kw(folder, NOON, NOON + timedelta(minutes=31), *spans) == 90.0


def test_a_time_in_which_one_asset_was_silent_counts_as_none(folder):
    spans = [(60.0, 50.0)] * 5 + [(60.0, None)] * 5 + [(60.0, 50.0)] * 5
    assert known_peak_kw(folder, NOON, NOON + timedelta(minutes=31), *spans) == 90.0


def test_a_restart_in_a_new_month_knows_no_peak_though_the_site_file_still_names_the_old_one(folder):
    assert known_peak_kw(folder, NOON, NOON + timedelta(days=8)) == 0.0


def test_a_restart_takes_a_higher_figure_that_was_written_into_the_site_file_meanwhile(folder):
    assert known_peak_kw(folder, NOON, NOON + timedelta(days=8), so_far_kw=200) == 200.0
