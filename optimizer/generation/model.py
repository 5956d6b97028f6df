"""Weather-dependent generation: its mathematics over the horizon."""

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from optimizer.blocks import series
from optimizer.generation.schema import Generation
from optimizer.ports import TIE_BREAK_PER_MWH
from optimizer.problem import Inputs, Parameters


@dataclass(frozen=True)
class Options:
    """What the block contains."""

    is_curtailable: bool


def options(asset: Generation, inputs: Inputs, *, is_exclusive: bool) -> Options:  # noqa: ARG001 - one signature for all
    """Choose the block for a generator."""
    return Options(asset.curtailable)


def exclusion(asset: Generation) -> None:
    """A generator has one direction."""


def parameters(asset: Generation, inputs: Inputs) -> Parameters:  # noqa: ARG001 - one signature for all types
    """Numbers of one generator."""
    return {"available_kw": inputs.series["forecast"]}


def build(b: Any, chosen: Options) -> None:
    """0 ≤ export[t] ≤ available[t], or export[t] = available[t] where nothing can be curtailed."""
    series(b, "available_kw")
    if not chosen.is_curtailable:
        b.export_kw = pyo.Expression(b.time, rule=lambda b, t: b.available_kw[t])
        return
    b.export_kw = pyo.Var(b.time, bounds=lambda b, t: (0, b.available_kw[t]))

    @b.Expression(b.time)
    def preference(b: Any, t: int) -> Any:
        return TIE_BREAK_PER_MWH * b.step_h[t] * b.export_kw[t]
