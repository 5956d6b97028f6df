"""Weather-dependent generation: its limits in plain numpy, to verify a plan."""

from collections.abc import Iterator

import numpy as np

from optimizer.generation.schema import Generation
from optimizer.problem import Inputs
from vpp.domain.plan import Schedule


def violations(asset: Generation, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """Name each limit with the amount by which it is violated [kW]; at most 0 is kept."""
    export_kw, available_kw = np.array(schedule.export_kw), inputs.series["forecast"]
    yield "available power", (export_kw - available_kw).max()
    yield "power below zero", -export_kw.min()
    if not asset.curtailable:
        yield "power that cannot be curtailed", (available_kw - export_kw).max()


def wear(asset: Generation, inputs: Inputs, schedule: Schedule) -> float:  # noqa: ARG001 - one signature for all types
    """Generation does not wear."""
    return 0.0
