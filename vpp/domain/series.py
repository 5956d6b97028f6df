"""Where a series of values comes from, and what was read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

QUANTILE_WEIGHTS = {"p10": 0.3, "p50": 0.4, "p90": 0.3}
"""Probabilities of three scenarios that stand for a distribution known by its quantiles: Swanson's rule. With them mean
and variance come out nearly right for most shapes; Hurst, Brown and Swanson, AAPG Bulletin 84 (2000) 1883–1891, and
Keefer and Bodily, Management Science 29 (1983) 595–609."""
SAME_WEIGHT = 1e-9
"""Weights that differ by no more are equal."""


@dataclass(frozen=True)
class Member:
    """One column of a source."""

    name: str
    """Name of the scenario that it belongs to; empty for a series that is certain."""
    weight: float
    """Probability of the scenario."""
    column: str
    place: tuple[str | int, ...]
    """Where the source names it."""


def middle_of(weights: Sequence[float]) -> int:
    """Number of the heaviest scenario, of equally heavy ones the middle one."""
    equals = [k for k, weight in enumerate(weights) if weight >= max(weights) - SAME_WEIGHT]
    return equals[(len(equals) - 1) // 2]


@dataclass(frozen=True)
class SeriesSource:
    """A column of a CSV or Parquet file with a `start_utc` column, or several of which one will come true.

    A source that is coarser than the plan's steps is held over the steps it covers; a finer one is averaged.
    It names a `column`; or `p10`, `p50` and `p90`; or `scenarios`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "allow_inf_nan": False,
        "use_attribute_docstrings": True,
    }

    file: str
    """Path, relative to the site file."""
    column: str | None = None
    """Column that holds the values of a series that is certain."""
    where: dict[str, str] = field(default_factory=dict)
    """Picks rows of a longer table: column and the text it must hold, such as `{region: NSW1}`."""
    scale: float = 1.0
    """Factor on every value, for files in another unit."""
    p10: str | None = None
    """Column of the values that one in ten falls below, in each step."""
    p50: str | None = None
    """Column of the values that one in two falls below, in each step."""
    p90: str | None = None
    """Column of the values that nine in ten fall below, in each step."""
    scenarios: list[str] | None = None
    """Columns of which one comes true, for all steps."""
    weights: list[float] | None = None
    """Probabilities of the `scenarios`, which sum to one; default: all alike."""

    @property
    def middle(self) -> Member:
        """The column that stands for all where only one can: the heaviest, or the middle one of equally heavy ones."""
        return self.members[middle_of([member.weight for member in self.members])]

    @property
    def members(self) -> tuple[Member, ...]:
        """Its columns in order, those without weight left out; the source must be free of faults."""
        if self.column is not None:
            return (Member("", 1.0, self.column, ("column",)),)
        if self.scenarios is None:
            quantiles = ((name, str(getattr(self, name))) for name in QUANTILE_WEIGHTS)
            return tuple(Member(name, QUANTILE_WEIGHTS[name], column, (name,)) for name, column in quantiles)
        weights = self.weights or [1.0] * len(self.scenarios)
        found = zip(self.scenarios, weights, strict=True)
        return tuple(
            Member(column, weight / sum(weights), column, ("scenarios", k))
            for k, (column, weight) in enumerate(found)
            if weight > 0
        )


ASSUMED, OUTSIDE_RANGE = "assumed", "outside its range"
"""Verdicts on values of a technology that are said in a sentence."""


@dataclass(frozen=True)
class Premise:
    """How old and how plausible one input of a plan was."""

    input: str
    age_s: float | None
    """Seconds from the last change of the input to the start of the plan, 0 where it changed later; `None` where nobody
    knows. It is counted to the start, so that the same inputs give the same plan whenever it is made."""
    check: str
    verdict: str


@dataclass(frozen=True)
class Forecast:
    """Values of one series over a horizon, one per step."""

    values: tuple[float, ...]
    premise: Premise
