"""What did a device say, and may it be believed?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vpp.domain.unit import Fallback, Mode


class Quality(StrEnum):
    """A device's own word on its values."""

    GOOD = "good"
    STALE = "stale"
    SUSPECT = "suspect"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """What a device can do at this moment; neither is negative."""

    charge_kw: float
    discharge_kw: float


@dataclass(frozen=True, slots=True)
class Lease:
    """The command that a device follows."""

    epoch: int
    seq: int
    remaining_ms: int


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One message of measured values."""

    asset_id: str
    at: datetime
    """The device's wall clock, in UTC."""
    boot_id: str
    """Names the time since the device was switched on."""
    seq: int
    export_kw: float
    mode: Mode
    quality: Quality = Quality.GOOD
    reactive_kvar: float | None = None
    stored_kwh: float | None = None
    soc_fraction: float | None = None
    frequency_hz: float | None = None
    voltage_pu: float | None = None
    temperature_c: float | None = None
    limits: LiveLimits | None = None
    lease: Lease | None = None
    """`None` while it follows nobody."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What a device says of itself when it comes up."""

    asset_id: str
    boot_id: str
    at: datetime
    charge_kw: float
    discharge_kw: float
    energy_kwh: float | None
    modes: tuple[Mode, ...]
    fallback: Fallback
    is_clock_synced: bool
    vendor: str = ""
    model: str = ""
    firmware: str = ""


class Verdict(StrEnum):
    """Whether an asset's telemetry may be used."""

    FRESH = "fresh"
    MISSING = "missing"
    """Nothing was received since the start, or since the device came up."""
    STALE = "stale"
    """The last value is older than three of its periods."""
    SUSPECT = "suspect"
    """The values contradict physics or one another: stuck, jumping, or marked so by the device."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of an asset at a tick."""

    verdict: Verdict
    telemetry: Telemetry | None = None
    """The last accepted message, whatever its age."""
    age_s: float | None = None
    """Time since it was received, by our monotonic clock."""
    follows: bool = True
    """Whether the device does what it was permitted, within its tolerance and after the time it needs for it."""
    why: str = ""
    """What is wrong with it; empty where nothing is."""

    @property
    def fresh(self) -> Telemetry | None:
        """The values, where they may be used."""
        return self.telemetry if self.verdict is Verdict.FRESH else None
