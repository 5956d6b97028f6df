"""What does the grid charge for a plan, entry by entry of the tariff?"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SoFar:
    """What one entry of a tariff has counted when a plan begins."""

    peak_kw: float = 0.0
    """Highest average of the running period."""
    energy_kwh: float = 0.0
    """Energy of the running period."""
    block_kwh: float | None = None
    """Energy since the running average began; `None` where nobody measured it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a running site has measured of what one entry of its tariff counts."""

    period: str
    """Local day, month or year, such as `2026-11`."""
    said: float
    """What the site file says was counted before [kW of a peak, kWh of blocks of energy]."""
    reached: float
    """Highest average [kW], or energy [kWh], of the period so far."""
    average_start: datetime
    """When the running average began, in UTC."""
    average_kwh: float = 0.0
    """Energy that was measured in the running average."""
    average_s: float = 0.0
    """How much of the running average was measured."""


@dataclass(frozen=True)
class BilledPeriod:
    """What one day, month or year of a plan adds to the bill by one entry."""

    period: str
    """`2026-11-23`, `2026-11` or `2026`."""
    reached: float
    """Highest average [kW], or energy [kWh], of the part of the period that the plan covers."""
    owed: float
    """What is billed whatever the plan does: reached before it, or the share of an earlier peak [kW or kWh]."""
    billed: float
    """What the period comes to with the plan [kW or kWh]."""
    cash: float
    """Never positive."""
    steps: tuple[int, ...] = ()
    """Of a peak that is paid: the steps whose averages reach it."""
    counted: tuple[int, ...] = ()
    """Of a peak: the steps whose averages count."""
    worth_per_kw: float | None = None
    """Of a peak: what one kW more would earn if it were free."""


@dataclass(frozen=True)
class Billed:
    """What one entry of the tariff costs over a plan."""

    entry: str
    kind: str
    """`energy` or `peak`."""
    of: str
    """`import` or `export`."""
    cash: float
    """Never positive."""
    energy_kwh: float
    """Energy that was counted: in the entry's direction, while it holds."""
    periods: tuple[BilledPeriod, ...]
    """Of a peak or of tiers: the periods that the plan touches. Of a plain price: none."""
