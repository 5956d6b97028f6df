"""A load: its mathematics over the horizon."""

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from optimizer.assets.load.schema import Load
from optimizer.blocks import series
from optimizer.priorities import Level
from optimizer.problem import Inputs, Parameters

IDLE: Parameters = {}


@dataclass(frozen=True)
class Options:
    """What a load's block contains."""

    gives_way: bool
    """Whether what is not critical may be cut."""


def options(asset: Load, inputs: Inputs, *, is_exclusive: bool) -> Options:  # noqa: ARG001 - one signature for all types
    """Choose the block for a load."""
    return Options(inputs.gives_way)


def exclusion(asset: Load) -> None:
    """A load has one direction."""


def parameters(asset: Load, inputs: Inputs) -> Parameters:
    """Numbers of one load."""
    load_kw = inputs.series["forecast"]
    return {"load_kw": load_kw, "most_cut_kw": (1 - asset.critical_fraction) * load_kw}


def build(b: Any, chosen: Options) -> None:
    """export[t] = −load[t] + cut[t], where nothing is cut unless promises give way."""
    series(b, "load_kw")
    if not chosen.gives_way:
        b.export_kw = pyo.Expression(b.time, rule=lambda b, t: -b.load_kw[t])
        return
    series(b, "most_cut_kw")
    b.cut_kw = pyo.Var(b.time, bounds=lambda b, t: (0, b.most_cut_kw[t]), doc="/ critical load [kW]")
    b.export_kw = pyo.Expression(b.time, rule=lambda b, t: b.cut_kw[t] - b.load_kw[t])

    @b.Expression(b.time, [int(Level.SERVICE)])
    def given_up_kwh(b: Any, t: int, _level: int) -> Any:
        return b.step_h[t] * b.cut_kw[t]
