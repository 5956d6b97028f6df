"""How long does the first plan of a process take for a battery's whole year, 8,760 hourly steps in one solve?

The peer is HiGHS on arrays that stand ready. Every repetition is a new process, in which nothing was compiled before;
who begins alternates.
"""

import time

from benchmarks import raw
from benchmarks.fleet import CREATED, problem_of, seeded
from benchmarks.timing import Result, Sample, compared, in_new_processes
from optimizer.planner import plan

REPETITIONS = 7
MOST_OVER_RAW = 2.0


def measure(**_: bool) -> list[Result]:
    """Compare first calls."""
    samples = in_new_processes(first_call, REPETITIONS)
    return [
        compared("one battery-year × 8,760, first call", "HiGHS on ready arrays", samples, MOST_OVER_RAW),
    ]


def first_call(number: int) -> tuple[Sample, Sample]:
    """Ours and the peer's, in a process that did neither before."""
    fleet = seeded(1, 8760, seed=number, step_h=1.0, limit_share=1.0)
    problem, ready = problem_of(fleet), raw.filled(fleet)

    def ours() -> Sample:
        started = time.perf_counter()
        net = plan(problem, CREATED).money.net
        return time.perf_counter() - started, net

    def peer() -> Sample:
        started = time.perf_counter()
        net, _ = raw.solved(raw.loaded(ready))
        return time.perf_counter() - started, net

    if number % 2:
        theirs, mine = peer(), ours()
    else:
        mine, theirs = ours(), peer()
    return mine, theirs
