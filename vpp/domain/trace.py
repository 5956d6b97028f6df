"""A measured state of charge over time, and what it says about the store's life."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Trace:
    """A measured state of charge, in order of time."""

    at: tuple[datetime, ...]
    """Instants in UTC, rising."""
    soc_fraction: tuple[float, ...]


@dataclass(frozen=True)
class Gap:
    """A time without values, in which a cycle may have been missed."""

    start: datetime
    length_s: float


@dataclass(frozen=True)
class DepthClass:
    """Cycles of like depth: above `from_fraction`, and at most `to_fraction`."""

    from_fraction: float
    to_fraction: float
    cycle_count: float
    """A half-cycle counts 0.5."""
    life_used_fraction: float


@dataclass(frozen=True)
class Rest:
    """What resting took, by the law of a cell."""

    law: str
    temperature_c: float
    age_years: float
    capacity_lost_fraction: float
    life_used_fraction: float
    cost: float


@dataclass(frozen=True)
class Forecast:
    """What a cell loses that is used like this from new, by the law of a cell."""

    years: float
    """How far ahead the losses below are."""
    calendar_loss_fraction: float
    cycle_loss_fraction: float
    end_of_life_soh_fraction: float
    end_of_life_years: float | None
    """When that much capacity is left; `None` for later than in a hundred years."""
    beyond_tests: tuple[str, ...]
    """What of its use was not tested: the forecast is extrapolated there."""


@dataclass(frozen=True)
class TraceWear:
    """What a trace took of a store's life."""

    asset_id: str
    start: datetime
    end: datetime
    value_count: int
    usual_s: float
    """Usual time from one value to the next."""
    gaps: tuple[Gap, ...]
    gap_depth_fraction: float
    """Depth of the half-cycle that each gap counts as: the worst that the store can make."""
    gap_life_used_fraction: float
    full_cycle_count: float
    """Equivalent full cycles: energy that went through, in capacities."""
    discharged_mwh: float
    """The same at the terminals."""
    depths: tuple[DepthClass, ...]
    """All cycles that were seen, by depth."""
    life_used_fraction: float
    """Share of life that all cycles take, those of the gaps included."""
    cost: float
    """What that share of a new store costs."""
    rest: Rest | None
    """`None` without a law of calendar ageing."""
    forecast: Forecast | None
    """`None` without such a law, or without any cycle."""
