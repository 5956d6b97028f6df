"""What must an operator act upon?"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition that demands a response. What needs none is an event, and stands in the journal only."""

    code: str
    asset: str
    """Id of an asset, or `site`."""
    severity: int
    """1 at once, 2 soon, 3 in time."""
    message: str
    """The thing, the fact, the number."""
    cause: str
    consequence: str
    remedy: str
    since: datetime
    cleared_when: str
    act_within_s: float | None = None
    acknowledged_by: str | None = None
