"""The commands of a running site as processes of their own, always ended by their ids."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.running.ear import Ear, Heard
from tests.vpp.command import ROOT, Ran, command_line, in_own_process

Status = dict[str, Any]


class Process:
    """One `vpp` command that goes on until it is told to stop."""

    def __init__(self, folder: Path, *arguments: object, prefix: tuple[str, ...] = (), **environment: str) -> None:
        given = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"} | environment
        self.began_s = time.monotonic()
        self._told = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with self._told.open("wb") as told:
            self.popen = subprocess.Popen(
                [*prefix, *command_line(*arguments)], cwd=folder, env=given, stdin=subprocess.DEVNULL,
                stdout=told, stderr=told, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def told(self) -> str:
        """What it printed so far."""
        return self._told.read_text("utf-8", "replace")

    def is_alive(self) -> bool:
        return self.popen.poll() is None

    def signal(self, number: signal.Signals, seconds: float = 10.0) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(seconds)

    def kill(self) -> None:
        """End it as a power failure does, if it still runs."""
        if self.is_alive():
            self.popen.kill()
        self.popen.wait(10)

    def children(self) -> list[int]:
        """Ids of the processes that it started."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
        return [int(word) for word in listed.split()]


class Site:
    """A copy of the tiny site at a broker, with what runs there.

    Args:
        path: The site file.
        ear: Hears everything.
        batteries: Its batteries.

    """

    def __init__(self, path: Path, ear: Ear, batteries: Sequence[str] = ("bess1",)) -> None:
        self.path, self.folder, self.ear, self.batteries = path, path.parent, ear, batteries
        self.state = self.folder / ".vpp"
        self._started: list[Process] = []

    def start(self, command: str, *arguments: object, prefix: tuple[str, ...] = (), **environment: str) -> Process:
        """Start a command for this site."""
        process = Process(self.folder, command, self.path, *arguments, prefix=prefix, **environment)
        self._started.append(process)
        return process

    def simulate(self, scenario: str | None = None) -> Process:
        """Start the devices, and wait until all are there."""
        arguments: tuple[object, ...] = ()
        if scenario is not None:
            file = self.folder / "scenario.yaml"
            file.write_text(f"schema_version: 1\n{scenario}", "utf-8")
            arguments = ("--scenario", file)
        since = self.ear.now()
        devices = self.start("simulate", *arguments)
        for asset in (*self.batteries, "pv1", "base"):
            self.ear.wait(f"{asset}/state", lambda h: h.document["online"] and not h.is_retained, 20, since)
        return devices

    def run(self, *arguments: object, **environment: str) -> Process:
        """Start the dispatcher, and wait until it says that it leads."""
        since = self.ear.now()
        daemon = self.start("run", *arguments, **environment)
        self.ear.wait("dispatcher/state", lambda h: h.document["online"] and not h.is_retained, 20, since)
        return daemon

    def run_to_plan(self, *arguments: object, **environment: str) -> Process:
        """Start the dispatcher, and wait until a plan is followed."""
        since = self.ear.now()
        daemon = self.run(*arguments, **environment)
        self.wait_status(lambda s: s["in_control"] == "plan" and s["rung"] == 1, 30, since)
        return daemon

    def vpp(self, command: str, *arguments: object) -> Ran:
        """Run a command for this site to its end."""
        return in_own_process(self.folder, command, self.path, *arguments)

    def wait_status(self, fits: Callable[[Status], bool], seconds: float = 10.0, since: int | None = None) -> Status:
        """Wait for a status that fits, from now on unless a mark is given."""
        since = self.ear.now() if since is None else since
        return self.ear.wait("dispatcher/status", lambda h: fits(h.document), seconds, since).document

    def wait_power(self, asset: str, fits: Callable[[float], bool], seconds: float = 10.0, since: int | None = None):
        """Wait until a device says that its power fits."""
        since = self.ear.now() if since is None else since
        return self.ear.wait(f"{asset}/tele", lambda h: _power_fits(h, fits), seconds, since)

    def wait_alarm(self, code: str, asset: str, seconds: float = 10.0, since: int = 0) -> Status:
        """Wait until an alarm is told."""
        return self.ear.wait(f"alarm/{code}/{asset}", seconds=seconds, since=since).document

    def wait_cleared(self, code: str, asset: str, seconds: float = 10.0, since: int | None = None) -> None:
        """Wait until an alarm stands no more."""
        self.wait_status(lambda s: (code, asset) not in alarms(s), seconds, since)

    def latest(self) -> Status:
        """The status that was told last."""
        return self.ear.all("dispatcher/status")[-1].document

    def end(self) -> None:
        """End all that runs."""
        for process in reversed(self._started):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            process.kill()


def alarms(status: Status) -> set[tuple[str, str]]:
    """Alarms that stand, by code and asset."""
    return {(alarm["code"], alarm["asset"]) for alarm in status["alarms"]}


def _power_fits(heard: Heard, fits: Callable[[float], bool]) -> bool:
    try:
        told: Mapping[str, Any] = heard.document
    except ValueError:
        return False
    return isinstance(told.get("export_kw"), int | float) and fits(told["export_kw"])
