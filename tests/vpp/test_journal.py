import random
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from math import copysign, inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vpp.bodies import NOW, bodies, decided, event, same
from vpp.domain.setpoint import Permit, Refusal
from vpp.journal import Broken, Head, Journal, JournalError, JournalReader, chained
from vpp.records import Body, Decided, Entry, Event, FeedReceived, Kind, decode, encode, plain


def written(path: Path, count: int = 5) -> list[Head]:
    """Write so many events, one by one."""
    with closing(Journal(path)) as journal:
        return [journal.append([event(f"number {k}")]) for k in range(1, count + 1)]


def verified(path: Path, published: Head | None = None) -> Broken | None:
    with closing(JournalReader(path)) as journal:
        return journal.verify(published)


def tampered(path: Path, *statements: str) -> None:
    """Change a journal as somebody would who owns the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for trigger in ("records_stay", "records_keep"):
            database.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            database.execute(statement)


@settings(max_examples=400, deadline=None)
@given(bodies())
def test_every_body_comes_back_as_it_went(body: Body) -> None:
    record = decode(3, encode(Entry(NOW, body)), bytes(32))
    assert same(record.body, body)
    assert record.at == NOW


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_keeps_its_microseconds(instant: datetime) -> None:
    body = FeedReceived("prices", instant.astimezone(UTC), 900, (1.5,), None, is_accepted=True)
    record = decode(1, encode(Entry(instant, body)), b"")
    assert record.body == body
    assert record.at == instant.astimezone(UTC)


def test_infinity_a_negative_zero_and_the_last_bit_survive() -> None:
    body = decided(export_kw=-0.0)
    body = replace(body, snapshot=replace(body.snapshot, tick_s=0.1 + 0.2))
    back = decode(1, encode(Entry(NOW, body)), b"").body
    assert isinstance(back, Decided)
    assert back.snapshot.tick_s == 0.30000000000000004
    assert back.snapshot.units[0].ramp_kw_per_s == inf
    assert copysign(1.0, back.decision.setpoints["b1"].export_kw) == -1.0


@pytest.mark.parametrize("ramp_kw_per_s", [inf, 5.0, 5])
def test_a_permit_comes_back_as_a_permit_and_a_refusal_as_a_refusal(ramp_kw_per_s: float) -> None:
    body = decided()
    permit = body.outcome["b1"]
    assert isinstance(permit, Permit)
    outcome = {"b1": replace(permit, ramp_kw_per_s=ramp_kw_per_s), "b2": Refusal("b2", "silent")}
    back = decode(1, encode(Entry(NOW, replace(body, outcome=outcome))), b"").body
    assert isinstance(back, Decided)
    assert back.outcome == outcome


def test_a_long_body_is_compressed_and_a_short_one_is_plain_json() -> None:
    short, long = encode(event()), encode(Entry(NOW, decided()))
    assert short.body == b'{"code":"test","asset":"site","message":"hello"}'
    assert len(long.body) < len(plain(long.body)) / 2


def test_an_instant_of_another_zone_is_written_in_utc() -> None:
    entry = Entry(NOW.astimezone(timezone(timedelta(hours=8))), Event("test", "site", ""))
    assert encode(entry).at == "2026-11-23T06:00:00.000000+00:00"


def test_records_come_in_order_and_the_index_finds_a_kind(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        for k in range(0, 1200, 100):  # more than two pages
            journal.append([Entry(NOW, decided()), *(event(str(k)) for _ in range(100))])
        records = list(journal.records())
        assert [record.seq for record in records] == list(range(1, 1213))
        decisions = list(journal.records([Kind.DECISION]))
        assert [record.seq for record in decisions] == [1 + 101 * k for k in range(12)]
        both = list(journal.records([Kind.EVENT, Kind.DECISION], since_seq=600))
        assert [record.seq for record in both] == list(range(601, 1213))
        assert [record.seq for record in journal.newest(Kind.DECISION)] == [1 + 101 * k for k in range(11, -1, -1)]
        assert journal.verify() is None


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        before = journal.append([event()])
        with pytest.raises(KeyError):
            journal.append([event("good"), Entry(NOW, "no body")])  # type: ignore[arg-type]
        assert journal.head() == before
        assert [record.seq for record in journal.records()] == [1]


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    last = written(tmp_path / "j")[-1]
    with closing(Journal(tmp_path / "j")) as journal:
        assert journal.head() == last
        assert journal.append([event()]).seq == 6
    assert verified(tmp_path / "j") is None


@pytest.mark.parametrize("last", [1, 99, 100, 101, 102, 250])
def test_a_journal_of_any_length_opens_again(tmp_path: Path, last: int) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        journal.append([event(str(k)) for k in range(last)])
    with closing(Journal(tmp_path / "j")) as journal:
        assert journal.head().seq == last


@pytest.mark.parametrize("field", ["at", "kind", "body", "hash"])
@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_flipped_bit_in_any_field_is_found(tmp_path: Path, field: str, seq: int) -> None:
    written(tmp_path / "j")
    with closing(sqlite3.connect(tmp_path / "j")) as database:
        value = database.execute(f"SELECT {field} FROM records WHERE seq = ?", (seq,)).fetchone()[0]
    flipped = bytearray(value.encode() if isinstance(value, str) else value)
    flipped[2] ^= 1
    text = "CAST(x'{}' AS {})".format(flipped.hex(), "TEXT" if isinstance(value, str) else "BLOB")
    tampered(tmp_path / "j", f"UPDATE records SET {field} = {text} WHERE seq = {seq}")
    broken = verified(tmp_path / "j")
    assert broken is not None
    assert broken.seq == seq
    assert "does not follow" in broken.problem


@pytest.mark.parametrize(
    ("statements", "seq"),
    [
        (["DELETE FROM records WHERE seq = 1"], 1),
        (["DELETE FROM records WHERE seq = 3"], 3),
        (["DELETE FROM records WHERE seq = 3", "UPDATE records SET seq = seq - 1 WHERE seq > 3"], 3),
        (["UPDATE records SET seq = 9 WHERE seq = 2", "UPDATE records SET seq = 2 WHERE seq = 3",
          "UPDATE records SET seq = 3 WHERE seq = 9"], 2),
        (["UPDATE records SET seq = seq + 10 WHERE seq > 2", "UPDATE records SET seq = seq - 9 WHERE seq > 2",
          "INSERT INTO records SELECT 3, at, kind, body, hash FROM records WHERE seq = 2"], 3),
        (["INSERT INTO records SELECT 6, at, kind, body, hash FROM records WHERE seq = 5"], 6),
        (["INSERT INTO records SELECT 0, at, kind, body, hash FROM records WHERE seq = 5"], 0),
        (["UPDATE records SET body = 7 WHERE seq = 4"], 4),
        (["UPDATE records SET at = CAST(x'ff' AS TEXT) WHERE seq = 4"], 4),
    ],
    ids=["first deleted", "deleted", "deleted and renumbered", "swapped", "put in", "added", "put before", "other type",
         "no text"],
)  # fmt: skip
def test_the_first_record_that_was_removed_moved_or_put_in_is_named(
    tmp_path: Path, statements: list[str], seq: int
) -> None:
    written(tmp_path / "j")
    tampered(tmp_path / "j", *statements)
    broken = verified(tmp_path / "j")
    assert broken is not None
    assert broken.seq == seq


def test_a_cut_end_shows_against_a_head_that_was_kept(tmp_path: Path) -> None:
    heads = written(tmp_path / "j")
    tampered(tmp_path / "j", "DELETE FROM records WHERE seq > 3")
    assert verified(tmp_path / "j") is None
    assert verified(tmp_path / "j", heads[2]) is None
    assert verified(tmp_path / "j", heads[4]) == Broken(4, None, "cut off from here to record 5")


def test_a_journal_written_anew_shows_against_a_head_that_was_kept(tmp_path: Path) -> None:
    kept = written(tmp_path / "j")[3]
    with closing(Journal(tmp_path / "other")) as journal:
        journal.append([event(f"another story {k}") for k in range(9)])
    broken = verified(tmp_path / "other", kept)
    assert broken is not None
    assert broken.seq == 4


def test_any_byte_of_the_file_that_matters_is_guarded(tmp_path: Path) -> None:
    """A flip is found, or lies where no record is: then all records read as before."""
    path = tmp_path / "j"
    written(path, 12)
    good, seed = path.read_bytes(), random.Random(7)
    with closing(JournalReader(path)) as journal:
        expected = list(journal.records())
    found = 0
    for _ in range(300):
        place = seed.randrange(len(good))
        path.write_bytes(good[:place] + bytes([good[place] ^ (1 << seed.randrange(8))]) + good[place + 1 :])
        try:
            with closing(JournalReader(path)) as journal:
                broken = journal.verify()
                records = list(journal.records()) if broken is None else []
        except JournalError:
            found += 1
            continue
        found += broken is not None
        assert broken is not None or records == expected, f"byte {place}"
    assert found > 10


def test_a_hidden_record_in_the_index_is_found(tmp_path: Path) -> None:
    written(tmp_path / "j")
    tampered(
        tmp_path / "j",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX records_by_kind ON records (kind) WHERE seq != 3' "
        "WHERE name = 'records_by_kind'",
    )
    with closing(sqlite3.connect(tmp_path / "j", isolation_level=None)) as database:
        database.execute("REINDEX")
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX records_by_kind ON records (kind)' "
            "WHERE name = 'records_by_kind'"
        )
    broken = verified(tmp_path / "j")
    assert broken is not None
    assert "missing from index" in broken.problem


def test_a_changed_definition_of_the_table_is_found(tmp_path: Path) -> None:
    written(tmp_path / "j")
    good = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(good.replace(b"seq INTEGER PRIMARY KEY", b"seq HNTEGER PRIMARY KEY"))
    with pytest.raises(JournalError, match="definition of its table"):
        JournalReader(tmp_path / "j")


def test_the_database_itself_refuses_to_change_or_delete_a_record(tmp_path: Path) -> None:
    written(tmp_path / "j")
    with closing(sqlite3.connect(tmp_path / "j")) as database:
        for statement in ("DELETE FROM records", "UPDATE records SET at = ''"):
            with pytest.raises(sqlite3.IntegrityError, match="records are never"):
                database.execute(statement)


def test_a_journal_with_a_broken_end_is_not_opened_for_writing(tmp_path: Path) -> None:
    written(tmp_path / "j")
    tampered(tmp_path / "j", "UPDATE records SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 4")
    with pytest.raises(JournalError, match=r"j: record 4 is broken: its hash does not follow"):
        Journal(tmp_path / "j")


@pytest.mark.parametrize("content", [b"no database at all " * 60, b"\x00" * 5000])
def test_what_is_no_journal_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(JournalError, match=r"journal .*/j: it is not a database"):
        Journal(tmp_path / "j")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "j")) as database:
        database.execute("CREATE TABLE precious (x)")
    with pytest.raises(JournalError, match="not a journal of this program"):
        Journal(tmp_path / "j")


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        journal.append([event()])
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_a_reader_follows_a_journal_that_is_being_written(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        journal.append([event("one")])
        with closing(JournalReader(tmp_path / "j")) as reader:
            assert reader.head() == journal.head()
            journal.append([event("two")])
            assert reader.head() == journal.head()
            assert reader.verify() is None


def test_another_process_that_holds_it_is_named_and_writing_resumes(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        with closing(sqlite3.connect(tmp_path / "j", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="another process holds it locked"):
                journal.append([event()])
        assert journal.append([event()]).seq == 1


def test_a_second_writer_is_noticed(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal, closing(Journal(tmp_path / "j")) as second:
        journal.append([event("mine")])
        with pytest.raises(JournalError, match="another process wrote it at the same time"):
            second.append([event("theirs")])
        assert verified(tmp_path / "j") is None


def test_a_file_that_was_replaced_is_not_written_unseen(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j")) as journal:
        journal.append([event()])
        (tmp_path / "j").rename(tmp_path / "k")
        with pytest.raises(JournalError, match="No such file"):
            journal.append([event()])
        (tmp_path / "j").write_bytes(b"")
        with pytest.raises(JournalError, match="moved or replaced"):
            journal.append([event()])


def test_a_forger_who_mends_the_hash_of_one_record_breaks_the_next(tmp_path: Path) -> None:
    heads = written(tmp_path / "j")
    forged = encode(event("never said"))
    digest = chained(bytes.fromhex(heads[1].hash), 3, forged)
    tampered(
        tmp_path / "j", f"UPDATE records SET body = x'{forged.body.hex()}', hash = x'{digest.hex()}' WHERE seq = 3"
    )
    broken = verified(tmp_path / "j")
    assert broken is not None
    assert broken.seq == 4
