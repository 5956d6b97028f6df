"""Which part of a plan is followed?

A plan is made in another process and says far more than control needs. Its course is what crosses over, is journalled
once, and is followed second by second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vpp.domain.series import Premise

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """What every asset does in each step of a plan."""

    id: str
    created: datetime
    start: datetime
    """First instant, in UTC."""
    first_step_s: int
    step_s: int
    count: int
    export_kw: Mapping[str, Values]
    """By asset; shape (steps,)."""
    stored_kwh: Mapping[str, Values]
    """At the end of each step, of what stores energy; shape (steps,)."""
    is_curtailed: Mapping[str, tuple[bool, ...]]
    """Steps in which generation is held below what it could deliver, of what generates; shape (steps,)."""
    import_price_per_mwh: Values
    export_price_per_mwh: Values
    currency: str
    status: str
    net: float
    """Money earned over the horizon, in `currency`."""
    idle_net: float | None
    """The same with all stores left alone; `None` where that would break a limit."""
    gap_fraction: float
    premises: tuple[Premise, ...] = ()
    repairs: tuple[str, ...] = ()
    """Promises that it breaks, in words."""

    @property
    def end(self) -> datetime:
        """First instant after the course, in UTC."""
        return self.start + timedelta(seconds=self.first_step_s + self.step_s * (self.count - 1))

    def step_at(self, now: datetime) -> int | None:
        """The step in which an instant lies; `None` outside the course."""
        elapsed_s = (now - self.start).total_seconds()
        if elapsed_s < 0:
            return None
        step = 0 if elapsed_s < self.first_step_s else 1 + int((elapsed_s - self.first_step_s) // self.step_s)
        return step if step < self.count else None
