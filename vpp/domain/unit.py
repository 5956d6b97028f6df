"""What is an asset to the one who runs it: its limits, and what it does when nobody tells it anything?"""

from dataclasses import dataclass
from enum import StrEnum
from math import floor

ROUNDING = 1e-6
"""So much of a unit may be missing for it to run: the rounding of a set-point on its way."""


class Kind(StrEnum):
    """What an asset does with energy."""

    STORAGE = "storage"
    GENERATION = "generation"
    CONSUMPTION = "consumption"


class Mode(StrEnum):
    """How an inverter behaves towards the grid."""

    GFL = "gfl"
    GFM_DROOP = "gfm_droop"
    GFM_VSM = "gfm_vsm"
    GFM_ISOCHRONOUS = "gfm_isochronous"
    STANDBY = "standby"
    BLACK_START = "black_start"


class Fallback(StrEnum):
    """What a device does when its lease has ended."""

    HOLD = "hold"
    RAMP_TO_ZERO = "ramp_to_zero"
    SELF_CONSUMPTION = "self_consumption"
    LOCAL_CONTROL = "local_control"
    ISLAND_HOLD = "island_hold"


@dataclass(frozen=True, slots=True)
class Unit:
    """One asset of a site, as control and safety know it."""

    id: str
    kind: Kind
    charge_kw: float
    """Highest power into the asset; 0 where it cannot draw."""
    discharge_kw: float
    """Highest power out of the asset; 0 where it cannot deliver."""
    is_controllable: bool
    """Whether it takes set-points; what does not is measured only."""
    ramp_kw_per_s: float
    """Fastest change that may be asked of it; infinity where it has no such limit."""
    fallback: Fallback
    cost_per_mwh: float = 0.0
    """What a MWh delivered costs beside its price; the cheaper of two assets goes first."""
    energy_capacity_kwh: float | None = None
    """Energy between empty and full; `None` for what stores nothing."""
    floor_kwh: float | None = None
    """Lowest stored energy down to which it may discharge."""
    ceiling_kwh: float | None = None
    """Highest stored energy up to which it may charge."""
    charge_efficiency: float = 1.0
    """Energy that reaches the store per energy charged."""
    discharge_efficiency: float = 1.0
    """Energy delivered per energy taken from the store."""
    rest_load_kw: float = 0.0
    """What a store draws while it neither charges nor discharges."""
    ramp_s: float = 0.0
    """How long its power may take from one end to the other, at its own pace."""
    least_charge_kw: float = 0.0
    """Lowest power into the asset, of one unit that charges; told less, it rests."""
    least_discharge_kw: float = 0.0
    """Lowest power out of the asset; told less, it rests."""
    charger_count: int = 1
    """Number of equal units that charge."""

    def settled_kw(self, export_kw: float) -> float:
        """Power out that it comes to under a set-point: whole units, none of them below its lowest power."""
        if export_kw > -self.rest_load_kw:
            is_too_little = self.least_discharge_kw > 0 and export_kw < self.least_discharge_kw
            return 0.0 - self.rest_load_kw if is_too_little else export_kw
        if self.least_charge_kw <= 0:
            return export_kw
        count = min(floor(-export_kw / self.least_charge_kw + ROUNDING), self.charger_count)
        return max(export_kw, -count * self.charge_kw / self.charger_count) if count else 0.0 - self.rest_load_kw


@dataclass(frozen=True, slots=True)
class Connection:
    """What the site may exchange with the grid; neither is negative."""

    import_limit_kw: float
    export_limit_kw: float
