"""Asset types.

Each is one folder of this package, named like the `type` in a site file:

`schema.py`
    what the site file says about an asset; no solver, so that an edge process can load it;
`model.py`
    its mathematics: `options`, `parameters`, `build`, the `exclusion` of two directions (without one all its binaries
    are decisions from the start), and the parameters that leave it alone, `IDLE`;
`check.py`
    the same physics once more in plain numpy, to verify a plan: `violations` and `wear`;
`device.py`
    what its simulated device does, with the losses, delays and noise that the mathematics leaves out, in the standard
    library alone: `make(asset, available_kw, start_s, seed)` returns a `vpp.domain.physics.Physics`.

The method `unit()` of a schema says what control and safety need to know of an asset.

A store has the field `energy_capacity_kwh` and the parameter `initial_kwh`, offers its energy as the port `stored_kwh`,
and calls the balance of that energy `energy_balance`; the dual price of that row is what stored energy is worth. A
store whose energy is not planned (`fast_storage`) has the field alone.
"""

import pkgutil
from functools import lru_cache
from importlib import import_module
from types import ModuleType

from optimizer.asset import Asset


@lru_cache(maxsize=1)
def asset_types() -> dict[str, type[Asset]]:
    """Every asset type by the name it has in a site file, found by looking at the folders of this package."""
    return {
        module.name: _schema_in(import_module(f"{__name__}.{module.name}.schema"))
        for module in pkgutil.iter_modules(__path__)
        if module.ispkg
    }


def _schema_in(module: ModuleType) -> type[Asset]:
    """The one asset that a schema module defines."""
    (schema,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Asset) and value.__module__ == module.__name__
    )
    return schema


def type_of(asset: Asset) -> str:
    """Name of an asset's type."""
    return type(asset).__module__.split(".")[-2]


def model_of(asset: Asset) -> ModuleType:
    """The module with an asset's mathematics."""
    return import_module(f"{__name__}.{type_of(asset)}.model")


def check_of(asset: Asset) -> ModuleType:
    """The module that verifies an asset's part of a plan."""
    return import_module(f"{__name__}.{type_of(asset)}.check")


def device_of(asset: Asset) -> ModuleType:
    """The module with the physics of an asset's simulated device."""
    return import_module(f"{__name__}.{type_of(asset)}.device")
