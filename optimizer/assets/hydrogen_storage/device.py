"""Hydrogen storage: what its simulated device does."""

from collections.abc import Callable

from optimizer.assets.hydrogen_storage.schema import HydrogenStorage
from optimizer.storage.device import MachineStorePhysics


def make(
    asset: HydrogenStorage,
    available_kw: Callable[[float], float],  # noqa: ARG001 - one signature for all types
    start_s: float,  # noqa: ARG001
    seed: int,
) -> MachineStorePhysics:
    """The device of one store, with the energy that a plan starts from. Nothing outside it drives it."""
    return MachineStorePhysics(asset, seed)
