"""The grid connection: the balance of the site's AC bus."""

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from optimizer.blocks import Exclusion, inlet, scalars
from optimizer.groups.connection.schema import Connection
from optimizer.problem import Parameters

EXCLUSION = Exclusion(("import_kw", "export_kw"), is_enforced=True)


@dataclass(frozen=True)
class Options:
    """What the connection's block contains."""

    tells_directions: bool
    """Whether import and export are told apart, because they cost or earn differently."""
    is_exclusive: bool
    """Whether import and export exclude each other in some step."""


def parameters(connection: Connection) -> Parameters:
    """Numbers of the connection."""
    return {"import_limit_kw": connection.import_limit_kw, "export_limit_kw": connection.highest_export_kw}


def build(b: Any, chosen: Options) -> None:
    """−import_limit ≤ Σ export ≤ export_limit; told apart, Σ export = export − import."""
    scalars(b, "import_limit_kw", "export_limit_kw")
    net_kw = inlet(b, "export_kw")
    if not chosen.tells_directions:

        @b.Constraint(b.time, doc="import limit / export limit [kW]")
        def connection_limit(b: Any, t: int) -> Any:
            return (-b.import_limit_kw, net_kw[t], b.export_limit_kw)

        return

    b.import_kw = pyo.Var(b.time, bounds=(0, b.import_limit_kw), doc="/ import limit [kW]")
    b.export_kw = pyo.Var(b.time, bounds=(0, b.export_limit_kw), doc="/ export limit [kW]")

    @b.Constraint(b.time)
    def bus_balance(b: Any, t: int) -> Any:
        return net_kw[t] == b.export_kw[t] - b.import_kw[t]

    if chosen.is_exclusive:
        b.is_importing = pyo.Var(b.time, domain=pyo.Binary)

        @b.Constraint(b.time, doc="/ import limit [kW]")
        def import_only(b: Any, t: int) -> Any:
            return b.import_kw[t] <= b.import_limit_kw * b.is_importing[t]

        @b.Constraint(b.time, doc="/ export limit [kW]")
        def export_only(b: Any, t: int) -> Any:
            return b.export_kw[t] <= b.export_limit_kw * (1 - b.is_importing[t])
