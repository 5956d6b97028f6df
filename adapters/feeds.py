"""Prices and forecasts from files, for the steps of a horizon."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vpp.domain.horizon import Horizon, local_midnight
from vpp.domain.series import SeriesSource

TIME_COLUMN = "start_utc"
NAMED_AT_MOST = 5
"""So many missing or wrong rows are named one by one."""
DAY_S, HOUR_S = 86_400, 3_600

Seconds = NDArray[np.int64]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Why a series cannot be used, and what to do."""

    text: str
    remedy: str = ""


class UnreadableSeriesError(Exception):
    """A series that cannot be read at all."""

    def __init__(self, part: str, text: str, remedy: str = "") -> None:
        self.part = part
        """Which part of the source is at fault: `file`, `column` or `where`."""
        self.problem = Problem(text, remedy)
        super().__init__(text)


@dataclass(frozen=True)
class Series:
    """A column of a file, in order of time.

    Attributes:
        start_s: Starts of the rows, in seconds since 1970 UTC, rising; a repeated start is a duplicate.
        values: Values in the unit that the plan uses; NaN where there is none.
        text: What is written where a value is no number, by row.
        changed: When the file was last changed.

    """

    start_s: Seconds
    values: Array
    text: dict[int, str]
    changed: datetime

    def problems(self, horizon: Horizon) -> Iterator[Problem]:
        """Everything that keeps the series from saying one value for every step."""
        first, after = self._rows(horizon)
        missing = list(self._missing(horizon))
        if missing:
            yield Problem(
                f"no row for {_named(_instant(second) for second, _ in missing)}",
                f"{_covered(horizon, missing):,} of {horizon.count:,} steps are covered. "
                "Fill the gap, or plan another day.",
            )
        starts = self.start_s[first:after]
        repeated = starts[1:][np.diff(starts) == 0]
        if repeated.size:
            yield Problem(f"more than one row for {_named(map(_instant, repeated))}", "Keep one of them.")
        wrong = [row for row in range(first, after) if not np.isfinite(self.values[row])]
        if wrong:
            told = (f"{self.text.get(row, 'empty or NaN')} at {_instant(self.start_s[row])}" for row in wrong)
            yield Problem(f"no number: {_named(told)}", "Write a number with a decimal point.")

    def local_days(self, timezone: str) -> list[date]:
        """The local days on which a row begins, in order."""
        instants = pd.to_datetime(self.start_s, unit="s", utc=True).tz_convert(timezone)
        return sorted(set(instants.date))

    def covers(self, horizon: Horizon) -> bool:
        """Whether every step has a value."""
        return next(self.problems(horizon), None) is None

    def over(self, horizon: Horizon) -> tuple[float, ...]:
        """One value per step: held where rows are longer than steps, averaged over time where they are shorter.

        The series must have no problems over this horizon.
        """
        edges = _seconds(horizon)
        row = np.searchsorted(self.start_s, edges[:-1], side="right") - 1
        last = np.searchsorted(self.start_s, edges[1:], side="left") - 1
        values = self.values[row]
        for step in np.flatnonzero(last > row):
            rows = slice(row[step], last[step] + 1)
            inner = self.start_s[row[step] + 1 : last[step] + 1]
            lengths = np.diff(np.concatenate([[edges[step]], inner, [edges[step + 1]]]))
            values[step] = np.average(self.values[rows], weights=lengths)
        return tuple(values.tolist())

    def describe(self, horizon: Horizon) -> str:
        """How the rows make up the steps, in words."""
        first, after = self._rows(horizon)
        lengths, counts = np.unique(self._held_s(horizon), return_counts=True)
        minutes, step = lengths[counts.argmax()] / 60, horizon.step_s / 60
        how = "" if minutes == step else f" of {minutes:g} min, {'held' if minutes > step else 'averaged'}"
        return f"{after - first:,} rows{how} cover {horizon.count:,} of {horizon.count:,} steps"

    def _rows(self, horizon: Horizon) -> tuple[int, int]:
        """First row that counts in the horizon, and the row after the last one."""
        edges = _seconds(horizon)
        begin = max(int(np.searchsorted(self.start_s, edges[0], side="right")) - 1, 0)
        first = int(np.searchsorted(self.start_s, self.start_s[begin]))
        return first, int(np.searchsorted(self.start_s, edges[-1], side="left"))

    def _held_s(self, horizon: Horizon) -> Seconds:
        """How long each row counts that counts in the horizon.

        As long as rows usually do on its local day, but no longer than on the days around it: holes do not stretch
        the rows before them, and a market may change its step from one day to the next.
        """
        first, after = self._rows(horizon)
        held_s = np.full(after - first, self._usual_s(0, self.start_s.size) or horizon.step_s, dtype=np.int64)
        day, last = horizon.local_starts[0].date(), horizon.local_starts[-1].date()
        days = [day + timedelta(days=k) for k in range(-2, (last - day).days + 4)]
        edges = np.searchsorted(self.start_s, [local_midnight(d, horizon.timezone).timestamp() for d in days])
        usual = [self._usual_s(*rows) for rows in pairwise(edges.tolist())]
        for k, (begin, end) in enumerate(pairwise(edges.tolist()[1:-1]), 1):
            around = [length for length in (usual[k - 1], usual[k + 1]) if length]
            known = [length for length in (usual[k], max(around, default=None)) if length]
            if known:
                held_s[max(begin - first, 0) : max(end - first, 0)] = min(known)
        held_s[held_s >= DAY_S] += HOUR_S  # a row for a local day lasts until its end, on which clocks may go back
        return held_s

    def _usual_s(self, first: int, after: int) -> int | None:
        """The most frequent distance from one of these rows to the next; `None` where there is no next row."""
        gaps = np.diff(self.start_s[first : after + 1])
        lengths, counts = np.unique(gaps[gaps > 0], return_counts=True)
        return int(lengths[counts.argmax()]) if lengths.size else None

    def _missing(self, horizon: Horizon) -> Iterator[tuple[int, int]]:
        """Spans of the horizon for which there is no row, each as long as a row, in seconds since 1970."""
        edges = _seconds(horizon)
        begin, end = int(edges[0]), int(edges[-1])
        first, after = self._rows(horizon)
        held_s = self._held_s(horizon).tolist()
        held_s.append(held_s[-1] if held_s else self._usual_s(0, self.start_s.size) or horizon.step_s)
        known_until = begin
        for start, length in zip([*self.start_s[first:after].tolist(), end], held_s, strict=True):
            while known_until < min(start, end):
                yield known_until, min(known_until + length, start, end)
                known_until += length
            known_until = max(known_until, start + length)


