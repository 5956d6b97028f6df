"""Where does a dispatcher keep what must outlive it, and who else is using that?

One process holds the folder at a time. Each start raises the epoch, so that devices obey the latest one only.
"""

import fcntl
import os
import stat
from pathlib import Path

from vpp.domain.errors import HeldError

NAME = ".vpp"
OWNER_ONLY = 0o600
"""Rights of every file in the folder."""


def folder_beside(site_path: Path) -> Path:
    """The state folder of a site file that names no other."""
    return site_path.parent / NAME


def journal_in(folder: Path) -> Path:
    """The journal of a state folder."""
    return folder / "journal.sqlite"


def telemetry_in(folder: Path) -> Path:
    """The folder of measured values in a state folder."""
    return folder / "telemetry"


def broker_in(folder: Path) -> Path:
    """Where the address of a broker stands that lives inside the dispatcher."""
    return folder / "broker"


class StateFolder:
    """A state folder that this process holds until it is closed, or ends in whatever way.

    The lock belongs to the open file: programs that are started do not get it, but a forked child keeps it for as long
    as it lives, so children are started anew and not forked.

    Args:
        path: The folder; it is made where it does not exist, for its owner only.

    Raises:
        HeldError: another process holds it, or it cannot be made or written.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            raise HeldError(
                f"state folder {path}",
                f"process {holder} holds it",
                "Stop that dispatcher, or give this one another folder with --state.",
            ) from None
        except OSError as error:
            os.close(self._lock)
            raise _unusable(path, error) from error
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(self._lock)
            raise _unusable(path, error) from error

    @property
    def journal(self) -> Path:
        """The journal."""
        return journal_in(self.path)

    @property
    def telemetry(self) -> Path:
        """The folder of measured values."""
        return telemetry_in(self.path)

    def next_epoch(self, seen: int = 0) -> int:
        """Raise the epoch, and return it once it is safe on disk.

        Args:
            seen: The highest epoch known from elsewhere, such as the journal; the new one is above it.

        Raises:
            HeldError: the epoch cannot be read or written. It does not start anew, since no device would obey.

        """
        path = self.path / "epoch"
        try:
            text = path.read_text("ascii") if path.exists() else "0"
            epoch = max(int(text), seen) + 1
        except ValueError as error:
            remedy = "Write the last epoch there; devices and the journal name it."
            raise HeldError(f"state folder {self.path}", f"{path.name} holds no whole number", remedy) from error
        except OSError as error:
            raise _unusable(self.path, error) from error
        try:
            _replace(path, f"{epoch}\n")
        except OSError as error:
            raise _unusable(self.path, error) from error
        return epoch

    def close(self) -> None:
        """Let others have it."""
        os.close(self._lock)


def _replace(path: Path, text: str) -> None:
    """Put a file in place of another in one step, safe on disk."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unusable(path: Path, error: OSError) -> HeldError:
    who = f"Folder and files must be writable for user {os.getuid()}"
    try:
        mode = stat.filemode(path.stat().st_mode)
    except OSError:
        remedy = f"{who}."
    else:
        remedy = f"{who}; it is {mode}."
    return HeldError(f"state folder {path}", f"cannot be used: {error.strerror}", remedy)
