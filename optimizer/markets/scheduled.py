"""Energy sold ahead: one quantity per step for all scenarios, within what the connection can carry."""

from typing import Any

import pyomo.environ as pyo

from optimizer.blocks import scalars
from optimizer.groups.connection.schema import Connection
from optimizer.problem import Parameters


def parameters(connection: Connection) -> Parameters:
    """Largest quantities that can be bought and sold ahead."""
    return {"import_limit_kw": connection.import_limit_kw, "export_limit_kw": connection.highest_export_kw}


def build(b: Any, chosen: None) -> None:  # noqa: ARG001 - one signature for all blocks
    """−import_limit ≤ scheduled ≤ export_limit; what it earns is settled in every scenario with the imbalance."""
    scalars(b, "import_limit_kw", "export_limit_kw")
    b.scheduled_kw = pyo.Var(
        b.time, bounds=(-b.import_limit_kw, b.export_limit_kw), doc="bought ahead / sold ahead [kW]"
    )