def _covered(horizon: Horizon, missing: list[tuple[int, int]]) -> int:
    """How many steps touch no missing span; the spans follow one another."""
    edges, spans = _seconds(horizon), np.array(missing)
    begun_before_end = np.searchsorted(spans[:, 0], edges[1:], side="left")
    over_by_start = np.searchsorted(spans[:, 1], edges[:-1], side="right")
    return int((begun_before_end == over_by_start).sum())


def _seconds(horizon: Horizon) -> Seconds:
    return np.array([round(edge.timestamp()) for edge in horizon.edges], dtype=np.int64)


def _instant(second: int) -> str:
    return datetime.fromtimestamp(int(second), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _named(items: Iterable[str]) -> str:
    """A list in words, cut where it grows long."""
    names = list(items)
    rest = f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else ""
    return ", ".join(names[:NAMED_AT_MOST]) + rest


def read_series(source: SeriesSource, folder: Path) -> Series:
    """Read one series.

    Args:
        source: The column that is meant; of one that is uncertain, the middle scenario.
        folder: Where a relative path begins.

    Raises:
        UnreadableSeriesError: no such file or column, rows that cannot be told apart in time, or no rows at all.

    """
    path = folder / source.file
    if not path.is_file():
        raise UnreadableSeriesError("file", "no such file", f"Looked for {path}.")
    table = _table(path, path.stat().st_mtime_ns)
    column = source.middle.column
    for name in (TIME_COLUMN, column, *source.where):
        if name not in table.columns:
            columns = [str(column) for column in table.columns]
            close = get_close_matches(name, columns, 1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            part = "where" if name in source.where else "file" if name == TIME_COLUMN else "column"
            raise UnreadableSeriesError(part, f"no column {name!r}", f"{hint}The file has {', '.join(columns)}.")
    if table.empty:
        raise UnreadableSeriesError("file", "has no rows")
    for name, wanted in source.where.items():
        known = table[name].dropna().astype(str)
        table = table.loc[known.index[known == wanted]]
        if table.empty:
            choice = ", ".join(sorted(set(known))[:NAMED_AT_MOST])
            raise UnreadableSeriesError("where", f"no row with {name} = {wanted!r}", f"There are {choice}.")
    return _series(table[TIME_COLUMN], table[column], source.scale, path)


@lru_cache(maxsize=32)
def _table(path: Path, changed_ns: int) -> pd.DataFrame:  # noqa: ARG001 - a changed file is read again
    try:
        if path.suffix == ".parquet":
            from fastparquet import ParquetFile  # noqa: PLC0415 - costs time and memory that CSV files need not pay

            with path.open("rb") as file:
                table: pd.DataFrame = ParquetFile(file).to_pandas()
            return table
        return pd.read_csv(path)
    except (ValueError, OSError, UnicodeDecodeError, pd.errors.EmptyDataError) as error:
        raise UnreadableSeriesError("file", f"cannot be read: {str(error).strip()}") from error


def _series(times: "pd.Series[Any]", column: "pd.Series[Any]", scale: float, path: Path) -> Series:
    numbers = pd.to_numeric(column, errors="coerce")
    start_s = _starts(times)
    order = np.argsort(start_s, kind="stable")
    values = numbers.to_numpy(dtype=np.float64)[order] * scale
    written = column.to_numpy()[order]
    wrong = [int(row) for row in np.flatnonzero(~np.isfinite(values))]
    text = {row: f"'{written[row]}'" for row in wrong if isinstance(written[row], str) or np.isinf(values[row])}
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Series(start_s[order], values, text, changed)


def _starts(times: "pd.Series[Any]") -> Seconds:
    if not isinstance(times.dtype, pd.DatetimeTZDtype) and times.dtype.kind != "M":
        written = times.astype(str)
        has_zone = written.str.contains(r"(?:Z|[+-]\d\d:\d\d)$")
        if not has_zone.all():
            row = int((~has_zone).to_numpy().argmax())
            raise UnreadableSeriesError(
                "file",
                f"{TIME_COLUMN} of row {row + 1} is {written.iloc[row]!r}, which names no time zone",
                "Write instants in UTC, such as 2026-11-23T04:15:00Z.",
            )
        times = pd.to_datetime(written, utc=True, format="ISO8601", errors="coerce")
    else:
        written = times
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise UnreadableSeriesError(
            "file",
            f"{TIME_COLUMN} of row {row + 1} is {written.iloc[row]!r}, which is no instant",
            "Write instants in UTC, such as 2026-11-23T04:15:00Z.",
        )
    instants = pd.DatetimeIndex(times)
    naive = instants.tz_convert("UTC").tz_localize(None) if instants.tz is not None else instants
    return naive.to_numpy(dtype="datetime64[s]").astype(np.int64)
