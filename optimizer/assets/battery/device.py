"""A battery: what its simulated device does with energy.

Beside the efficiencies of the plan it has what a plan leaves out: losses that grow with the square of power, a small
loss at all times, a delay, a ramp, steps of set-points, less power when nearly full or empty, noise and heat.
"""

from collections import deque
from collections.abc import Callable
from math import exp, inf
from random import Random

from optimizer.assets.battery.schema import Battery
from optimizer.storage.losses import Losses
from vpp.domain.telemetry import LiveLimits

DELAY_S = 0.2
"""Time from a new set-point to the first change of power."""
RAMP_S = 1.0
"""Time from full charging to full discharging."""
SETPOINT_STEPS = 1000
"""Set-points are rounded to this part of the larger rating."""
NOISE_SHARE = 0.0005
"""Standard deviation of power, as a share of it."""
STANDING_LOSS_SHARE = 0.0002
"""Power lost inside the store at all times, as a share of the larger rating."""
DERATED_SHARE = 0.02
"""Power falls in proportion over this last share of the capacity, below full and above empty."""
AMBIENT_C = 25.0
HEATING_C = 18.0
"""Rise of temperature that full-load losses end at."""
WARMING_S = 1800.0
"""Time constant of the temperature."""


class BatteryPhysics:
    """One battery on a clock of its own; see `vpp.domain.physics.Physics`."""

    def __init__(self, asset: Battery, seed: int) -> None:
        self._asset = asset
        self._charging = Losses.of(asset.charge_power_kw, 1 - asset.charge_efficiency)
        self._discharging = Losses.of(asset.discharge_power_kw, 1 / asset.discharge_efficiency - 1)
        rated_kw = max(asset.charge_power_kw, asset.discharge_power_kw)
        self._standing_loss_kw = STANDING_LOSS_SHARE * rated_kw
        self._step_kw = rated_kw / SETPOINT_STEPS
        self._own_ramp_kw_per_s = (asset.charge_power_kw + asset.discharge_power_kw) / RAMP_S
        self._rated_loss_kw = max(map(self._loss_kw, (asset.discharge_power_kw, -asset.charge_power_kw)))
        self._noise = Random(f"{seed}:{asset.id}")  # noqa: S311  a simulation keeps no secret
        self._clock_s = 0.0
        self._stored_kwh = asset.initial_soc_fraction * asset.energy_capacity_kwh
        self._temperature_c = AMBIENT_C
        self._power_kw = 0.0
        """Between inverter and store, without noise; positive discharges."""
        self._noisy_kw = 0.0
        self._followed: tuple[float | None, float | None] = (None, None)
        self._asked: tuple[float | None, float | None] = (None, None)
        """Set-point and ramp."""
        self._delayed: deque[tuple[float, tuple[float | None, float | None]]] = deque()
        """Set-points that were asked for and are not followed yet, by the time when they will be."""

    @property
    def export_kw(self) -> float:
        """Power out of the battery at the meter, its own consumption taken off."""
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
    def temperature_c(self) -> float:
        """Temperature of the cells."""
        return self._temperature_c

    @property
    def live_limits(self) -> LiveLimits:
        """What it can do at the meter now; less than the rating when nearly full or empty."""
        charge_kw, discharge_kw = self._limits_kw()
        own_kw = self._asset.standing_load_kw
        return LiveLimits(charge_kw + own_kw, max(0.0, discharge_kw - own_kw))

    def advance(self, wanted_kw: float | None, ramp_kw_per_s: float | None, seconds: float) -> None:
        """Let time pass; see `Physics.advance`. Left to itself it rests."""
        if (wanted_kw, ramp_kw_per_s) != self._asked:
            self._asked = (wanted_kw, ramp_kw_per_s)
            self._delayed.append((self._clock_s + DELAY_S, self._asked))
        end_s = self._clock_s + seconds
        while self._delayed and self._delayed[0][0] < end_s:
            due_s, asked = self._delayed.popleft()
            self._pass(due_s - self._clock_s)
            self._followed = asked
        self._pass(end_s - self._clock_s)
        self._clock_s = end_s

    def _pass(self, seconds: float) -> None:
        """Let time pass under one set-point."""
        if seconds <= 0:
            return
        self._clock_s += seconds
        charge_kw, discharge_kw = self._limits_kw(seconds)
        mean_kw = self._moved(charge_kw, discharge_kw, seconds)
        noise = 1 + NOISE_SHARE * self._noise.gauss()
        self._noisy_kw = min(max(self._power_kw * noise, -charge_kw), discharge_kw)
        mean_kw = min(max(mean_kw * noise, -charge_kw), discharge_kw)
        loss_kw, hours = self._loss_kw(mean_kw), seconds / 3600
        drained_kwh = self._stored_kwh * self._asset.self_discharge_fraction_per_h * hours
        stored_kwh = self._stored_kwh - drained_kwh - (mean_kw + loss_kw) * hours
        self._stored_kwh = min(max(stored_kwh, 0.0), self._asset.energy_capacity_kwh)
        self._warm(loss_kw, seconds)

    def _moved(self, charge_kw: float, discharge_kw: float, seconds: float) -> float:
        """Move power towards the set-point.

        Returns:
            The mean power of the time that passed, between inverter and store.

        """
        wanted_kw, asked_ramp = self._followed
        target_kw = 0.0 if wanted_kw is None else self._rounded(wanted_kw) + self._asset.standing_load_kw
        target_kw = min(max(target_kw, -charge_kw), discharge_kw)
        before_kw = min(max(self._power_kw, -charge_kw), discharge_kw)
        ramp = self._own_ramp_kw_per_s if asked_ramp is None else min(asked_ramp, self._own_ramp_kw_per_s)
        way_kw = target_kw - before_kw
        moving_s = 0.0 if way_kw == 0 else abs(way_kw) / ramp if ramp > 0 else inf
        if moving_s <= seconds:
            self._power_kw = target_kw
            return target_kw - way_kw / 2 * moving_s / seconds
        self._power_kw = before_kw + way_kw * seconds / moving_s
        return (before_kw + self._power_kw) / 2

    def _rounded(self, wanted_kw: float) -> float:
        return wanted_kw if self._step_kw == 0 else round(wanted_kw / self._step_kw) * self._step_kw

    def _limits_kw(self, seconds: float = 0.0) -> tuple[float, float]:
        """Most that the inverter can charge and discharge now, and for so long on end."""
        asset, band_kwh = self._asset, DERATED_SHARE * self._asset.energy_capacity_kwh
        stored_kwh, room_kwh = self._stored_kwh, asset.energy_capacity_kwh - self._stored_kwh
        charge_kw = asset.charge_power_kw * min(1.0, room_kwh / band_kwh)
        discharge_kw = asset.discharge_power_kw * min(1.0, stored_kwh / band_kwh)
        if seconds > 0:
            hours = seconds / 3600
            charge_kw = min(charge_kw, room_kwh / hours)
            left_kw = stored_kwh * (1 / hours - asset.self_discharge_fraction_per_h) - self._standing_loss_kw
            discharge_kw = min(discharge_kw, max(0.0, left_kw) / (1 + self._discharging.highest_share))
        return charge_kw, discharge_kw

    def _loss_kw(self, power_kw: float) -> float:
        losses = self._discharging if power_kw > 0 else self._charging
        return self._standing_loss_kw + losses.at(abs(power_kw))

    def _warm(self, loss_kw: float, seconds: float) -> None:
        end_c = AMBIENT_C + (HEATING_C * loss_kw / self._rated_loss_kw if self._rated_loss_kw > 0 else 0.0)
        self._temperature_c = end_c + (self._temperature_c - end_c) * exp(-seconds / WARMING_S)


def make(asset: Battery, available_kw: Callable[[float], float], start_s: float, seed: int) -> BatteryPhysics:  # noqa: ARG001 - one signature for all types
    """The device of one battery, with the energy that a plan starts from. Nothing outside it drives it."""
    return BatteryPhysics(asset, seed)
