"""Fast storage: what its simulated device does with energy.

Left to itself it keeps the energy that it rests at. What calls upon its reserve, a frequency that it measures itself,
is not simulated.
"""

from collections.abc import Callable
from math import inf
from random import Random

from optimizer.assets.fast_storage.schema import FastStorage
from vpp.domain.telemetry import LiveLimits

NOISE_SHARE = 0.0005
"""Standard deviation of power, as a share of it."""
DRIFT_PER_H = 0.0002
"""Energy that is lost in an hour beside the standing load, as a share of the capacity."""
RESTORING_S = 30.0
"""Time in which its own control takes it back to rest, as far as its power allows."""


class FastStoragePhysics:
    """One store on a clock of its own; see `vpp.domain.physics.Physics`."""

    temperature_c: float | None = None

    def __init__(self, asset: FastStorage, seed: int) -> None:
        self._asset = asset
        self._noise = Random(f"{seed}:{asset.id}")  # noqa: S311  a simulation keeps no secret
        self._stored_kwh = asset.rest_soc_fraction * asset.energy_capacity_kwh
        self._power_kw = 0.0
        """Between converter and store, without noise; positive discharges."""
        self._noisy_kw = 0.0

    @property
    def export_kw(self) -> float:
        """Power out of the store at the meter, its standing load taken off."""
        return self._noisy_kw - self._asset.standing_load_kw

    @property
    def stored_kwh(self) -> float:
        """Energy inside the store."""
        return self._stored_kwh

    @property
    def energy_capacity_kwh(self) -> float:
        """Energy between empty and full."""
        return self._asset.energy_capacity_kwh

    @property
    def live_limits(self) -> LiveLimits:
        """What it can do at the meter now: no charging when full, no discharging when empty."""
        asset = self._asset
        is_full, is_empty = self._stored_kwh >= asset.energy_capacity_kwh, self._stored_kwh <= 0
        charge_kw = 0.0 if is_full else asset.charge_power_kw
        discharge_kw = 0.0 if is_empty else asset.discharge_power_kw
        return LiveLimits(charge_kw + asset.standing_load_kw, max(0.0, discharge_kw - asset.standing_load_kw))

    def advance(self, wanted_kw: float | None, ramp_kw_per_s: float | None, seconds: float) -> None:
        """Let time pass; see `Physics.advance`. Left to itself it goes back to rest, and stays there."""
        if seconds <= 0:
            return
        hours = seconds / 3600
        low_kw, high_kw = self._limits_kw(hours)
        target_kw = self._restoring_kw(seconds) if wanted_kw is None else wanted_kw + self._asset.standing_load_kw
        change_kw = inf if ramp_kw_per_s is None else ramp_kw_per_s * seconds
        target_kw = min(max(target_kw, self._power_kw - change_kw), self._power_kw + change_kw)
        self._power_kw = min(max(target_kw, low_kw), high_kw)
        self._noisy_kw = min(max(self._power_kw * (1 + NOISE_SHARE * self._noise.gauss()), low_kw), high_kw)
        share = 1 / self._asset.discharge_efficiency if self._noisy_kw > 0 else self._asset.charge_efficiency
        left_kwh = self._stored_kwh - hours * (share * self._noisy_kw + self._drift_kw)
        self._stored_kwh = min(max(left_kwh, 0.0), self._asset.energy_capacity_kwh)

    @property
    def _drift_kw(self) -> float:
        return DRIFT_PER_H * self._asset.energy_capacity_kwh

    def _limits_kw(self, hours: float) -> tuple[float, float]:
        """Lowest and highest power that the energy allows for so long."""
        asset = self._asset
        room_kwh = asset.energy_capacity_kwh - self._stored_kwh
        charge_kw = min(asset.charge_power_kw, room_kwh / hours / asset.charge_efficiency)
        there_kw = max(0.0, self._stored_kwh / hours - self._drift_kw)
        return -charge_kw, min(asset.discharge_power_kw, there_kw * asset.discharge_efficiency)

    def _restoring_kw(self, seconds: float) -> float:
        """Power that takes it back to rest, and makes up for what drifts away."""
        asset, hours = self._asset, max(seconds, RESTORING_S) / 3600
        beyond_kw = (self._stored_kwh - asset.rest_soc_fraction * asset.energy_capacity_kwh) / hours - self._drift_kw
        return beyond_kw * asset.discharge_efficiency if beyond_kw > 0 else beyond_kw / asset.charge_efficiency


def make(asset: FastStorage, available_kw: Callable[[float], float], start_s: float, seed: int) -> FastStoragePhysics:  # noqa: ARG001 - one signature for all types
    """The device of one store, at rest. Nothing outside it drives it."""
    return FastStoragePhysics(asset, seed)
