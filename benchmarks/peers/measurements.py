"""What is measured with each peer, and how is it told?"""

import gc
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from benchmarks.fleet import CREATED, Fleet, problem_of, seeded
from benchmarks.peers.conversation import Answer, Peer
from benchmarks.peers.days import STEPS, days, site_of
from benchmarks.timing import Comparison, compared
from optimizer.loading import load
from optimizer.planner import plan

MOST_OVER_PLANNERS = 1 / 20
SMALL, MIDDLE, LARGE = 10, 100, 1000
NOTHING_SOLVED = float("nan")


@dataclass(frozen=True)
class Measurement:
    """One kind of work, done by a peer and by us in turn.

    Attributes:
        what: The work.
        called: What of the peer is called.
        task: Its name in the peer's process.
        fleets_of: Makes so many fleets, one for each repetition.
        ours: Our way through one of them.
        most: Highest ratio of our time over the peer's that is allowed; `None` where the figure only informs.
        solves: Whether there is an objective; else the models are compared on ten batteries that both solve.

    """

    what: str
    called: str
    task: str
    fleets_of: Callable[[int], list[Fleet]]
    ours: Callable[[Fleet], Answer]
    most: float | None = None
    solves: bool = True


@dataclass(frozen=True)
class Beside:
    """A comparison with the median times within the solver [s]."""

    comparison: Comparison
    ours_solver_s: float
    peer_solver_s: float

    @property
    def is_reached(self) -> bool:
        """Whether the ratio is allowed and the objectives agree; a comparison that only informs is never missed."""
        return self.comparison.most is None or self.comparison.is_reached

    def document(self) -> dict[str, Any]:
        """The numbers for programs."""
        solver = {"ours_solver_s": self.ours_solver_s, "peer_solver_s": self.peer_solver_s}
        return asdict(self.comparison) | solver | {"is_reached": self.is_reached}


def planned(fleet: Fleet) -> Answer:
    """From plain numbers to a verified plan."""
    gc.collect()
    started = time.perf_counter()
    made = plan(site_of(fleet), CREATED)
    return Answer(time.perf_counter() - started, made.timing.solve, made.money.net)


def built(fleet: Fleet) -> Answer:
    """From plain numbers to a model in HiGHS, not solved."""
    gc.collect()
    started = time.perf_counter()
    load(problem_of(fleet), {})
    return Answer(time.perf_counter() - started, 0.0, NOTHING_SOLVED)


def one_day(count: int) -> list[Fleet]:
    """Days of one battery."""
    return days(1, count)


def one_negative_day(count: int) -> list[Fleet]:
    """Days of one battery, in whose hours of negative prices burning energy would pay."""
    return days(1, count, is_ever_negative=True)


def ten_days(count: int) -> list[Fleet]:
    """Days of ten batteries."""
    return days(10, count)


def with_reserve(batteries: int) -> Callable[[int], list[Fleet]]:
    """One large fleet again and again, coupled by a reserve, as in `benchmarks/model_ready.py`."""
    return lambda count: [seeded(batteries, STEPS, seed=7, hold_share=0.2)] * count


def _one(called: str, task: str) -> Measurement:
    return Measurement(f"1 × {STEPS}", called, task, one_day, planned)


def _one_negative(called: str, task: str) -> Measurement:
    return Measurement(f"1 × {STEPS}, negative prices", called, task, one_negative_day, planned)


def _ten(called: str, task: str, most: float | None = MOST_OVER_PLANNERS) -> Measurement:
    return Measurement(f"10 × {STEPS}", called, task, ten_days, planned, most)


def _building(batteries: int, called: str) -> Measurement:
    return Measurement(
        f"model ready, {batteries} × {STEPS}", called, "build", with_reserve(batteries), built, solves=False
    )


MEASUREMENTS = {
    "flexmeasures": [
        _one("FlexMeasures device_scheduler", "model_alone"),
        _one_negative("FlexMeasures device_scheduler", "model_alone"),
        _ten("FlexMeasures device_scheduler", "model_alone"),
        _one("FlexMeasures StorageScheduler", "whole_scheduler"),
        _one_negative("FlexMeasures StorageScheduler", "whole_scheduler"),
        _ten("FlexMeasures StorageScheduler", "whole_scheduler"),
    ],
    "emhass": [
        _one("EMHASS, anew", "anew"),
        _one("EMHASS, kept", "kept"),
        _one_negative("EMHASS, kept", "kept"),
        _ten("EMHASS, kept, no tie-break", "without_tie_break"),
        _ten("EMHASS, kept", "kept", most=None),
        _ten("EMHASS, kept, gap 1 %", "as_shipped", most=None),
    ],
    "linopy": [_building(MIDDLE, "linopy"), _building(LARGE, "linopy")],
    "pyomo": [_building(MIDDLE, "pyomo.contrib.solver")],
}


def measure(peer: Peer, measurement: Measurement, repetitions: int) -> Beside:
    """Have both do the work in turn; who begins alternates, and a first round is not counted."""
    pairs = []
    for number, fleet in enumerate(measurement.fleets_of(repetitions + 1)):
        does: list[Callable[[], Answer]] = [
            lambda fleet=fleet: measurement.ours(fleet),
            lambda fleet=fleet: peer.ask(measurement.task, fleet),
        ]
        answers = {which: does[which]() for which in ((0, 1) if number % 2 else (1, 0))}
        pairs.append((answers[0], answers[1]))
    nets = None if measurement.solves else _small_nets(peer)
    samples = [
        ((ours.elapsed_s, nets[0] if nets else ours.net), (theirs.elapsed_s, nets[1] if nets else theirs.net))
        for ours, theirs in pairs[1:]
    ]
    return Beside(
        compared(measurement.what, measurement.called, samples, measurement.most),
        statistics.median(ours.solver_s for ours, _ in pairs[1:]),
        statistics.median(theirs.solver_s for _, theirs in pairs[1:]),
    )


def _small_nets(peer: Peer) -> tuple[float, float]:
    """What ten batteries with a reserve earn by either model."""
    (fleet,) = with_reserve(SMALL)(1)
    return plan(problem_of(fleet), CREATED).money.net, peer.ask("solve", fleet).net


def our_versions() -> dict[str, str]:
    """Of our packages and our Python."""
    names = ("vpp-dispatcher", "highspy", "pyomo", "numpy")
    return {name: version(name) for name in names} | {"python": platform.python_version()}


def table(results: list[Beside]) -> str:
    """Results for people."""
    rows = [("what", "beside", "ours", "HiGHS", "peer", "HiGHS", "ratio", "at most", "objectives differ by", "")]
    rows += [_row(result) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(result: Beside) -> tuple[str, ...]:
    seen = result.comparison
    return (
        seen.what,
        seen.peer,
        _ms(seen.ours_s),
        _ms(result.ours_solver_s),
        _ms(seen.peer_s),
        _ms(result.peer_solver_s),
        _ratio(seen.ratio),
        "" if seen.most is None else _ratio(seen.most),
        f"{seen.objective_difference:.0e}",
        "" if seen.most is None else "reached" if result.is_reached else "MISSED",
    )


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.3g} ms" if seconds < 1 else f"{1000 * seconds:,.0f} ms"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"1/{1 / value:,.0f}"
