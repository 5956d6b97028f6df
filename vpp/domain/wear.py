"""What a plan or a measured trace takes of a store's life."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Wear:
    """What a plan takes of one store's life, as the plan was charged for it and as it is counted afterwards."""

    asset_id: str
    cycling_cost: float
    """What the plan was charged for its cycles, by depth segments."""
    resting_cost: float
    """What it was charged for energy at rest."""
    rainflow_cost: float
    """What the cycles cost when they are counted afterwards."""
    life_used_fraction: float
    """Share of life that the counted cycles take."""
    full_cycle_count: float
    """Equivalent full cycles: energy that went through, in capacities."""


@dataclass(frozen=True)
class Work:
    """What one store does in a plan, and what that costs and earns at the prices of the meter."""

    asset_id: str
    technology: str
    """Record of the technology library; where it names none, its type."""
    discharged_kwh: float
    """At the terminals of the store."""
    full_cycle_count: float
    """Energy taken out of the store, in capacities."""
    start_count: int | None
    """Starts of its machines; `None` for a store that has none."""
    drawn_cost: float
    """What the energy that it draws costs, its own consumption included."""
    wear_cost: float
    """Wear, hours and starts."""
    given_cash: float
    """What the energy that it gives earns."""

    @property
    def cost_per_mwh(self) -> float | None:
        """What a MWh discharged costs; `None` for a store that discharges nothing."""
        return 1000 * (self.drawn_cost + self.wear_cost) / self.discharged_kwh if self.discharged_kwh > 0 else None

    @property
    def earned_per_mwh(self) -> float | None:
        """What a MWh discharged earns; `None` for a store that discharges nothing."""
        return 1000 * self.given_cash / self.discharged_kwh if self.discharged_kwh > 0 else None


@dataclass(frozen=True)
class Shift:
    """What pricing wear changes: this plan beside the one that takes wear for nothing and then bears it."""

    discharged_kwh: Mapping[str, float]
    """More that each store discharges, by asset."""
    energy: float
    """More that energy, capacity and the tariff earn."""
    wear: float
    """More that is left for want of wear; what the plan saves."""

    @property
    def net(self) -> float:
        """More that the plan earns, wear included."""
        return self.energy + self.wear
