"""Thermomechanical storage: what its simulated device does."""

from collections.abc import Callable

from optimizer.assets.thermomechanical_storage.schema import ThermomechanicalStorage
from optimizer.storage.device import MachineStorePhysics


def make(
    asset: ThermomechanicalStorage,
    available_kw: Callable[[float], float],  # noqa: ARG001 - one signature for all types
    start_s: float,  # noqa: ARG001
    seed: int,
) -> MachineStorePhysics:
    """The device of one store, with the energy that a plan starts from. Nothing outside it drives it."""
    return MachineStorePhysics(asset, seed)
