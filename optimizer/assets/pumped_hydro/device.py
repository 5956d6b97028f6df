"""Pumped hydro: what its simulated device does."""

from collections.abc import Callable

from optimizer.assets.pumped_hydro.schema import PumpedHydro
from optimizer.storage.device import MachineStorePhysics

RAMP_S = 60.0
"""Time from full pumping to full generation, apart from the rest between them."""


def make(asset: PumpedHydro, available_kw: Callable[[float], float], start_s: float, seed: int) -> MachineStorePhysics:
    """The device of one plant; `available_kw` is the inflow, in m³/s. Water above the brim is spilled."""
    inflow = None if asset.inflow is None else available_kw
    return MachineStorePhysics(asset, seed, RAMP_S, inflow, start_s)
