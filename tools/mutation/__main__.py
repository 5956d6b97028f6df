"""Is there a test for every line of the gate? Puts one fault after another into it and expects a test to fail.

    .venv/bin/python -m tools.mutation

Every fault that no test sees must stand in `equivalent.toml` beside this file with the reason why it changes nothing.
Ends with 1 where one does not, or where one stands there that is seen or no longer exists.
"""

import argparse
import importlib
import os
import signal
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tools.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
MODULE = "vpp.safety"
TABLES = ("tests/vpp/test_safety_device.py", "tests/vpp/test_safety_site.py")
PROPERTIES = ("tests/vpp/test_safety_properties.py",)
"""Slower, and run only where no table sees the fault."""
LONGEST_S = 60
PYTEST = ("-x", "-q", "--noconftest", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:terminalreporter")


def main() -> int:
    """Run every mutant; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    jobs = parser.parse_args().jobs
    os.chdir(ROOT)
    started = time.monotonic()
    source = (ROOT / f"{MODULE.replace('.', '/')}.py").read_text(encoding="utf-8")
    equivalent = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    importlib.import_module("tests.snapshots")  # once for all mutants; it does not know the gate
    if not _survive([Mutant("", "", "", source)], jobs):
        print("the tests fail without any fault")
        return 1
    found = list({mutant.source: mutant for mutant in mutants(source)}.values())
    survived = {mutant.key for mutant in _survive(found, jobs)}
    unlisted = sorted(survived - set(equivalent))
    wrongly_listed = sorted(set(equivalent) - survived)
    for key in unlisted:
        print(f"survived: {key}")
    for key in wrongly_listed:
        print(f"listed as equivalent, but seen by a test or gone: {key}")
    print(
        f"{MODULE}: {len(found)} mutants, {len(found) - len(survived)} killed, {len(survived)} survived, of which "
        f"{len(survived) - len(unlisted)} are equivalent; {time.monotonic() - started:.0f} s"
    )
    return 1 if unlisted or wrongly_listed else 0


def _survive(found: list[Mutant], jobs: int) -> list[Mutant]:
    """Which mutants no test sees; each runs in a process of its own."""
    waiting, running, survivors = list(reversed(found)), dict[int, Mutant](), list[Mutant]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            pid = os.fork()
            if pid == 0:
                _run(mutant)
            running[pid] = mutant
        pid, status = os.wait()
        if status == 0:
            survivors.append(running[pid])
        del running[pid]
    return survivors


def _run(mutant: Mutant) -> None:
    """Run the tests against a mutant, and end the process with 0 if all pass. A mutant that never ends is seen."""
    signal.alarm(LONGEST_S)
    code = 1
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        module = ModuleType(MODULE)
        sys.modules[MODULE] = module
        exec(compile(mutant.source, f"{MODULE}.py", "exec"), module.__dict__)  # noqa: S102
        code = int(pytest.main([*PYTEST, *TABLES])) or int(pytest.main([*PYTEST, *PROPERTIES]))
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
