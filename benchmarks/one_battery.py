"""How much of the time of planning one battery's day is ours, and how much the solver's?

The peer is HiGHS on arrays that stand ready: load, run, read the columns. Ours is the whole of `plan`: assemble, load,
search, read schedules, positions, money and limits, and verify. Prices differ from repetition to repetition. The peer
has HiGHS's default options, and in one line the options that ours takes for small models. The last line has hours in
which burning energy would pay, where the peer solves the mixed-integer program.
"""

from benchmarks import raw
from benchmarks.fleet import CREATED, problem_of, seeded
from benchmarks.timing import Result, side_by_side
from optimizer.planner import plan

REPETITIONS = 41
MOST_OVER_RAW = 2.0


def measure(**_: bool) -> list[Result]:
    """Compare a day without reserve, with reserve, and with negative prices."""
    return [
        _day("one battery × 96, warm", MOST_OVER_RAW),
        _day("one battery × 96 with a reserve, warm", MOST_OVER_RAW, hold_share=0.3),
        _day("one battery × 96, warm", None, options={"presolve": "off", "simplex_dual_edge_weight_strategy": 1}),
        _negative_prices(),
    ]


def _day(what: str, most: float | None, hold_share: float = 0.0, options: dict[str, object] | None = None) -> Result:
    fleets = [seeded(1, 96, seed=seed, limit_share=1.0, hold_share=hold_share) for seed in range(REPETITIONS + 1)]
    problems, ready = [problem_of(fleet) for fleet in fleets], [raw.filled(fleet) for fleet in fleets]

    def peer(number: int) -> float:
        solver = raw.loaded(ready[number])
        for option, choice in (options or {}).items():
            solver.setOptionValue(option, choice)
        return raw.solved(solver)[0]

    return side_by_side(
        what,
        "HiGHS on ready arrays, no presolve, Devex" if options else "HiGHS on ready arrays",
        (lambda k: plan(problems[k], CREATED).money.net, peer),
        REPETITIONS,
        most,
    )


def _negative_prices() -> Result:
    fleets = [seeded(1, 96, seed=seed, limit_share=1.0, is_ever_negative=True) for seed in range(REPETITIONS + 1)]
    problems = [problem_of(fleet) for fleet in fleets]
    ready = [raw.exclusive(raw.filled(fleet), fleet) for fleet in fleets]
    return side_by_side(
        "one battery × 96 with negative prices, warm",
        "HiGHS on ready arrays with binaries",
        (lambda k: plan(problems[k], CREATED).money.net, lambda k: raw.solved(raw.loaded(*ready[k]))[0]),
        REPETITIONS,
        None,
    )
