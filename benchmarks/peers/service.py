"""How does a peer's process answer? One JSON request a line in, one JSON answer a line out.

A request is a fleet and the name of a task; the answer is how long the work took, how much of that HiGHS took, and what
the plan earns. This file is imported in the peers' environments and knows only the standard library, numpy and highspy.
"""

import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import highspy
import numpy as np

Prepared = tuple[Callable[[], Any], Callable[[Any], float]]
"""The work that is timed, and what its outcome earns (NaN where nothing is solved), which is not timed."""

Task = Callable[[Any], Prepared]
"""Prepares the work on a fleet in the peer's own kind of input."""


def serve(packages: tuple[str, ...], tasks: Mapping[str, Task]) -> None:
    """Say which versions these are, then answer until the requests end.

    What libraries print on the standard output goes to the standard error instead.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    solver = _Stopwatch()
    _say(answers, {name: version(name) for name in packages} | {"python": platform.python_version()})
    for line in sys.stdin:
        request = json.loads(line)
        run, net = tasks[request["task"]](_fleet(request["fleet"]))
        gc.collect()
        solver.elapsed_s = 0.0
        started = time.perf_counter()
        outcome = run()
        elapsed_s = time.perf_counter() - started
        _say(answers, {"elapsed_s": elapsed_s, "solver_s": solver.elapsed_s, "net": net(outcome)})


class _Stopwatch:
    """Counts the time within `Highs.run`, whoever calls it."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        run = highspy.Highs.run

        def timed(highs: highspy.Highs) -> Any:
            started = time.perf_counter()
            try:
                return run(highs)
            finally:
                self.elapsed_s += time.perf_counter() - started

        highspy.Highs.run = timed


def _fleet(document: dict[str, Any]) -> SimpleNamespace:
    """The numbers of a `benchmarks.fleet.Fleet`, under the same names; the class itself needs the optimiser."""
    return SimpleNamespace(**{k: np.array(v) if isinstance(v, list) else v for k, v in document.items()})


def _say(answers: Any, document: dict[str, Any]) -> None:
    answers.write(json.dumps(document) + "\n")
    answers.flush()
