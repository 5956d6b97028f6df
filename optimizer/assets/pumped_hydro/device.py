"""Pumped hydro: what its simulated device does."""

from collections.abc import Callable

from optimizer.assets.pumped_hydro.schema import PumpedHydro
from optimizer.storage.device import MachineStorePhysics


def make(asset: PumpedHydro, available_kw: Callable[[float], float], start_s: float, seed: int) -> MachineStorePhysics:
    """The device of one plant; `available_kw` is the inflow, in m³/s. Water above the brim is spilled."""
    inflow = None if asset.inflow is None else available_kw
    return MachineStorePhysics(asset, seed, inflow, start_s)
