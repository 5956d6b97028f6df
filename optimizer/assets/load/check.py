"""A load: what it must do, in plain numpy, to verify a plan."""

from collections.abc import Iterator

import numpy as np

from optimizer.assets.load.schema import Load
from optimizer.problem import Inputs
from vpp.domain.plan import Schedule


def violations(asset: Load, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:  # noqa: ARG001
    """Name each limit and balance with the amount by which it is violated [kW]; at most 0 is kept."""
    yield "load served", np.abs(np.array(schedule.export_kw) + inputs.series["forecast"]).max()


def wear(asset: Load, inputs: Inputs, schedule: Schedule) -> float:  # noqa: ARG001 - one signature for all types
    """A load does not wear."""
    return 0.0
