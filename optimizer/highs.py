"""The only caller of the solver: load arrays, change vectors, run, read the answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

import highspy
import numpy as np
from numpy.typing import NDArray

from optimizer.expression import Array
from optimizer.program import Arrays


class Method(Enum):
    """How a linear program is solved. Binaries always take branch and bound."""

    DUAL_SIMPLEX = "dual simplex"
    PRIMAL_SIMPLEX = "primal simplex"
    INTERIOR_POINT = "interior point"


class Ending(Enum):
    """How a run ended."""

    OPTIMAL = "optimal"
    STOPPED = "stopped with a feasible answer"
    INFEASIBLE = "infeasible"
    NOTHING = "stopped before any feasible answer"


@dataclass(frozen=True)
class Answer:
    """What the solver found.

    Attributes:
        value: Columns; shape (columns,).
        solution: As HiGHS gave it, for the dual prices.
        cost: Cost at `value`, offset included, in thousandths of the currency.
        cost_bound: No answer costs less.

    """

    ending: Ending
    value: Array
    solution: highspy.HighsSolution
    cost: float
    cost_bound: float

    @cached_property
    def row_dual(self) -> Array:
        """Rise of the cost per unit of a row's bound; zero for a model with binaries."""
        return np.array(self.solution.row_dual)

    @cached_property
    def column_dual(self) -> Array:
        """Rise of the cost per unit of a column's bound; zero for a model with binaries."""
        return np.array(self.solution.col_dual)

    @property
    def has_values(self) -> bool:
        """Whether the columns have values that keep every row."""
        return self.ending in (Ending.OPTIMAL, Ending.STOPPED)


@dataclass(frozen=True)
class Conflict:
    """Bounds that contradict one another: for each row and column the sides that matter, `lower` and `upper`."""

    rows: dict[int, tuple[str, ...]]
    columns: dict[int, tuple[str, ...]]


@dataclass(frozen=True)
class Stand:
    """Where a branch-and-bound search stands."""

    elapsed_s: float
    cost: float
    cost_bound: float
    gap_fraction: float


Watch = Callable[[Stand], None]
"""Told several times a second how a long search stands. With a watch, Ctrl-C ends the search with its best answer."""

WATCH_EVERY_S = 0.1
SMALL_COLUMNS = 2000
"""Below so many columns a linear program is solved faster without presolve and with the simplest edge weights that
still pay, Devex; measured in `benchmarks/`."""
ROUNDING, FINEST_TOLERANCE, COARSEST_TOLERANCE = 1e-12, 1e-9, 1e-6
"""Rounding errors of a search as a share of the largest bound, and the tolerances that they may ask for."""
CONFLICT_S = 3.0
"""So long is looked for the limits that contradict one another where decisions are among them."""
_FEASIBLE = 2
_NO_LIMIT = 2**31 - 1
_STOPPED = (
    highspy.HighsModelStatus.kTimeLimit,
    highspy.HighsModelStatus.kSolutionLimit,
    highspy.HighsModelStatus.kInterrupt,
)
_FAILED = (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kSolveError)
"""What a run ends with whose own arithmetic went wrong; another way to the same answer mostly exists."""
_IRREDUCIBLE_FROM_LP = 2 | 4
_NOT_REDUCED = 1
"""Status of a conflict that names the whole model, because its time was over."""
_SIDES: dict[int, tuple[str, ...]] = {1: (), 2: ("lower",), 3: ("upper",), 4: ("lower", "upper")}
_DEVEX, _CHOOSE = 1, -1
_STRATEGY = {Method.DUAL_SIMPLEX: 1, Method.PRIMAL_SIMPLEX: 4}


def _tolerance(arrays: Arrays) -> float:
    """How exactly branch and bound keeps rows and decisions: what is left of 16 digits beside the largest bound."""
    bounds = np.abs(np.concatenate([arrays.lower, arrays.upper, arrays.row_lower, arrays.row_upper]))
    largest = bounds[np.isfinite(bounds)].max(initial=0.0)
    return float(np.clip(ROUNDING * largest, FINEST_TOLERANCE, COARSEST_TOLERANCE))


