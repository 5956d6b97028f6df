"""What was measured lately? A store for charts and support that gives way to everything else.

Values are kept in segments, one SQLite file each. The oldest segment is removed as a whole when it is too old, when all
take too much room, or when the disk has little left: removing a file needs no room, so the journal gets it at once.
"""

import os
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from vpp.domain.telemetry import Quality, Telemetry
from vpp.domain.unit import Mode

SEGMENT_COUNT = 16
"""Segments over which the allowed size is spread."""
FLUSH_S = 2.0
FLUSH_COUNT = 5_000
"""Values are written after so many seconds, or so many values."""
WAITING_COUNT = 50_000
"""Most values that wait for the disk; beyond that the oldest are dropped."""
_COLUMNS = (
    "asset_id, at_us, boot_id, seq, export_kw, mode, quality, reactive_kvar, stored_kwh, soc_fraction, frequency_hz, "
    "voltage_pu, temperature_c"
)
_SCHEMA = f"CREATE TABLE IF NOT EXISTS telemetry ({_COLUMNS}, PRIMARY KEY (asset_id, at_us, seq)) WITHOUT ROWID"
_INSERT = "INSERT OR REPLACE INTO telemetry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = f"SELECT {_COLUMNS} FROM telemetry WHERE asset_id = ? AND at_us >= ? AND at_us < ? ORDER BY at_us, seq"  # noqa: S608
_DISCHARGED = """
    SELECT asset_id, SUM(MAX(export_kw, 0) * MIN(next_us - at_us, ?)) / 3.6e9 FROM (
        SELECT asset_id, at_us, export_kw, LEAD(at_us, 1, at_us) OVER (PARTITION BY asset_id ORDER BY at_us) next_us
        FROM telemetry WHERE asset_id IN ({}) AND at_us >= ? AND at_us < ?
    ) GROUP BY asset_id
"""
_BY_MINUTE = """
    SELECT at_us / 60000000, SUM(export_kw * held_us) / 1e6, SUM(held_us) / 1e6 FROM (
        SELECT at_us, export_kw, quality, MIN(LEAD(at_us, 1, at_us) OVER (ORDER BY at_us) - at_us, ?) held_us
        FROM telemetry WHERE asset_id = ? AND at_us >= ? AND at_us < ?
    ) WHERE quality = 'good' AND export_kw BETWEEN ? AND ? GROUP BY 1
"""
_STORED = """
    SELECT AVG(stored_kwh) FROM telemetry
    WHERE asset_id = ? AND at_us >= ? AND at_us < ? AND quality = 'good' AND stored_kwh BETWEEN 0 AND ?
    GROUP BY at_us / 60000000 ORDER BY at_us / 60000000
"""
_LONGEST_US = 60_000_000
"""A power holds for so long at most."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept."""

    age_s: float = 30 * 86_400.0
    size_bytes: int = 2_000_000_000
    spare_bytes: int = 64_000_000
    """Room on the disk that is left to others."""


