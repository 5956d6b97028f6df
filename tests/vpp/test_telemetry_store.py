import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vpp.domain.telemetry import Quality, Telemetry
from vpp.domain.unit import Mode
from vpp.telemetry_store import WAITING_COUNT, Retention, TelemetryStore

NOW = datetime(2026, 11, 23, 6, 0, 0, 250_000, tzinfo=UTC)
ROOMY = Retention(spare_bytes=0)


def told(k: int, asset: str = "b1") -> Telemetry:
    at = NOW + timedelta(seconds=k)
    return Telemetry(asset, at, "boot1", k, 0.1 * k, Mode.GFL, Quality.SUSPECT, stored_kwh=100.0 - k)


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)


def test_what_was_written_is_found_by_asset_and_time(tmp_path: Path) -> None:
    store = TelemetryStore(tmp_path / "t", ROOMY)
    for k in range(10):
        store.add(told(k))
        store.add(told(k, "b2"))
    store.close()
    found = list(store.history("b1", NOW + timedelta(seconds=3), NOW + timedelta(seconds=6)))
    assert found == [told(3), told(4), told(5)]


def test_a_new_store_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    for k in range(2):
        store = TelemetryStore(tmp_path / "t", ROOMY)
        store.add(told(k))
        store.close()
    assert list(store.history("b1", NOW, NOW + timedelta(hours=1))) == [told(0), told(1)]
    assert len(list((tmp_path / "t").glob("*.sqlite"))) == 1


def test_many_values_are_written_before_the_time_is_over(tmp_path: Path) -> None:
    with closing(TelemetryStore(tmp_path / "t", ROOMY)) as store:
        for k in range(5000):
            store.add(told(k))
        began_s = time.monotonic()
        until(lambda: len(list(store.history("b1", NOW, NOW + timedelta(days=1)))) == 5000)
        assert time.monotonic() - began_s < 1.9


def test_the_oldest_goes_when_all_takes_too_much_room(tmp_path: Path) -> None:
    keep = Retention(size_bytes=400_000, spare_bytes=0)
    for batch in range(40):
        store = TelemetryStore(tmp_path / "t", keep)
        for k in range(batch * 300, batch * 300 + 300):
            store.add(told(k))
        store.close()
        assert sum(file.stat().st_size for file in (tmp_path / "t").iterdir()) < 500_000
    found = list(store.history("b1", NOW, NOW + timedelta(days=1)))
    assert found[-1] == told(11_999)
    assert 0 < found[0].seq < 11_000
    assert [one.seq for one in found] == list(range(found[0].seq, 12_000))


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    keep = replace(ROOMY, age_s=3600.0)
    store = TelemetryStore(tmp_path / "t", keep)
    store.add(told(1))
    store.close()
    (old,) = (tmp_path / "t").glob("*.sqlite")
    os.utime(old, (time.time() - 3700, time.time() - 3700))
    store = TelemetryStore(tmp_path / "t", keep)
    store.add(told(2))
    store.close()
    assert list(store.history("b1", NOW, NOW + timedelta(days=1))) == [told(2)]


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_disk_that_fills_gets_its_room_back_and_later_values_are_kept(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        store = TelemetryStore(disk / "t", Retention(spare_bytes=1_000_000))
        store.add(told(0))
        until(lambda: next(store.history("b1", NOW, NOW + timedelta(days=1)), None) is not None)
        (disk / "others").write_bytes(bytes(3_500_000))
        store.add(told(1))
        until(lambda: store.dropped_count == 1)
        assert "bytes are free" in store.failure
        assert list((disk / "t").iterdir()) == []
        (disk / "others").unlink()
        store.add(told(2))
        store.close()
        assert list(store.history("b1", NOW, NOW + timedelta(days=1))) == [told(2)]
        assert store.failure == ""
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_adding_never_waits_for_a_disk_that_is_held(tmp_path: Path) -> None:
    store = TelemetryStore(tmp_path / "t", ROOMY)
    store.add(told(0))
    until(lambda: next(store.history("b1", NOW, NOW + timedelta(days=1)), None) is not None)
    (segment,) = (tmp_path / "t").glob("*.sqlite")
    with closing(sqlite3.connect(segment, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began_s = time.monotonic()
        for k in range(1, 6001):
            store.add(told(k))
        assert time.monotonic() - began_s < 1.0
        until(lambda: store.dropped_count > 0)
        assert "locked" in store.failure
    store.close()


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    store = TelemetryStore(tmp_path / "t", ROOMY)
    store.close()
    for k in range(WAITING_COUNT + 10):
        store.add(told(k))
    assert store.dropped_count == 10


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    store = TelemetryStore(tmp_path / "t", ROOMY)
    store.add(told(0))
    store.close()
    assert oct((tmp_path / "t").stat().st_mode & 0o777) == "0o700"
    assert {oct(file.stat().st_mode & 0o777) for file in (tmp_path / "t").iterdir()} == {"0o600"}


def test_energy_out_of_an_asset_is_its_power_over_time_without_what_went_in_and_without_gaps(tmp_path: Path) -> None:
    store = TelemetryStore(tmp_path / "t", ROOMY)
    hour_ago = NOW - timedelta(hours=1)
    for k in range(3601):
        store.add(replace(told(0), at=hour_ago + timedelta(seconds=k), seq=k, export_kw=120.0 if k < 1800 else -80.0))
    store.add(replace(told(0, "b2"), at=hour_ago, export_kw=60.0))
    store.add(replace(told(0, "b2"), at=NOW - timedelta(seconds=1), seq=1, export_kw=0.0))
    store.close()
    delivered_kwh = store.discharged_kwh(["b1", "b2", "b3"], hour_ago, NOW)
    assert delivered_kwh == pytest.approx({"b1": 60.0, "b2": 1.0, "b3": 0.0}, abs=1e-9)
    assert store.discharged_kwh(["b1"], NOW - timedelta(minutes=45), NOW)["b1"] == pytest.approx(30.0, abs=1e-9)
