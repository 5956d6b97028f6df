"""A battery: its physics in plain numpy, to verify a plan."""

from collections.abc import Iterator

import numpy as np

from optimizer.ageing.schema import Ageing
from optimizer.assets.battery.schema import Battery
from optimizer.problem import Array, Inputs
from vpp.domain.plan import Schedule


def violations(asset: Battery, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """Name each limit and balance with the amount by which it is violated [kW or kWh]; at most 0 is kept."""
    charge_kw, discharge_kw = np.array(schedule.flows["charge_kw"]), np.array(schedule.flows["discharge_kw"])
    export_kw, stored_kwh = np.array(schedule.export_kw), np.array(schedule.stored_kwh)
    yield "charge power", max(charge_kw.max() - asset.charge_power_kw, -charge_kw.min())
    yield "discharge power", max(discharge_kw.max() - asset.discharge_power_kw, -discharge_kw.min())
    yield "export balance", np.abs(discharge_kw - charge_kw - asset.standing_load_kw - export_kw).max()
    if asset.exclusive_charge_discharge != "never":
        yield "charging and discharging at once", np.minimum(charge_kw, discharge_kw).max()

    before_kwh = np.concatenate([[_initial_kwh(asset, inputs)], stored_kwh[:-1]])
    kept_kwh = before_kwh * (1 - asset.self_discharge_fraction_per_h * inputs.step_h)
    gained_kw = asset.charge_efficiency * charge_kw - discharge_kw / asset.discharge_efficiency
    yield "energy balance", np.abs(kept_kwh + inputs.step_h * gained_kw - stored_kwh).max()

    floor_kwh, ceiling_kwh = _window_kwh(asset, inputs)
    yield "lowest stored energy", (floor_kwh - stored_kwh).max()
    yield "highest stored energy", (stored_kwh - ceiling_kwh).max()
    if inputs.end_value_per_mwh is None:
        yield from _end_violations(asset, inputs, schedule)
    if asset.daily_discharge_limit_kwh is not None:
        yield "daily discharge", _beyond_kwh(asset.daily_discharge_limit_kwh, inputs, discharge_kw).max()
    yield from _reserve_violations(asset, inputs, schedule, before_kwh, stored_kwh)


def _end_violations(asset: Battery, inputs: Inputs, schedule: Schedule) -> Iterator[tuple[str, float]]:
    """What is told to be lacking at the end makes up for the promise, and only where promises give way."""
    promised_kwh = (schedule.stored_kwh or (0.0,))[-1] + schedule.lacking_kwh
    yield "energy at the end", asset.least_final_soc_fraction * asset.energy_capacity_kwh - promised_kwh
    yield "energy at the end", promised_kwh - asset.most_final_soc_fraction * asset.energy_capacity_kwh
    yield "energy lacking at the end", 0.0 if inputs.gives_way else abs(schedule.lacking_kwh)


def _initial_kwh(asset: Battery, inputs: Inputs) -> float:
    return asset.initial_soc_fraction * asset.energy_capacity_kwh if inputs.state is None else inputs.state.stored_kwh


def _window_kwh(asset: Battery, inputs: Inputs) -> tuple[Array, Array]:
    """The window, opened for a measured energy that lies outside it as far as that energy drains away."""
    lowest = np.full(inputs.step_h.size, asset.min_soc_fraction * asset.energy_capacity_kwh)
    highest = np.full(inputs.step_h.size, asset.max_soc_fraction * asset.energy_capacity_kwh)
    initial_kwh = _initial_kwh(asset, inputs)
    left_kwh = initial_kwh * np.multiply.accumulate(1 - asset.self_discharge_fraction_per_h * inputs.step_h)
    return left_kwh if initial_kwh < lowest[0] else lowest, np.maximum(highest, left_kwh)


def _beyond_kwh(limit_kwh: float, inputs: Inputs, discharge_kw: Array) -> Array:
    """By how much the plan exceeds what is left of each day's discharge; nothing is left of a day already exceeded."""
    day = np.cumsum(inputs.begins_day)
    discharged_kwh: Array = np.bincount(day, weights=discharge_kw * inputs.step_h).astype(np.float64)
    left_kwh: Array = np.full(discharged_kwh.size, limit_kwh)
    left_kwh[0] -= 0.0 if inputs.state is None else min(inputs.state.discharged_today_kwh, limit_kwh)
    beyond_kwh: Array = discharged_kwh - left_kwh
    return beyond_kwh


def _reserve_violations(
    asset: Battery, inputs: Inputs, schedule: Schedule, before_kwh: Array, stored_kwh: Array
) -> Iterator[tuple[str, float]]:
    if not inputs.reserves:
        return
    moved_kw = np.array(schedule.flows["discharge_kw"]) - np.array(schedule.flows["charge_kw"])
    up = [np.array(schedule.up_kw[reserve.product]) * reserve.power for reserve in inputs.reserves]
    down = [np.array(schedule.down_kw[reserve.product]) * reserve.power for reserve in inputs.reserves]
    yield "upward reserve", -min(held.min() for held in up)
    yield "downward reserve", -min(held.min() for held in down)
    yield "power for upward reserve", (moved_kw + sum(up)).max() - asset.discharge_power_kw
    yield "power for downward reserve", (sum(down) - moved_kw).max() - asset.charge_power_kw
    floor_kwh, ceiling_kwh = _window_kwh(asset, inputs)
    for when, energy_kwh in (("at_start", before_kwh), ("at_end", stored_kwh)):
        held = [(r, u, d) for r, u, d in zip(inputs.reserves, up, down, strict=True) if getattr(r, when)]
        behind = sum(r.energy_up_h * u / (asset.discharge_efficiency if r.includes_losses else 1) for r, u, _ in held)
        room = sum(r.energy_down_h * d * (asset.charge_efficiency if r.includes_losses else 1) for r, _, d in held)
        yield "energy for upward reserve", (floor_kwh - energy_kwh + behind).max()
        yield "room for downward reserve", (energy_kwh + room - ceiling_kwh).max()


def wear(asset: Battery, inputs: Inputs, schedule: Schedule) -> float:
    """Cost of wear over the horizon, in the site's currency."""
    if asset.ageing is None:
        discharged_mwh = float(inputs.step_h @ np.array(schedule.flows["discharge_kw"])) / 1000
        return asset.throughput_cost_per_mwh * discharged_mwh
    stored_kwh = np.array(schedule.stored_kwh)
    resting = sum(
        band.price_per_mwh_h
        * float(inputs.step_h @ np.maximum(0, stored_kwh - band.above_soc_fraction * asset.energy_capacity_kwh))
        for band in asset.ageing.bands
    )
    return resting / 1000 + _cycling(asset, asset.ageing, inputs, schedule)


def _cycling(asset: Battery, ageing: Ageing, inputs: Inputs, schedule: Schedule) -> float:
    """Cost of cycles: walk through the plan, charging and discharging the shallowest segments first.

    With prices that rise with depth no other order is cheaper.
    """
    count, size_kwh = ageing.segment_count, asset.energy_capacity_kwh / ageing.segment_count
    edges = np.arange(count + 1) / count
    lost = edges**ageing.depth_exponent * ageing.life_lost_fraction(1.0)
    cost_per_kwh = ageing.replacement_cost_per_kwh * count * np.diff(lost)
    stored_kwh = _filled_kwh(asset, inputs, size_kwh, count)
    gained_kwh = inputs.step_h * asset.charge_efficiency * np.array(schedule.flows["charge_kw"])
    taken_kwh = inputs.step_h * np.array(schedule.flows["discharge_kw"]) / asset.discharge_efficiency
    cost = 0.0
    for step, hours in enumerate(inputs.step_h):
        stored_kwh = stored_kwh * (1 - asset.self_discharge_fraction_per_h * hours)
        through_kwh = min(gained_kwh[step], taken_kwh[step])
        cost += through_kwh * cost_per_kwh[0]
        gained, taken = (
            _from_the_top(gained_kwh[step] - through_kwh, size_kwh - stored_kwh),
            _from_the_top(taken_kwh[step] - through_kwh, stored_kwh),
        )
        stored_kwh = stored_kwh + gained - taken
        cost += float(taken @ cost_per_kwh)
    return cost


def _from_the_top(energy_kwh: float, room_kwh: Array) -> Array:
    """An energy laid into segments, the shallowest first."""
    above_kwh = np.cumsum(room_kwh) - room_kwh
    return np.minimum(np.maximum(energy_kwh - above_kwh, 0.0), room_kwh)


def _filled_kwh(asset: Battery, inputs: Inputs, size_kwh: float, count: int) -> Array:
    """What the segments hold when the plan begins: from the oldest energy that is known, through all later ones."""
    known_kwh = [] if inputs.state is None else list(inputs.state.stored_before_kwh)
    oldest_kwh, *later_kwh = [*known_kwh, _initial_kwh(asset, inputs)]
    filled_kwh = _stacked_kwh(oldest_kwh, asset.min_soc_fraction * asset.energy_capacity_kwh, size_kwh, count)
    for energy_kwh in later_kwh:
        gained_kwh = energy_kwh - filled_kwh.sum()
        if gained_kwh > 0:
            filled_kwh = filled_kwh + _from_the_top(gained_kwh, size_kwh - filled_kwh)
        else:
            filled_kwh = filled_kwh - _from_the_top(-gained_kwh, filled_kwh)
    return filled_kwh


def _stacked_kwh(stored_kwh: float, floor_kwh: float, size_kwh: float, count: int) -> Array:
    """What the segments hold at first: the floor's energy in the deepest, the rest in the shallowest."""
    below_kwh = min(stored_kwh, floor_kwh)
    deepest = _from_the_top(below_kwh, np.full(count, size_kwh))[::-1]
    return deepest + _from_the_top(stored_kwh - below_kwh, size_kwh - deepest)
