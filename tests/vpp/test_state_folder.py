import os
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vpp.domain.errors import HeldError
from vpp.state_folder import StateFolder, folder_beside

HOLDER = """
import sys, time
from pathlib import Path
from vpp.state_folder import StateFolder
folder = StateFolder(Path(sys.argv[1]))
print(folder.next_epoch(), flush=True)
time.sleep(60)
"""


def holder(path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() != ""
    return process


def killed(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_the_folder_lies_beside_the_site_file() -> None:
    assert folder_beside(Path("sites/tiny.yaml")) == Path("sites/.vpp")


def test_a_second_process_is_told_who_holds_the_folder_until_that_one_is_killed(tmp_path: Path) -> None:
    process = holder(tmp_path / "state")
    try:
        with pytest.raises(HeldError) as refused:
            StateFolder(tmp_path / "state")
        assert f"{tmp_path}/state: process {process.pid} holds it" in str(refused.value)
        assert "--state" in refused.value.remedy
    finally:
        killed(process)
    with closing(StateFolder(tmp_path / "state")) as folder:
        assert folder.next_epoch() == 2


def test_a_program_that_was_started_does_not_keep_the_lock(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    program = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it runs: what was open when it was started is closed to it
        folder.close()
        with closing(StateFolder(tmp_path / "state")):
            pass
        child.kill()


def test_every_start_raises_the_epoch(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        with closing(StateFolder(tmp_path / "state")) as folder:
            epochs += [folder.next_epoch()]
    assert epochs == [1, 2, 3]


def test_the_epoch_rises_above_one_that_was_seen_elsewhere(tmp_path: Path) -> None:
    with closing(StateFolder(tmp_path / "state")) as folder:
        assert folder.next_epoch(seen=41) == 42
        assert folder.next_epoch() == 43


@pytest.mark.parametrize("content", ["", "seven", "\xff"])
def test_a_damaged_epoch_does_not_start_anew(tmp_path: Path, content: str) -> None:
    with closing(StateFolder(tmp_path / "state")) as folder:
        folder.next_epoch()
        (tmp_path / "state" / "epoch").write_text(content)
        with pytest.raises(HeldError, match="epoch holds no whole number"):
            folder.next_epoch()


def test_a_start_that_was_killed_while_it_wrote_the_epoch_leaves_the_old_one(tmp_path: Path) -> None:
    with closing(StateFolder(tmp_path / "state")) as folder:
        folder.next_epoch()
        (tmp_path / "state" / "epoch.new").write_text("")
        assert folder.next_epoch() == 2


def test_only_the_owner_can_look_into_the_folder(tmp_path: Path) -> None:
    with closing(StateFolder(tmp_path / "deep" / "state")) as folder:
        folder.next_epoch()
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.path.iterdir()} == {
            "lock": 0o600,
            "epoch": 0o600,
        }


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HeldError, match=r"state folder .*/file/state: cannot be used: Not a directory"):
        StateFolder(tmp_path / "file" / "state")


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", tmp_path], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode().strip()}")
    try:
        with pytest.raises(HeldError, match="Read-only file system"):
            StateFolder(tmp_path)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
