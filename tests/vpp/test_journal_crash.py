import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.vpp.bodies import event
from vpp.journal import Head, Journal, JournalError, JournalReader


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_full_disk_is_named_all_before_is_kept_and_writing_resumes(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=300k") as disk, closing(Journal(disk / "j")) as journal:
        with pytest.raises(JournalError, match="the disk is full"):
            fill(journal)
        count = journal.head().seq
        assert count > 20
        assert journal.verify() is None
        subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
        assert journal.append([event("room again")]).seq == count + 1
        assert journal.verify() is None


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_read_only_folder_is_named_and_can_still_be_verified(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m") as disk:
        with closing(Journal(disk / "j")) as journal:
            journal.append([event(), event()])
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(JournalError, match=r"read-only|cannot be opened"):
            Journal(disk / "j")
        with pytest.raises(JournalError, match="Read-only"):
            Journal(disk / "new")
        with closing(JournalReader(disk / "j")) as reader:
            assert reader.verify() is None
            assert reader.head().seq == 2


def fill(journal: Journal) -> None:
    for _ in range(1000):
        journal.append([event("x" * 400)])


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


WRITER = """
import sys
from pathlib import Path
from tests.vpp.bodies import NOW, decided, event
from vpp.journal import Journal
from vpp.records import Entry
journal = Journal(Path(sys.argv[1]))
print("open", flush=True)
while True:
    entries = [event("x" * (journal.head().seq % 700)), Entry(NOW, decided())]
    head = journal.append(entries)
    print(head.seq, head.hash, flush=True)
"""


def test_no_acknowledged_record_is_lost_in_twenty_kills(tmp_path: Path) -> None:
    path, seed = tmp_path / "j", random.Random(3)
    acknowledged = Head(0, "0" * 64)
    for _ in range(20):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        time.sleep(seed.uniform(0.0, 0.15))
        writer.send_signal(signal.SIGKILL)
        said = [line.split() for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
        if said:
            acknowledged = Head(int(said[-1][0]), said[-1][1])
        with closing(JournalReader(path)) as journal:
            assert journal.verify(acknowledged) is None
            assert journal.head().seq - acknowledged.seq in (0, 2), "all of a transaction or nothing"
            acknowledged = journal.head()
    assert acknowledged.seq > 40
    with closing(Journal(path)) as journal:
        assert journal.verify(acknowledged) is None


def test_a_log_that_was_torn_at_any_byte_leaves_whole_transactions(tmp_path: Path) -> None:
    """The state of the files after a loss of power in which the disk lied about its writes."""
    with closing(Journal(tmp_path / "j")) as journal:
        heads = [Head(0, "0" * 64), *(journal.append([event("x" * 900), event(str(k))]) for k in range(8))]
        database, log = (tmp_path / "j").read_bytes(), (tmp_path / "j-wal").read_bytes()
    cuts = sorted({*random.Random(5).sample(range(len(log)), 60), *range(0, len(log), 4120), len(log)})
    kept = []
    for cut in cuts:
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "j").write_bytes(database)
        (folder / "j-wal").write_bytes(log[:cut])
        with closing(Journal(folder / "j")) as journal:
            assert journal.head() in heads
            kept.append(journal.head().seq)
            journal.append([event("after the crash")])
            assert journal.verify() is None
    assert all(early <= late for early, late in pairwise(kept))
    assert (kept[0], kept[-1]) == (0, 16)
