"""How is a peer asked? By one line of JSON to its process, which answers with one."""

import contextlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.fleet import Fleet
from benchmarks.peers.days import document_of
from benchmarks.peers.environments import ROOT


@dataclass(frozen=True)
class Answer:
    """What a piece of work took [s], how much of that within HiGHS, and what its plan earns."""

    elapsed_s: float
    solver_s: float
    net: float


class PeerEndedError(RuntimeError):
    """A peer's process ended instead of answering."""


class Peer:
    """A peer's process, from its start to the end of the `with` statement.

    Attributes:
        versions: Of its packages and its Python, by name.

    """

    def __init__(self, python: Path, module: str, log: Path) -> None:
        self._log, self._stderr = log, log.open("wb")
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.peers.{module}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        try:
            self.versions: dict[str, str] = self._heard()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, task: str, fleet: Fleet) -> Answer:
        """Have a task done on a fleet.

        Raises:
            PeerEndedError: with the last lines of what the peer said on its standard error.

        """
        assert self._process.stdin is not None
        # A peer that has ended cannot be written to; what it said last is told when nothing is heard.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"task": task, "fleet": document_of(fleet)}) + "\n")
            self._process.stdin.flush()
        return Answer(**self._heard())

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
            raise PeerEndedError("\n".join([f"the peer's process ended with {self._process.returncode}:", *last]))
        document: dict[str, Any] = json.loads(line)
        return document

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()
