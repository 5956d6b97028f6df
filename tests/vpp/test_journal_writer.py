import asyncio
import sqlite3
import time
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.vpp.bodies import NOW, event
from vpp.journal import Journal, JournalError, JournalReader
from vpp.journal_writer import JournalWriter
from vpp.records import Entry, Event, Withdrawn
from vpp.recovery import standing


class SlowJournal(Journal):
    """A journal on a disk that takes its time for the commits that are told."""

    slow_s = 0.0

    def append(self, entries):
        time.sleep(self.slow_s)
        return super().append(entries)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def messages(path: Path) -> list[str]:
    """Texts of the events that count."""
    with closing(JournalReader(path)) as journal:
        assert journal.verify() is None
        return [record.body.message for record in standing(journal.records()) if isinstance(record.body, Event)]


def test_what_was_awaited_is_on_disk(tmp_path: Path) -> None:
    async def work() -> None:
        writer = JournalWriter(Journal(tmp_path / "j"), 5.0)
        await writer.append([event("one"), event("two")])
        assert messages(tmp_path / "j") == ["one", "two"]
        assert writer.head.seq == 2
        assert writer.close()

    run(work())


def test_many_callers_share_commits_and_keep_their_order(tmp_path: Path) -> None:
    async def work() -> None:
        writer = JournalWriter(Journal(tmp_path / "j"), 10.0)
        await asyncio.gather(*(writer.append([event(str(k))]) for k in range(300)))
        assert writer.close()
        assert messages(tmp_path / "j") == [str(k) for k in range(300)]

    run(work())


def test_a_slow_disk_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SlowJournal(tmp_path / "j")
        journal.slow_s = 0.5
        writer = JournalWriter(journal, 5.0)
        writing = asyncio.create_task(writer.append([event()]))
        longest_s, before_s = 0.0, time.monotonic()
        while not writing.done():
            await asyncio.sleep(0.01)
            longest_s, before_s = max(longest_s, time.monotonic() - before_s), time.monotonic()
        assert longest_s < 0.3
        assert writer.close()

    run(work())


def test_a_batch_that_waited_too_long_is_never_written(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SlowJournal(tmp_path / "j")
        journal.slow_s = 0.6
        writer = JournalWriter(journal, 5.0)
        first = asyncio.create_task(writer.append([event("first")]))
        await asyncio.sleep(0.1)
        writer._deadline_s = 0.2
        with pytest.raises(JournalError, match=r"did not answer within 0\.2 s"):
            await writer.append([event("too late")])
        writer._deadline_s = 5.0
        await first
        await writer.append([event("last")])
        assert writer.close()
        with closing(JournalReader(tmp_path / "j")) as reader:
            assert [record.body.message for record in reader.records()] == ["first", "last"]

    run(work())


def test_a_batch_that_reached_the_disk_after_its_deadline_is_withdrawn(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SlowJournal(tmp_path / "j")
        writer = JournalWriter(journal, 5.0)
        await writer.append([event("before")])
        journal.slow_s, writer._deadline_s = 0.4, 0.1
        with pytest.raises(JournalError, match="did not answer"):
            await writer.append([event("given up"), event("given up too")])
        journal.slow_s, writer._deadline_s = 0.0, 5.0
        await writer.append([event("after")])
        assert writer.close()
        assert messages(tmp_path / "j") == ["before", "after"]
        with closing(JournalReader(tmp_path / "j")) as reader:
            assert [r.body for r in reader.records() if r.seq == 4] == [Withdrawn(2, 3)]

    run(work())


def test_writing_resumes_by_itself_when_the_disk_works_again(tmp_path: Path) -> None:
    async def work() -> None:
        writer = JournalWriter(Journal(tmp_path / "j"), 5.0)
        with closing(sqlite3.connect(tmp_path / "j", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="another process holds it locked"):
                await writer.append([event("lost")])
        await writer.append([event("kept")])
        assert writer.close()
        assert messages(tmp_path / "j") == ["kept"]

    run(work())


def test_one_caller_with_nonsense_does_not_fail_the_others(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SlowJournal(tmp_path / "j")
        journal.slow_s = 0.1
        writer = JournalWriter(journal, 5.0)
        entries = [event("a"), Entry(NOW, object()), event("b")]  # type: ignore[arg-type]
        results = await asyncio.gather(*(writer.append([entry]) for entry in entries), return_exceptions=True)
        assert [type(result) for result in results] == [type(None), KeyError, type(None)]
        assert writer.close()
        assert messages(tmp_path / "j") == ["a", "b"]

    run(work())


def test_a_cancelled_caller_leaves_nothing_that_counts(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SlowJournal(tmp_path / "j")
        journal.slow_s = 0.3
        writer = JournalWriter(journal, 5.0)
        task = asyncio.create_task(writer.append([event("cancelled")]))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await writer.append([event("kept")])
        assert writer.close()
        assert messages(tmp_path / "j") == ["kept"]

    run(work())


def test_a_disk_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SlowJournal(tmp_path / "j")
        journal.slow_s = 1.0
        writer = JournalWriter(journal, 0.2)
        with pytest.raises(JournalError):
            await writer.append([event()])
        began_s = time.monotonic()
        assert not writer.close()
        assert time.monotonic() - began_s < 0.8
        writer._thread.join()

    run(work())
