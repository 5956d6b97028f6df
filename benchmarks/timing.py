"""How are two ways to the same answer timed, and how is the result told?"""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

OBJECTIVES_AGREE = 1e-6
"""Relative difference up to which two objectives are the same."""

Task = Callable[[int], float]
"""Does the work of one repetition, given its number, and returns the objective (NaN where nothing is solved)."""


@dataclass(frozen=True)
class Comparison:
    """Our time over a peer's, for the same work.

    Attributes:
        what: The work.
        peer: Whose time it is compared with.
        ratio: Median over the repetitions of our time over the peer's.
        most: Highest ratio that is allowed; `None` where the figure only informs.
        ours_s, peer_s: Median times.
        objective_difference: Largest relative difference of the two objectives; NaN where nothing is solved.

    """

    what: str
    peer: str
    repetitions: int
    ours_s: float
    peer_s: float
    ratio: float
    most: float | None
    objective_difference: float

    @property
    def is_reached(self) -> bool:
        """Whether the ratio is allowed and the objectives agree."""
        agrees = math.isnan(self.objective_difference) or self.objective_difference <= OBJECTIVES_AGREE
        return agrees and (self.most is None or self.ratio <= self.most)


@dataclass(frozen=True)
class Figure:
    """One measured number with the most it may be."""

    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the number is allowed."""
        return self.most is None or self.value <= self.most


Result = Comparison | Figure


def side_by_side(what: str, peer: str, tasks: tuple[Task, Task], repetitions: int, most: float | None) -> Comparison:
    """Time our task and the peer's in turn; who begins alternates, and a first round of each is not counted."""
    for task in tasks:
        task(0)
    gc.collect()
    samples = []
    for number in range(1, repetitions + 1):
        order = (0, 1) if number % 2 else (1, 0)
        timed = {which: _timed(tasks[which], number) for which in order}
        samples.append((timed[0], timed[1]))
    return compared(what, peer, samples, most)


Sample = tuple[float, float]
"""Time in seconds, and objective."""


def compared(what: str, peer: str, samples: list[tuple[Sample, Sample]], most: float | None) -> Comparison:
    """A comparison of samples of ours and of the peer's, taken in pairs."""
    differences = [abs(o - p) / max(1e-9, abs(p)) for (_, o), (_, p) in samples]
    return Comparison(
        what,
        peer,
        len(samples),
        statistics.median(ours_s for (ours_s, _), _ in samples),
        statistics.median(peer_s for _, (peer_s, _) in samples),
        statistics.median(ours_s / peer_s for (ours_s, _), (peer_s, _) in samples),
        most,
        max(differences),
    )


def _timed(task: Task, number: int) -> Sample:
    started = time.perf_counter()
    objective = task(number)
    return time.perf_counter() - started, objective


def in_new_processes(task: Callable[[int], Any], repetitions: int) -> list[Any]:
    """What a module's function returns in so many processes of its own, one after the other."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        return [pool.submit(task, number).result() for number in range(repetitions)]


def peak_memory_mb() -> float:
    """Largest memory that this process has held [MB]; Linux only."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def table(results: Iterable[Result]) -> str:
    """Results for people."""
    rows = [("what", "over", "ours", "peer", "ratio", "at most", "objectives differ by", "")]
    rows += [_row(result) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(result: Result) -> tuple[str, ...]:
    verdict = "" if result.most is None else "reached" if result.is_reached else "MISSED"
    match result:
        case Figure(what, value, unit, most):
            return what, "", f"{value:.3g} {unit}", "", "", "" if most is None else f"{most:.3g} {unit}", "", verdict
        case Comparison():
            difference = result.objective_difference
            return (
                result.what,
                result.peer,
                _duration(result.ours_s),
                _duration(result.peer_s),
                _ratio(result.ratio),
                "" if result.most is None else _ratio(result.most),
                "" if math.isnan(difference) else f"{difference:.0e}",
                verdict,
            )


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"1/{1 / value:,.0f}"


def documents(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Results for programs."""
    return [
        {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(r).items()}
        | {"is_reached": r.is_reached}
        for r in results
    ]
