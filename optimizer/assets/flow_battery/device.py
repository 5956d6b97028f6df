"""A flow battery: what its simulated device does."""

from collections.abc import Callable

from optimizer.assets.flow_battery.schema import FlowBattery
from optimizer.storage.device import MachineStorePhysics


def make(asset: FlowBattery, available_kw: Callable[[float], float], start_s: float, seed: int) -> MachineStorePhysics:  # noqa: ARG001 - one signature for all types
    """The device of one store, with the energy that a plan starts from. Nothing outside it drives it."""
    return MachineStorePhysics(asset, seed)
