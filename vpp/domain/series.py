"""Where a series of values comes from, and what was read."""

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class SeriesSource:
    """A column of a CSV or Parquet file with a `start_utc` column.

    A source that is coarser than the plan's steps is held over the steps it covers; a finer one is averaged.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "allow_inf_nan": False,
        "use_attribute_docstrings": True,
    }

    file: str
    """Path, relative to the site file."""
    column: str
    """Column that holds the values."""
    where: dict[str, str] = field(default_factory=dict)
    """Picks rows of a longer table: column and the text it must hold, such as `{region: NSW1}`."""
    scale: float = 1.0
    """Factor on every value, for files in another unit."""


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
