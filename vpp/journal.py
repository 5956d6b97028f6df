"""What was known, decided, asked and sent? An append-only journal in which no record can be changed unseen.

Each record's hash covers the hash before it and the record's own bytes. SQLite in WAL mode with a sync at every commit
keeps what was acknowledged when the process is killed; after a loss of power it keeps what the disk really wrote.
"""

import heapq
import os
import sqlite3
import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from vpp.domain.errors import UnavailableError
from vpp.records import Encoded, Entry, Kind, Record, decode, encode

APPLICATION_ID = 0x7670_706A
"""Marks a database as a journal; "vppj"."""
FORMAT = 1
LOCKED_S = 1.0
"""How long to wait for another process that holds the database."""
TAIL_COUNT = 100
"""Records at the end whose hashes are checked when a journal is opened."""
PAGE_COUNT = 500
"""Records read in one go; short reads let the writer fold its log back into the database."""
_GENESIS = bytes(32)
_MOVE = "Look at it with `vpp audit verify`, and move it away to start a new one."
_TABLE = """CREATE TABLE records (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL
)"""
_INDEX = "CREATE INDEX records_by_kind ON records (kind)"
_SCHEMA = f"""
BEGIN IMMEDIATE;
{_TABLE};
{_INDEX};
CREATE TRIGGER records_stay BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;
CREATE TRIGGER records_keep BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
COMMIT;
"""
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_BUSY: "another process holds it locked",
    sqlite3.SQLITE_LOCKED: "it is locked",
    sqlite3.SQLITE_IOERR: "input or output failed",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "it is not a database",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
}
_ALL = "SELECT seq, at, kind, body, hash FROM records WHERE seq > :seq ORDER BY seq LIMIT :count"
_OF_KIND = "SELECT seq, at, kind, body, hash FROM records WHERE kind = :kind AND seq > :seq ORDER BY seq LIMIT :count"
_NEWEST = "SELECT seq, at, kind, body, hash FROM records WHERE kind = :kind AND seq < :seq ORDER BY seq DESC LIMIT 16"
_Row = tuple[int, str, str, bytes, bytes]
_T = TypeVar("_T")


class JournalError(UnavailableError):
    """The journal cannot be read or written."""

    def __init__(self, path: Path, reason: str, remedy: str = "Free space, or see to the folder's rights.") -> None:
        self.path = path
        super().__init__(f"journal {path}", reason, remedy)


@dataclass(frozen=True, slots=True)
class Head:
    """The last record. Whoever keeps one elsewhere can later prove that nothing up to it was cut off or replaced."""

    seq: int
    """0 while there is no record."""
    hash: str
    """In hexadecimal."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record that is not as it was written."""

    seq: int
    at: str | None
    """Instant that stands in it; `None` where nothing can be read."""
    problem: str


