"""Which values of a series arrived while the site runs, and what became of them?"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """New values of one series: tomorrow's prices, a new forecast."""

    series: str
    start: datetime
    """Start of the first step, in UTC."""
    step_s: int
    values: tuple[float, ...]
    """One per step, in the unit of the series; shape (steps,)."""
    issued_at: datetime
    """When the source made them; of two feeds the later one counts."""


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """What the source of a feed is told."""

    series: str
    at: datetime
    is_accepted: bool
    code: str
    message: str
    issued_at: datetime | None = None
    """Of the feed that is answered; `None` where it could not be read."""
