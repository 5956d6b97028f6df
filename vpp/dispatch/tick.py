"""How is a site run, and what does one tick come to?"""

from dataclasses import dataclass

from adapters.protocols import Stamp
from vpp.domain.override import Answer
from vpp.domain.setpoint import Permit
from vpp.domain.snapshot import Decision, Outcome, Snapshot
from vpp.domain.unit import Connection, Unit


@dataclass(frozen=True, slots=True)
class Settings:
    """How a site is run."""

    site_id: str
    units: tuple[Unit, ...]
    connection: Connection
    tick_s: float
    lease_s: float


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick came to."""

    snapshot: Snapshot
    decision: Decision
    outcome: Outcome
    due: tuple[tuple[Permit, Stamp], ...]
    """Commands to send, after they are journalled."""
    ended: tuple[Answer, ...]
    """Overrides whose time was over."""
