"""What goes to a device, and what comes back?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vpp.domain.unit import Mode


@dataclass(frozen=True, slots=True)
class GridForming:
    """Set-points of a unit that forms voltage and frequency."""

    p0_kw: float
    q0_kvar: float
    f_ref_hz: float
    v_ref_pu: float
    droop_fraction: float
    voltage_droop_fraction: float
    inertia_s: float
    damping_pu: float
    p_min_kw: float
    p_max_kw: float
    power_filter_s: float


@dataclass(frozen=True, slots=True)
class Lookahead:
    """What a device does from an instant on, should the commands after this one not arrive."""

    at: datetime
    export_kw: float


@dataclass(frozen=True, slots=True)
class Command:
    """A set-point as a lease: it holds `ttl_ms` from receipt, by the device's own monotonic clock."""

    asset_id: str
    id: str
    epoch: int
    """The dispatcher's term; a device obeys no lower one than it has seen."""
    seq: int
    """Rises with every command to an asset within an epoch."""
    issued_at: datetime
    not_before: datetime
    valid_until: datetime
    ttl_ms: int
    mode: Mode
    export_kw: float
    ramp_kw_per_s: float | None
    """`None` leaves it to the device."""
    reason: str
    reactive_kvar: float | None = None
    gfm: GridForming | None = None
    lookahead: tuple[Lookahead, ...] = ()


class AckStatus(StrEnum):
    """What became of a command."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STARTED = "started"
    REACHED = "reached"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Ack:
    """A device's answer to a command."""

    asset_id: str
    id: str
    epoch: int
    seq: int
    at: datetime
    status: AckStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a device or a dispatcher is connected."""

    owner: str
    """Id of an asset, or `dispatcher`."""
    is_online: bool
    at: datetime
    boot_id: str
    """Of a dispatcher: its instance."""
    epoch: int | None = None
