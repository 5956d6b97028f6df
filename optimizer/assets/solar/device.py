"""A photovoltaic plant: what its simulated device does."""

from optimizer.generation.device import make

__all__ = ["make"]