class TelemetryStore:
    """Takes measured values at once, and writes them when there is time and room.

    Args:
        folder: Where segments lie; it is made where it does not exist.
        retention: How much is kept.

    """

    def __init__(self, folder: Path, retention: Retention | None = None) -> None:
        self.folder, self.retention = folder, retention or Retention()
        self.dropped_count = 0
        """Values that were not written, for want of room or time."""
        self.failure = ""
        """Why the last write failed; empty where it did not."""
        self._waiting: deque[Telemetry] = deque()
        self._lock = Lock()
        self._wake, self._is_closing = Event(), False
        self._thread = Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def add(self, telemetry: Telemetry) -> None:
        """Take a value; never waits for the disk. Its limits and lease are not kept."""
        with self._lock:
            self._waiting.append(telemetry)
            if len(self._waiting) > WAITING_COUNT:
                self._waiting.popleft()
                self.dropped_count += 1
            is_much = len(self._waiting) >= FLUSH_COUNT
        if is_much:
            self._wake.set()

    def discharged_kwh(self, asset_ids: Collection[str], start: datetime, end: datetime) -> dict[str, float]:
        """Energy out of assets in `[start, end)`, as far as it was measured."""
        query = _DISCHARGED.format(", ".join("?" * len(asset_ids)))
        discharged_kwh = dict.fromkeys(asset_ids, 0.0)
        for rows in self._asked(query, (_LONGEST_US, *asset_ids, *_span_us(start, end))):
            for asset_id, kwh in rows:
                discharged_kwh[asset_id] += kwh
        return discharged_kwh

    def by_minute(
        self, asset_id: str, start: datetime, end: datetime, low_kw: float, high_kw: float
    ) -> dict[datetime, tuple[float, float]]:
        """Mean power of an asset [kW] in each minute, and how much of the minute was measured [s].

        Args:
            asset_id: The asset.
            start: First instant, in UTC.
            end: First instant after the span.
            low_kw: Lowest power that is believed.
            high_kw: Highest power that is believed.

        """
        sums: dict[int, tuple[float, float]] = {}
        for rows in self._asked(_BY_MINUTE, (_LONGEST_US, asset_id, *_span_us(start, end), low_kw, high_kw)):
            for minute, kws, seconds in rows:
                before_kws, before_s = sums.get(minute, (0.0, 0.0))
                sums[minute] = before_kws + kws, before_s + seconds
        return {
            _EPOCH + timedelta(minutes=minute): (kws / seconds, min(seconds, 60.0))
            for minute, (kws, seconds) in sums.items()
            if seconds > 0
        }

    def stored_by_minute(self, asset_id: str, start: datetime, end: datetime, capacity_kwh: float) -> Iterator[float]:
        """Mean stored energy in each minute of `[start, end)` that has values from 0 to the capacity, in order."""
        for rows in self._asked(_STORED, (asset_id, *_span_us(start, end), capacity_kwh)):
            yield from (kwh for (kwh,) in rows)

    def history(self, asset_id: str, start: datetime, end: datetime) -> Iterator[Telemetry]:
        """Values of an asset in `[start, end)` that have been written, by the device's clock in each segment."""
        for rows in self._asked(_SELECT, (asset_id, *_span_us(start, end))):
            yield from map(_telemetry, rows)

    def _asked(self, query: str, values: tuple[object, ...]) -> Iterator[list[Any]]:
        """What each segment answers, the oldest first."""
        for path in self._segments():
            try:
                with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                    yield database.execute(query, values).fetchall()
            except sqlite3.Error:  # it was removed meanwhile, or is damaged: what remains is shown
                continue

    def close(self, deadline_s: float = 5.0) -> None:
        """Write what waits, and end the thread; a disk that hangs does not keep the process from ending."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(deadline_s)

    def _run(self) -> None:
        while not self._is_closing:
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            values = tuple(self._waiting)
            self._waiting.clear()
        if not values:
            return
        try:
            self._make_room()
            _write(self._segment(), values)
            self.failure = ""
        except (OSError, sqlite3.Error) as error:
            self.failure = str(error)
            self.dropped_count += len(values)

    def _segment(self) -> Path:
        """The file to write to: the newest one, or another where that is full or has been written for long."""
        segments = self._segments()
        if segments:
            latest, keep = segments[-1], self.retention
            is_full = _size_bytes(latest) * SEGMENT_COUNT >= keep.size_bytes
            is_old = time.time() - _began_s(latest) >= keep.age_s / SEGMENT_COUNT
            if not is_full and not is_old:
                return latest
        number = _number(segments[-1]) + 1 if segments else 1
        return self.folder / f"{number:08d}-{time.time():.0f}.sqlite"

    def _segments(self) -> list[Path]:
        """Segments, the oldest first."""
        return sorted(self.folder.glob("*-*.sqlite"), key=_number)

    def _make_room(self) -> None:
        """Remove the oldest segments until age, size and the disk's free room are as they should be.

        Raises:
            OSError: the disk stays too full.

        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        keep = self.retention
        segments = self._segments()
        while segments:
            is_small = sum(map(_size_bytes, segments)) <= keep.size_bytes
            has_room = shutil.disk_usage(self.folder).free >= keep.spare_bytes
            is_young = time.time() - segments[0].stat().st_mtime <= keep.age_s
            if is_small and has_room and is_young:
                return
            _remove(segments.pop(0))
        if shutil.disk_usage(self.folder).free < keep.spare_bytes:
            raise OSError(f"less than {keep.spare_bytes:,} bytes are free on the disk")


def _write(path: Path, values: Sequence[Telemetry]) -> None:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(path, timeout=1.0)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        with database:
            database.execute(_SCHEMA)
            database.executemany(_INSERT, map(_row, values))


def _span_us(start: datetime, end: datetime) -> tuple[int, int]:
    return (start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND


def _row(value: Telemetry) -> tuple[object, ...]:
    return (
        value.asset_id,
        (value.at - _EPOCH) // _MICROSECOND,
        value.boot_id,
        value.seq,
        value.export_kw,
        value.mode.value,
        value.quality.value,
        value.reactive_kvar,
        value.stored_kwh,
        value.soc_fraction,
        value.frequency_hz,
        value.voltage_pu,
        value.temperature_c,
    )


def _telemetry(row: tuple[Any, ...]) -> Telemetry:
    asset_id, at_us, boot_id, seq, export_kw, mode, quality, *measured = row
    at = _EPOCH + timedelta(microseconds=at_us)
    return Telemetry(asset_id, at, boot_id, seq, float(export_kw), Mode(mode), Quality(quality), *measured)


def _size_bytes(path: Path) -> int:
    """Room that a segment takes, with SQLite's files beside it."""
    return sum(file.stat().st_size for file in _files(path) if file.exists())


def _remove(path: Path) -> None:
    for file in _files(path):
        file.unlink(missing_ok=True)


def _files(path: Path) -> tuple[Path, Path, Path]:
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _number(path: Path) -> int:
    return int(path.stem.split("-")[0])


def _began_s(path: Path) -> float:
    return float(path.stem.split("-")[1])
