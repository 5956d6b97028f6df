"""Writes the journal in a thread of its own, so that a slow disk never holds up the event loop."""

import asyncio
from collections.abc import Sequence
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from vpp.journal import Head, Journal, JournalError
from vpp.records import Entry, Withdrawn

GROUP_COUNT = 64
"""Most batches that share one commit."""


class _State(Enum):
    WAITING = auto()
    WRITING = auto()
    DONE = auto()
    GIVEN_UP = auto()


class _Batch:
    """Entries of one call, on their way from the event loop to the disk."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self.error: Exception | None = None
        self._state = _State.WAITING
        self._lock = Lock()
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()

    async def ended(self) -> None:
        """Wait until the thread is done with it."""
        await self._ended.wait()

    def take(self) -> bool:
        """Called by the thread: whether somebody still waits for it."""
        with self._lock:
            if self._state is _State.WAITING:
                self._state = _State.WRITING
            return self._state is _State.WRITING

    def finish(self, error: Exception | None = None) -> bool:
        """Called by the thread: whether somebody still waited for it."""
        with self._lock:
            if self._state is _State.GIVEN_UP:
                return False
            self._state, self.error = _State.DONE, error
        try:
            self._loop.call_soon_threadsafe(self._ended.set)
        except RuntimeError:  # the loop has ended, and its caller with it
            return False
        return True

    def give_up(self) -> bool:
        """Called by the loop: whether it was too early for an outcome."""
        with self._lock:
            if self._state is _State.DONE:
                return False
            self._state, self.entries = _State.GIVEN_UP, ()
            return True


class JournalWriter:
    """The one writer of a journal that is open.

    A batch that waits past its deadline is never written. One that is being written at that moment may still reach the
    disk: then a record that withdraws it follows at once, before anything else. Only a crash between these two commits
    leaves a record whose writer was told that it failed.

    Args:
        journal: From now on only this writer may write it.
        deadline_s: How long to wait for the disk.

    """

    def __init__(self, journal: Journal, deadline_s: float) -> None:
        self._journal, self._deadline_s = journal, deadline_s
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._owed: list[Entry] = []
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def head(self) -> Head:
        """The last record that is safe on disk."""
        return self._journal.head()

    async def append(self, entries: Sequence[Entry]) -> None:
        """Write entries in one transaction, and come back when they are safe on disk.

        Raises:
            JournalError: they do not count: the disk is full or broken, or did not answer in time. Each call tries
                anew, so that writing resumes by itself.

        """
        batch = _Batch(entries)
        self._queue.put(batch)
        try:
            async with asyncio.timeout(self._deadline_s):
                await batch.ended()
        except TimeoutError:
            if batch.give_up():
                words = f"the disk did not answer within {self._deadline_s:g} s"
                raise JournalError(self._journal.path, words) from None
        except asyncio.CancelledError:
            batch.give_up()
            raise
        if batch.error is not None:
            raise batch.error

    def close(self) -> bool:
        """Write what waits, and end the thread.

        Returns:
            Whether it ended in time; a disk that hangs does not keep the process from ending.

        """
        self._queue.put(None)
        self._thread.join(self._deadline_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        is_open = True
        while is_open:
            waiting, is_open = self._gather()
            batches = [batch for batch in waiting if batch.take()]
            if batches or self._owed:
                self._write(batches)
        self._journal.close()

    def _gather(self) -> tuple[list[_Batch], bool]:
        """All that waits, up to a limit, and whether more may come."""
        batches: list[_Batch] = []
        batch = self._queue.get()
        while batch is not None:
            batches.append(batch)
            if len(batches) == GROUP_COUNT:
                return batches, True
            try:
                batch = self._queue.get_nowait()
            except Empty:
                return batches, True
        return batches, False

    def _write(self, batches: list[_Batch]) -> None:
        taken = [(batch, batch.entries) for batch in batches]
        owed = tuple(self._owed)
        first = self._journal.head().seq + len(owed) + 1
        try:
            self._journal.append([*owed, *(entry for _, entries in taken for entry in entries)])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
            if len(batches) > 1 and not isinstance(error, JournalError):  # one of them cannot be put into bytes
                for batch in batches:
                    self._write([batch])
                return
            for batch in batches:
                batch.finish(error)
            return
        self._owed.clear()
        for batch, entries in taken:
            if not batch.finish() and entries:
                self._owed.append(Entry(entries[-1].at, Withdrawn(first, first + len(entries) - 1)))
            first += len(entries)
        if self._owed:
            self._write([])
