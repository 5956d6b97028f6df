"""What a plan or a measured trace takes of a store's life."""

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
