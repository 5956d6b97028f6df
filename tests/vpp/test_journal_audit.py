import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.vpp.bodies import NOW, event
from vpp.cli import main
from vpp.journal import Journal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder beside a site file, with a journal of three records."""
    state = tmp_path / ".vpp"
    state.mkdir()
    with closing(Journal(state / "journal.sqlite")) as journal:
        journal.append([event(str(k)) for k in range(3)])
    return state


def changed(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as database:
        database.execute("DROP TRIGGER records_keep")
        database.execute("DROP TRIGGER records_stay")
        database.execute(statement)


def test_an_unbroken_journal_is_told_with_its_head(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", str(folder.parent / "site.yaml")]) == 0
    out = capsys.readouterr().out
    assert "journal.sqlite: unbroken\n" in out
    assert "3 records, from 2026-11-23T06:00:00.000000+00:00 to 2026-11-23T06:00:00.000000+00:00" in out
    assert "head 3:" in out


def test_the_document_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--json", "--state", str(folder)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["is_unbroken"] is True
    assert document["last_seq"] == 3
    assert document["first_at"] == NOW.isoformat(timespec="microseconds")
    assert document["broken"] is None


def test_the_first_broken_record_is_named_with_its_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(folder, "UPDATE records SET body = '{}' WHERE seq = 2")
    assert main(["audit", "verify", "--state", str(folder)]) == 2
    out = capsys.readouterr().out
    assert "BROKEN" in out
    assert "record 2, dated 2026-11-23T06:00:00.000000+00:00: a field holds another type" in out


def test_a_cut_end_shows_with_the_head_of_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", "verify", "--json", "--state", str(folder)])
    head = json.loads(capsys.readouterr().out)["head"]
    changed(folder, "DELETE FROM records WHERE seq = 3")
    assert main(["audit", "verify", "--json", "--state", str(folder)]) == 0
    capsys.readouterr()
    assert main(["audit", "verify", "--json", "--state", str(folder), "--head", head]) == 2
    assert json.loads(capsys.readouterr().out)["broken"] == {
        "seq": 3,
        "at": None,
        "problem": "cut off from here to record 3",
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "is required without --state"),
        (["--state", "nowhere"], "there is no such file"),
        (["--state", "{folder}", "--head", "3"], "must be a number, a colon and 64 hexadecimal digits"),
    ],
)
def test_what_cannot_be_verified_is_bad_input(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["audit", "verify", *(word.format(folder=folder) for word in arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err


def test_a_file_that_is_no_journal_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "journal.sqlite").write_bytes(b"something else" * 100)
    assert main(["audit", "verify", "--state", str(folder)]) == 2
    assert "not a database" in capsys.readouterr().err