def _with_idle_column(arrays: Arrays) -> Arrays:
    """A model that decides nothing, as the solver can take it: with a column that is always zero.

    Without any column HiGHS does not look at the rows, which a load beyond the connection violates.
    """
    zero = np.zeros(1)
    return replace(arrays, cost=zero, lower=zero, upper=zero, is_integer=np.zeros(1, dtype=bool))


class _SilentHighs(highspy.Highs):  # type: ignore[misc]  # highspy is untyped
    """HiGHS that prints nothing: its constructor enables callbacks, and the first call prints a banner on stdout."""

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's name
        self.setOptionValue("output_flag", False)  # noqa: FBT003 - HiGHS's signature
        super().enableCallbacks()


class Solver:
    """One model in HiGHS, kept between runs."""

    def __init__(self, arrays: Arrays) -> None:
        self._highs = _SilentHighs()
        self._options: dict[str, object] = {}
        self._set(threads=1, random_seed=0, parallel="off")
        self.load(arrays)

    def load(self, arrays: Arrays) -> None:
        """Replace the model."""
        arrays = arrays if arrays.cost.size else _with_idle_column(arrays)
        rows, columns = arrays.row_lower.size, arrays.cost.size
        self._columns = columns
        self._integers = np.flatnonzero(arrays.is_integer).astype(np.int32)
        self._has_integers = bool(self._integers.size)
        self.tolerance = _tolerance(arrays)
        status = self._highs.passModel(
            columns,
            rows,
            arrays.value.size,
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            arrays.offset,
            arrays.cost,
            arrays.lower,
            arrays.upper,
            arrays.row_lower,
            arrays.row_upper,
            arrays.start,
            arrays.column,
            arrays.value,
            arrays.is_integer.astype(np.int32),
        )
        if status == highspy.HighsStatus.kError:
            raise ValueError("the solver refused the model: a number in it is not finite or the arrays disagree")

    def reload(self, arrays: Arrays) -> None:
        """Replace the model by one of the same shape, and go on from the last basis."""
        basis = self._highs.getBasis()
        self.load(arrays)
        self._highs.setBasis(basis)

    def change_rows(self, rows: NDArray[np.int32], lower: Array, upper: Array) -> None:
        """New bounds of some rows."""
        self._highs.changeRowsBounds(rows.size, rows, lower, upper)

    def change_columns(self, columns: NDArray[np.int32], lower: Array, upper: Array) -> None:
        """New bounds of some columns."""
        self._highs.changeColsBounds(columns.size, columns, lower, upper)

    def change_cost(self, cost: Array, offset: float) -> None:
        """New cost of all columns."""
        self._highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
        self._highs.changeObjectiveOffset(offset)

    def fix_integers(self, columns: NDArray[np.int32], value: Array) -> None:
        """Hold columns at whole numbers and leave a linear program, whose dual prices mean something."""
        held = np.round(value)
        self._highs.changeColsIntegrality(columns.size, columns, np.zeros(columns.size, dtype=np.uint8))
        self.change_columns(columns, held, held)
        self._has_integers = False

    def run(
        self,
        method: Method = Method.DUAL_SIMPLEX,
        *,
        gap_fraction: float = 1e-7,
        time_limit_s: float | None = None,
        most_nodes: int | None = None,
        watch: Watch | None = None,
    ) -> Answer:
        """Solve from where the model stands.

        Raises:
            KeyboardInterrupt: Ctrl-C without a watch, or a second time with one.
            RuntimeError: the model is unbounded or the solver failed; neither can come from a site's input.

        """
        is_small = self._columns < SMALL_COLUMNS and not self._has_integers
        self._set(
            solver="ipx" if method is Method.INTERIOR_POINT else "simplex",
            simplex_strategy=_STRATEGY.get(method, 1),
            presolve="off" if is_small else "choose",
            simplex_dual_edge_weight_strategy=_DEVEX if is_small else _CHOOSE,
            mip_rel_gap=gap_fraction,
            mip_abs_gap=1e-6,
            mip_feasibility_tolerance=self.tolerance,
            mip_max_nodes=_NO_LIMIT if most_nodes is None else most_nodes,
            time_limit=np.inf if time_limit_s is None else self._highs.getRunTime() + time_limit_s,
        )
        self._run(watch)
        if self._highs.getModelStatus() in _FAILED:
            self._highs.clearSolver()
            self._set(solver="simplex", simplex_strategy=_STRATEGY[Method.PRIMAL_SIMPLEX])
            self._set(presolve="on", mip_feasibility_tolerance=COARSEST_TOLERANCE)
            self._run(watch)
        return self._answer()

    def _run(self, watch: Watch | None) -> None:
        if watch is None:
            self._highs.run()
        else:
            self._run_watched(watch)

    def conflict(self) -> Conflict:
        """Bounds of an infeasible model that contradict one another; leave one out and the rest can be kept.

        None are named where only the integers contradict them, and which ones was not found within `CONFLICT_S`.
        """
        most_s = np.inf if self._is_infeasible_without_integers() else CONFLICT_S
        self._set(time_limit=self._highs.getRunTime() + most_s)
        self._set(iis_strategy=_IRREDUCIBLE_FROM_LP, iis_time_limit=most_s)
        _, found = self._highs.getIis()
        if found.status_ == _NOT_REDUCED:
            return Conflict({}, {})
        return Conflict(
            rows={row: _SIDES[bound] for row, bound in zip(found.row_index_, found.row_bound_, strict=True)},
            columns={column: _SIDES[bound] for column, bound in zip(found.col_index_, found.col_bound_, strict=True)},
        )

    def _is_infeasible_without_integers(self) -> bool:
        """Whether any share of a decision would do no better; if so, the model is left without its integers."""
        integers = self._integers
        self._highs.changeColsIntegrality(integers.size, integers, np.zeros(integers.size, dtype=np.uint8))
        self._set(time_limit=np.inf)
        self._highs.run()
        if not self._has_integers or self._answer().ending is Ending.INFEASIBLE:
            return True
        self._highs.changeColsIntegrality(integers.size, integers, np.ones(integers.size, dtype=np.uint8))
        return False

    def _run_watched(self, watch: Watch) -> None:
        started, latest = time.monotonic(), Stand(0.0, np.inf, -np.inf, np.inf)

        def note(event: highspy.highs.HighsCallbackEvent) -> None:
            nonlocal latest
            out = event.data_out
            latest = Stand(out.running_time, out.mip_primal_bound, out.mip_dual_bound, out.mip_gap)

        self._highs.cbMipLogging += note
        self._highs.HandleUserInterrupt = True
        self._highs.startSolve()
        is_interrupted = False
        try:
            while not self._highs.wait(WATCH_EVERY_S)[0]:
                watch(replace(latest, elapsed_s=time.monotonic() - started))
        except KeyboardInterrupt:
            is_interrupted = True
            self._highs.cancelSolve()
            while not self._highs.wait(WATCH_EVERY_S)[0]:
                pass
        finally:
            self._highs.HandleUserInterrupt = False
            self._highs.cbMipLogging -= note
        if is_interrupted and self._highs.getInfo().primal_solution_status != _FEASIBLE:
            raise KeyboardInterrupt

    def _answer(self) -> Answer:
        info, status = self._highs.getInfo(), self._highs.getModelStatus()
        solution = self._highs.getSolution()
        is_feasible = info.primal_solution_status == _FEASIBLE
        if status == highspy.HighsModelStatus.kOptimal:
            ending = Ending.OPTIMAL
        elif status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            ending = Ending.INFEASIBLE
        elif status in _STOPPED:
            ending = Ending.STOPPED if is_feasible else Ending.NOTHING
        elif status == highspy.HighsModelStatus.kNotset:
            raise RuntimeError(
                "HiGHS refused to run: this process used it before with another number of threads than 1"
            )
        else:
            raise RuntimeError(f"HiGHS ended with '{self._highs.modelStatusToString(status)}'")
        cost = info.objective_function_value
        return Answer(
            ending,
            np.array(solution.col_value),
            solution,
            cost,
            info.mip_dual_bound if self._has_integers else cost if ending is Ending.OPTIMAL else -np.inf,
        )

    def _set(self, **options: object) -> None:
        for name, value in options.items():
            if self._options.get(name) != value:
                self._highs.setOptionValue(name, value)
                self._options[name] = value
