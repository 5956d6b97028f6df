"""A load: what it must do, in plain numpy, to verify a plan."""

from collections.abc import Iterator

import numpy as np

from optimizer.assets.load.schema import Load
from optimizer.problem import Inputs
from vpp.domain.plan import Schedule


def violations(asset: Load, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """Name each limit and balance with the amount by which it is violated [kW]; at most 0 is kept."""
    wanted_kw = inputs.series["forecast"]
    cut_kw = np.array(schedule.flows["cut_kw"]) if inputs.gives_way else np.zeros(wanted_kw.size)
    yield "load served", np.abs(np.array(schedule.export_kw) + wanted_kw - cut_kw).max()
    yield "critical load cut", (cut_kw - (1 - asset.critical_fraction) * wanted_kw).max()
    yield "load added", -cut_kw.min()


def wear(asset: Load, inputs: Inputs, schedule: Schedule) -> float:  # noqa: ARG001 - one signature for all types
    """A load does not wear."""
    return 0.0