class JournalReader:
    """A journal as it stands on disk; another process may be writing it.

    Raises:
        JournalError: no such file, or not a journal.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise JournalError(path, "there is no such file")
        # Read-only media have no place for SQLite's shared memory; without a log there is nothing to share.
        log = path.with_name(f"{path.name}-wal")
        is_settled = not os.access(path.parent, os.W_OK) and (not log.exists() or log.stat().st_size == 0)
        mode = "mode=ro&immutable=1" if is_settled else "mode=ro"
        self._database = self._try(lambda: self._connect(f"{path.absolute().as_uri()}?{mode}"))
        try:
            self._try(self._check_format)
        except JournalError:
            self._database.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def head(self) -> Head:
        """The last record."""
        rows = self._rows("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1")
        return Head(rows[0][0], bytes(rows[0][1]).hex()) if rows else Head(0, _GENESIS.hex())

    def records(self, kinds: Collection[Kind] | None = None, since_seq: int = 0) -> Iterator[Record]:
        """Records in their order.

        Args:
            kinds: Only these; the index finds them without reading the others.
            since_seq: Only records after this one.

        Raises:
            JournalError: a record cannot be read.

        """
        streams = [self._pages(None, since_seq)] if kinds is None else [self._pages(k, since_seq) for k in kinds]
        for row in heapq.merge(*streams, key=lambda row: row[0]):
            yield self._decoded(row)

    def newest(self, kind: Kind) -> Iterator[Record]:
        """Records of one kind, the last one first.

        Raises:
            JournalError: a record cannot be read.

        """
        before_seq = 2**62
        while rows := self._rows(_NEWEST, {"seq": before_seq, "kind": kind}):
            for row in rows:
                yield self._decoded(row)
            before_seq = rows[-1][0]

    def verify(self, published: Head | None = None) -> Broken | None:
        """Look for the first record that was changed, removed, moved or put in.

        Whoever can write the file can also cut records off its end, or write all hashes anew from some record on. Both
        show only against a head that was published before.

        Args:
            published: A head that was kept elsewhere.

        Returns:
            The first broken record; `None` where every hash holds.

        """
        seq, digest = 0, _GENESIS
        try:
            for row in self._pages(None, -(2**63)):
                broken = _broken(row, seq + 1, digest)
                if broken is not None:
                    return broken
                seq, digest = row[0], row[4]
                if published is not None and published.seq == seq and published.hash != digest.hex():
                    return Broken(seq, row[1], f"its hash is {digest.hex()}, the published one is {published.hash}")
        except JournalError as error:
            return Broken(seq + 1, None, error.reason)
        if published is not None and published.seq > seq:
            return Broken(seq + 1, None, f"cut off from here to record {published.seq}")
        return self._broken_index(seq)

    def span(self) -> tuple[str, str] | None:
        """Instants of the first and the last record; `None` without any."""
        first = self._rows("SELECT at FROM records ORDER BY seq LIMIT 1")
        last = self._rows("SELECT at FROM records ORDER BY seq DESC LIMIT 1")
        return (str(first[0][0]), str(last[0][0])) if first and last else None

    def _decoded(self, row: _Row) -> Record:
        seq, at, kind, body, digest = row
        try:
            return decode(seq, Encoded(at, kind, body), digest)
        except (TypeError, ValueError, AttributeError) as error:
            raise JournalError(self.path, f"record {seq} cannot be read: {error}") from error

    def _broken_index(self, last_seq: int) -> Broken | None:
        """Whether the index hides a record from those who ask for a kind."""
        try:
            found = str(self._rows("PRAGMA integrity_check(1)")[0][0])
        except JournalError as error:
            return Broken(last_seq + 1, None, error.reason)
        return None if found == "ok" else Broken(last_seq + 1, None, f"all hashes hold, but the database says: {found}")

    def _pages(self, kind: Kind | None, since_seq: int) -> Iterator[_Row]:
        query = _ALL if kind is None else _OF_KIND
        count = PAGE_COUNT
        while True:
            try:
                rows = self._rows(query, {"seq": since_seq, "kind": kind, "count": count})
            except JournalError:
                if count == 1:
                    raise
                count = 1  # up to the very record that cannot be read
                continue
            yield from rows
            if len(rows) < count:
                return
            since_seq = rows[-1][0]

    def _rows(self, query: str, values: Mapping[str, object] | None = None) -> list[Any]:
        return self._try(lambda: self._database.execute(query, values or {}).fetchall())

    def _connect(self, target: str) -> sqlite3.Connection:
        database = sqlite3.connect(target, uri=True, timeout=LOCKED_S, isolation_level=None, check_same_thread=False)
        # Text that is damaged comes through, so that its record can be named.
        database.text_factory = lambda text: text.decode(errors="surrogateescape")
        return database

    def _check_format(self) -> None:
        (mark,), (edition,) = (
            self._database.execute(f"PRAGMA {n}").fetchone() for n in ("application_id", "user_version")
        )
        if mark != APPLICATION_ID:
            raise JournalError(self.path, "it is a database, but not a journal of this program", _MOVE)
        if edition != FORMAT:
            raise JournalError(self.path, f"its format is {edition}, and this program reads format {FORMAT}", _MOVE)
        # Under another definition SQLite would read the same bytes as other values, and see no fault.
        query = "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY name"
        if [row[0] for row in self._database.execute(query)] != [_TABLE, _INDEX]:
            raise JournalError(self.path, "the definition of its table or index was changed", _MOVE)

    def _try(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except sqlite3.Error as error:
            is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
            raise JournalError(self.path, _reason(error), *([_MOVE] if is_damaged else [])) from error
        except OSError as error:
            raise JournalError(self.path, error.strerror or str(error)) from error
        except UnicodeDecodeError as error:  # SQLite's own words, quoting damaged text
            raise JournalError(self.path, _REASONS[sqlite3.SQLITE_CORRUPT], _MOVE) from error


class Journal(JournalReader):
    """A journal to write; one process and one thread at a time.

    Opening it recovers what a killed process left.

    Raises:
        JournalError: it cannot be opened or written, or its last records are not as they were written.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._try(self._create_file)
        self._database = self._try(lambda: self._connect(path.absolute().as_uri()))
        try:
            self._try(self._prepare)
            self._check_tail()
            self._head = super().head()
            self._file = self._try(lambda: _identity(path))
        except JournalError:
            self._database.close()
            raise

    def head(self) -> Head:
        """The last record that is safe on disk."""
        return self._head

    def append(self, entries: Sequence[Entry]) -> Head:
        """Write entries in one transaction: all of them or none.

        Returns:
            The last of them, once they are safe on disk.

        Raises:
            JournalError: nothing was written. The next call tries anew.

        """
        encoded = [encode(entry) for entry in entries]
        if self._try(lambda: _identity(self.path)) != self._file:
            raise JournalError(self.path, "the file was moved or replaced while it was in use")
        rows, digest = [], bytes.fromhex(self._head.hash)
        for seq, entry in enumerate(encoded, self._head.seq + 1):
            digest = chained(digest, seq, entry)
            rows.append((seq, entry.at, entry.kind, entry.body, digest))
        self._try(lambda: self._commit(rows))
        self._head = Head(self._head.seq + len(rows), digest.hex())
        return self._head

    def _commit(self, rows: Sequence[_Row]) -> None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
            self._database.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            raise JournalError(self.path, f"another process wrote it at the same time ({error})") from error
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _create_file(self) -> None:
        """Make the file so that only its owner can read it; SQLite gives its other files the same rights."""
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _prepare(self) -> None:
        (mode,) = self._database.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise JournalError(self.path, "write-ahead logging does not work there; use a local disk")
        self._database.execute("PRAGMA synchronous = FULL")
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            self._database.executescript(_SCHEMA)
        self._check_format()

    def _check_tail(self) -> None:
        last = super().head().seq
        digest, expected = _GENESIS, 1
        first = max(1, last - TAIL_COUNT)
        for row in self._pages(None, first - 1 if first > 1 else -(2**63)):
            is_anchor = first > 1 and row[0] == first
            broken = None if is_anchor else _broken(row, expected, digest)
            if broken is not None:
                raise JournalError(self.path, f"record {broken.seq} is broken: {broken.problem}", _MOVE)
            expected, digest = row[0] + 1, row[4]


def chained(previous: bytes, seq: int, entry: Encoded) -> bytes:
    """Hash of a record: SHA-256 over the previous hash, the number, and each field with its length before it."""
    digest = sha256(previous + struct.pack(">q", seq))
    for field in (_bytes(entry.at), _bytes(entry.kind), entry.body):
        digest.update(struct.pack(">q", len(field)))
        digest.update(field)
    return digest.digest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _broken(row: _Row, expected_seq: int, previous: bytes) -> Broken | None:
    seq, at, kind, body, digest = row
    if seq > expected_seq:
        return Broken(expected_seq, None, f"it is missing; the next one there is {seq}")
    if not (isinstance(at, str) and isinstance(kind, str) and isinstance(body, bytes) and isinstance(digest, bytes)):
        return Broken(seq, str(at), "a field holds another type than was written")
    if seq < expected_seq or chained(previous, seq, Encoded(at, kind, body)) != digest:
        return Broken(seq, at, "its hash does not follow from the record before it and its own content")
    return None


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _reason(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    words = None if code is None else _REASONS.get(code & 0xFF)
    return str(error) if words is None else f"{words} ({getattr(error, 'sqlite_errorname', '')})"
