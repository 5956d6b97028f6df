"""With which words does a model describe its block, beside Pyomo's own?

Parameters are mutable Pyomo parameters without values, which stamps fill in.
"""

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo


def scalars(block: Any, *names: str) -> None:
    """Declare parameters that have one value per asset."""
    for name in names:
        block.add_component(name, pyo.Param(mutable=True, initialize=1.0))


def series(block: Any, *names: str, indices: tuple[Any, ...] = ()) -> None:
    """Declare parameters that have one value per step (and index)."""
    for name in names:
        block.add_component(name, pyo.Param(block.time, *indices, mutable=True, initialize=1.0))


def inlet(block: Any, port: str, *indices: Any) -> Any:
    """Declare the sum of a port over the bus, one value per step (and index)."""
    block.add_component(f"sum_{port}", pyo.Var(block.time, *indices))
    return block.component(f"sum_{port}")


@dataclass(frozen=True)
class Exclusion:
    """Two column families of which one must be zero in every step."""

    columns: tuple[str, str]
    is_enforced: bool
