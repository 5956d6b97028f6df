"""Everything that a tick decides upon, frozen once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from vpp.domain.override import Override
from vpp.domain.setpoint import Permit, Refusal, Setpoint
from vpp.domain.telemetry import Reading
from vpp.domain.unit import Connection, Unit

Span = tuple[float, float]
"""Lowest and highest export [kW]."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a market asks the site to deliver at its meter, beside what it planned."""

    product: str
    export_kw: float
    """Positive is up."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The site at one tick. A decision reads nothing else but the course that is named here."""

    now: datetime
    """Wall clock, in UTC."""
    tick_s: float
    """Time until the next tick."""
    lease_s: float
    """How long a set-point holds at a device."""
    connection: Connection
    units: tuple[Unit, ...]
    readings: Mapping[str, Reading]
    course_id: str | None
    is_planner_well: bool
    """Whether the last planning succeeded in time."""
    overrides: tuple[Override, ...]
    signal: Signal | None
    permits: Mapping[str, Permit]
    """Permits in force: what was last sent to each asset and has not run out."""
    reclaimed: tuple[str, ...] = ()
    """Assets that were found running without an owner, and are brought to rest first."""
    turned_down: Mapping[str, Span] = field(default_factory=dict)
    """Machines that are left for a while where a limit has turned them down."""


class InControl(StrEnum):
    """Who decides."""

    PLAN = "plan"
    OVERRIDE = "override"
    FALLBACK = "fallback"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Decision:
    """What control wants, and on which rung of the ladder it stands."""

    in_control: InControl
    rung: int
    """1 plan, 2 the previous plan, 3 the rule, 4 safe stop."""
    setpoints: Mapping[str, Setpoint]
    target_kw: float | None = None
    """What the site is to export, where somebody asked for it."""
    residual_kw: float = 0.0
    """What of the target no asset can deliver; positive where too little is exported."""


Outcome = Mapping[str, Permit | Refusal]
"""What safety made of a decision, by asset."""
