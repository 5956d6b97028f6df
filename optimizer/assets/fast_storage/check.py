"""Fast storage: its physics in plain numpy, to verify a plan."""

from collections.abc import Iterator

import numpy as np

from optimizer.assets.fast_storage.schema import FastStorage
from optimizer.problem import Inputs
from vpp.domain.plan import Schedule


def violations(asset: FastStorage, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """Name each limit and balance with the amount by which it is violated [kW or kWh]; at most 0 is kept."""
    yield "rest but for the standing load", np.abs(np.array(schedule.export_kw) + asset.standing_load_kw).max()
    if not inputs.reserves:
        return
    at_rest_kwh = asset.energy_capacity_kwh * asset.rest_soc_fraction
    steps = inputs.step_h.size
    given_kw, taken_kw, needed_kwh, filled_kwh = (np.zeros(steps) for _ in range(4))
    for reserve in inputs.reserves:
        up_kw = reserve.power * np.array(schedule.up_kw[reserve.product])
        down_kw = reserve.power * np.array(schedule.down_kw[reserve.product])
        yield "upward reserve", -up_kw.min()
        yield "downward reserve", -down_kw.min()
        given_kw, taken_kw = given_kw + up_kw, taken_kw + down_kw
        if reserve.at_start or reserve.at_end:
            drawn = 1 / asset.discharge_efficiency if reserve.includes_losses else 1.0
            kept = asset.charge_efficiency if reserve.includes_losses else 1.0
            needed_kwh = needed_kwh + reserve.energy_up_h * drawn * up_kw
            filled_kwh = filled_kwh + reserve.energy_down_h * kept * down_kw
    yield "power for upward reserve", given_kw.max() - asset.discharge_power_kw
    yield "power for downward reserve", taken_kw.max() - asset.charge_power_kw
    yield "energy for upward reserve", needed_kwh.max() - at_rest_kwh
    yield "room for downward reserve", filled_kwh.max() - (asset.energy_capacity_kwh - at_rest_kwh)


def wear(asset: FastStorage, inputs: Inputs, schedule: Schedule) -> float:  # noqa: ARG001 - one signature for all types
    """A cycle costs nothing."""
    return 0.0
