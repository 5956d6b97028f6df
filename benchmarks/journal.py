"""What does a journal cost over bare inserts, and how fast is it read back?

The peer inserts the same bytes into a table of its own, with the same settings of SQLite, one transaction each: it has
no hashes, no JSON, no index. A disk that syncs for a few milliseconds hides most of the difference; a fast one shows
it. The decision is that of a site of ten batteries.
"""

import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.timing import Figure, Result, side_by_side
from vpp.domain.override import Action, Answer, AnswerStatus, Request
from vpp.domain.setpoint import Owner, Permit, Setpoint
from vpp.domain.snapshot import Decision, InControl, Snapshot
from vpp.domain.telemetry import Reading, Telemetry, Verdict
from vpp.domain.unit import Connection, Fallback, Kind, Mode, Unit
from vpp.journal import Journal
from vpp.records import Answered, Decided, Entry, Event, Received, encode
from vpp.recovery import KINDS, used_requests

REPETITIONS = 15
COMMITS = 100
"""Transactions in one repetition."""
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
REQUEST_COUNT = 5_000
FOLDER = Path("out")
"""On a real disk; a folder for temporary files may lie in memory."""


def measure(**_: bool) -> list[Result]:
    """Compare commits of small and large records; time verification and a start."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as folder:
        return [*_commits(Path(folder)), *_reading(Path(folder))]


def _commits(folder: Path) -> list[Result]:
    event, decision = Entry(NOW, Event("test", "site", "x" * 80)), Entry(NOW, _decided(10))
    results: list[Result] = []
    for name, entries in (("event", [event]), ("decision of 10 units", [decision]), ("20 events", [event] * 20)):
        with closing(Journal(folder / f"{name}.sqlite")) as journal, closing(_bare(folder / f"{name}.bare")) as bare:
            stored = [(one.at, one.kind, one.body, bytes(32)) for one in map(encode, entries)]
            compared = side_by_side(
                f"{COMMITS} commits of 1 {name}" if len(entries) == 1 else f"{COMMITS} commits of {name}",
                "bare inserts, FULL",
                (_times(lambda j=journal, e=entries: j.append(e)), _times(lambda b=bare, s=stored: _insert(b, s))),
                REPETITIONS,
                None,
            )
        results += [compared, Figure(f"commits of {name}", COMMITS / compared.ours_s, "1/s")]
    return results


def _reading(folder: Path) -> list[Result]:
    with closing(Journal(folder / "long.sqlite")) as journal:
        decision = Entry(NOW, _decided(10))
        for k in range(REQUEST_COUNT // 50):
            requests = [entry for j in range(50) for entry in _asked(50 * k + j)]
            journal.append([*requests, *[decision] * 100])
        count = journal.head().seq
        verify_s = _taken_s(journal.verify)
        used_s = _taken_s(lambda: used_requests(journal.records(KINDS)))
    return [
        Figure("records verified", count / verify_s, "1/s"),
        Figure(f"used requests, {REQUEST_COUNT:,} of them among {count:,} records", used_s, "s"),
    ]


def _times(commit: Callable[[], object]) -> Callable[[int], float]:
    def task(_: int) -> float:
        for _ in range(COMMITS):
            commit()
        return math.nan

    return task


def _bare(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, at, kind, body, hash)")
    return database


def _insert(database: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO records (at, kind, body, hash) VALUES (?, ?, ?, ?)", rows)
    database.execute("COMMIT")


def _taken_s(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def _asked(k: int) -> list[Entry]:
    name = f"{k:032x}"
    until = NOW + timedelta(minutes=5)
    request = Request(name, "ann", "site", "b1", Action.STOP, NOW, until, 900.0, "maintenance", k)
    answer = Answer(name, "ann", NOW, AnswerStatus.ACCEPTED, "ok", "b1 goes to 0.0 kW")
    return [Entry(NOW, Received("ann", "x" * 300, request)), Entry(NOW, Answered(answer))]


def _decided(count: int) -> Decided:
    battery = Unit(
        id="b0",
        kind=Kind.STORAGE,
        charge_kw=100.0,
        discharge_kw=100.0,
        is_controllable=True,
        ramp_kw_per_s=math.inf,
        fallback=Fallback.HOLD,
        energy_capacity_kwh=200.0,
        floor_kwh=20.0,
        ceiling_kwh=180.0,
    )
    units = tuple(replace(battery, id=f"b{k}") for k in range(count))
    readings = {
        unit.id: Reading(
            Verdict.FRESH,
            Telemetry(
                unit.id, NOW, "boot1", k, 40 / (k + 1), Mode.GFL, stored_kwh=200 / (k + 3), soc_fraction=1 / (k + 3)
            ),
            0.123 * k,
        )
        for k, unit in enumerate(units)
    }
    permits = {
        unit.id: Permit(unit.id, 40.0, Mode.GFL, 60.0, math.inf, Owner.PLAN, "plan: discharges at 50 EUR/MWh")
        for unit in units
    }
    setpoints = {unit.id: Setpoint(unit.id, 40.0, Owner.PLAN, "plan: discharges at 50 EUR/MWh") for unit in units}
    snapshot = Snapshot(
        now=NOW,
        tick_s=1.0,
        lease_s=60.0,
        connection=Connection(2000.0, 2000.0),
        units=units,
        readings=readings,
        course_id="p1",
        is_planner_well=True,
        overrides=(),
        signal=None,
        permits=permits,
    )
    return Decided(snapshot, Decision(InControl.PLAN, 1, setpoints), permits)
