"""Reads a measured state of charge from a CSV file, and finds everything that is wrong with it at once."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import pairwise
from math import isfinite
from pathlib import Path

from vpp.domain.errors import Fault, InputError
from vpp.domain.trace import Trace

TIME_COLUMNS = ("at", "start_utc")
VALUE_COLUMN = "soc_fraction"
ASSET_COLUMN = "asset_id"
NAMED_AT_MOST = 5
"""So many wrong rows are named one by one."""
PERCENTAGE = 100.0
FIRST_LINE = 2
"""Line of the first row; the head stands above it."""


@dataclass(frozen=True)
class Traces:
    """The traces of a file, by asset; all of them under `None` where the file does not say whose they are."""

    by_asset: Mapping[str | None, Trace]

    @property
    def names_assets(self) -> bool:
        """Whether the file says which asset each row belongs to."""
        return None not in self.by_asset


@dataclass(frozen=True)
class _Row:
    line: int
    asset: str | None
    time: str
    value: str


def read_traces(path: Path) -> Traces:
    """Read every trace of a file. Rows of assets whose cells are all empty, such as loads, are left out.

    Raises:
        InputError: with every fault of the file.

    """
    rows = _rows(path)
    faults: list[Fault] = []
    traces: dict[str | None, Trace] = {}
    for asset in dict.fromkeys(row.asset for row in rows):
        own = [row for row in rows if row.asset == asset]
        if asset is not None and all(not row.value for row in own):
            continue
        checked = _Checked(path, own)
        faults += checked.faults()
        if not faults:
            traces[asset] = checked.trace()
    if not faults and not traces:
        faults.append(Fault(str(path), VALUE_COLUMN, "", "is empty in every row", "Name a file with measured values."))
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.line or 0), "nothing was counted")
    return Traces(traces)


def _rows(path: Path) -> list[_Row]:
    """The rows of a file as text.

    Raises:
        InputError: no file, no table, or a column is missing.

    """
    if not path.is_file():
        raise _refused(Fault(str(path), "", "", "no such file", f"Looked for {path.absolute()}."))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns = [name.strip() for name in table.fieldnames or ()]
            table.fieldnames = columns
            time_column = next((name for name in TIME_COLUMNS if name in columns), None)
            missing = list(_missing(path, columns, time_column))
            if missing or time_column is None:
                raise InputError(missing, "nothing was counted")
            rows = [_row(record, time_column, table.line_num) for record in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refused(Fault(str(path), "", "", f"cannot be read: {error}")) from error
    if not rows:
        raise _refused(Fault(str(path), "", "", "has no rows"))
    return rows


def _row(record: Mapping[str, str | None], time_column: str, line: int) -> _Row:
    asset = record.get(ASSET_COLUMN)
    told = asset.strip() if asset is not None else None
    return _Row(line, told, (record[time_column] or "").strip(), (record[VALUE_COLUMN] or "").strip())


def _missing(path: Path, columns: Sequence[str], time_column: str | None) -> Iterator[Fault]:
    has = f"The file has {', '.join(columns)}." if columns else "The file is empty."
    if time_column is None:
        yield Fault(str(path), "start_utc", "–", "no column 'start_utc' or 'at'", has, 1)
    if VALUE_COLUMN not in columns:
        close = get_close_matches(VALUE_COLUMN, columns, 1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        yield Fault(str(path), VALUE_COLUMN, "–", f"no column {VALUE_COLUMN!r}", f"{hint}{has}", 1)


def _refused(fault: Fault) -> InputError:
    return InputError([fault], "nothing was counted")


class _Checked:
    """Rows of one trace, read as instants and numbers."""

    def __init__(self, path: Path, rows: Sequence[_Row]) -> None:
        self._path, self._rows = path, rows
        self._at = [_instant(row.time) for row in rows]
        self._values = [_number(row.value) for row in rows]

    def trace(self) -> Trace:
        """The rows as a trace; they have no fault."""
        at = tuple(instant for instant in self._at if instant is not None)
        return Trace(at, tuple(value for value in self._values if value is not None))

    def faults(self) -> Iterator[Fault]:
        """One fault for each kind, which names the first rows that have it."""
        rows, values, at = self._rows, self._values, self._at
        yield from self._told(
            [row for row, instant in zip(rows, at, strict=True) if instant is None],
            "time",
            "is no instant with a time zone",
            "Write instants in UTC, such as 2026-11-23T04:15:00Z.",
        )
        yield from self._told(
            [row for row, value in zip(rows, values, strict=True) if value is None],
            VALUE_COLUMN,
            "is no number",
            "Leave out rows without a value; a gap is counted as such.",
        )
        outside = [r for r, v in zip(rows, values, strict=True) if v is not None and not 0 <= v <= 1]
        largest = max((value for value in values if value is not None), default=0.0)
        looks_like = 1.5 < largest <= PERCENTAGE  # noqa: PLR2004 - one value slightly above 1 is no percentage
        remedy = "It looks like a percentage. Divide by 100." if looks_like else "A state of charge is a share."
        yield from self._told(outside, VALUE_COLUMN, "must be 0 to 1", remedy)
        known = [(row, instant) for row, instant in zip(rows, at, strict=True) if instant is not None]
        yield from self._told(
            [row for (_, before), (row, now) in pairwise(known) if now < before],
            "time",
            "is earlier than the row before",
            "Sort the rows by time.",
        )
        first = {instant: row for row, instant in reversed(known)}
        repeated = [row for row, instant in known if first[instant] is not row]
        yield from self._told(repeated, "time", "occurs twice", "Keep one row for each instant.")
        if len(rows) == 1:
            yield self._fault(rows[0], VALUE_COLUMN, "is the only value", "A cycle needs two values at least.")

    def _told(self, wrong: Sequence[_Row], place: str, problem: str, remedy: str) -> Iterator[Fault]:
        if not wrong:
            return
        others = [str(row.line) for row in wrong[1:NAMED_AT_MOST]]
        more = f" and {len(wrong) - NAMED_AT_MOST:,} more" if len(wrong) > NAMED_AT_MOST else ""
        also = f"; so in line{'s' if len(others) > 1 or more else ''} {', '.join(others)}{more}" if others else ""
        yield self._fault(wrong[0], place, f"{problem}{also}", remedy)

    def _fault(self, row: _Row, place: str, problem: str, remedy: str) -> Fault:
        whose = f"{row.asset}: " if row.asset else ""
        value = row.value if place == VALUE_COLUMN else row.time
        return Fault(str(self._path), f"{whose}{place}", value or "–", problem, remedy, row.line)


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if instant.tzinfo is None else instant.astimezone(UTC)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
