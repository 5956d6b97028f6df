"""A load: its mathematics over the horizon."""

from typing import Any

import pyomo.environ as pyo

from optimizer.assets.load.schema import Load
from optimizer.blocks import series
from optimizer.problem import Inputs, Parameters

IDLE: Parameters = {}


def options(asset: Load, inputs: Inputs, *, is_exclusive: bool) -> None:
    """Every load has the same block."""


def exclusion(asset: Load) -> None:
    """A load has one direction."""


def parameters(asset: Load, inputs: Inputs) -> Parameters:  # noqa: ARG001 - one signature for all types
    """Numbers of one load."""
    return {"load_kw": inputs.series["forecast"]}


def build(b: Any, chosen: None) -> None:  # noqa: ARG001 - one signature for all types
    """export[t] = −load[t]."""
    series(b, "load_kw")
    b.export_kw = pyo.Expression(b.time, rule=lambda b, t: -b.load_kw[t])
