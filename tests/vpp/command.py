"""Runs the real command, in this process or in one of its own, and tells what came of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vpp.cli import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """A command that is over."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; NaN and Infinity are no JSON."""
        return json.loads(self.out, parse_constant=_refuse)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Every fault of a refused input."""
        assert self.code == 2, self.err
        return self.document["error"]["faults"]


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


Vpp = Callable[..., Ran]


def in_process(capsys: Any, *arguments: object) -> Ran:
    """Run `vpp` in this process."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Ran(code, captured.out, captured.err)


def command_line(*arguments: object) -> list[str]:
    """The same command for a process of its own."""
    script = "import sys; from vpp.cli import main; sys.exit(main())"
    return [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]


def in_own_process(folder: Path, *arguments: object, **environment: str) -> Ran:
    """Run `vpp` in a process of its own, from a folder."""
    given = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"} | environment
    done = subprocess.run(
        command_line(*arguments), cwd=folder, env=given, capture_output=True, check=False, timeout=120, encoding="utf-8"
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def files_in(folder: Path) -> set[str]:
    """Every file and folder below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
