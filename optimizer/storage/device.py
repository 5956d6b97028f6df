"""Two machines on one store: what their simulated device does with energy.

Below its lowest power a machine is off, and between charging and discharging it rests as long as it must. Beside the
numbers of the plan it has what a plan leaves out: losses that grow with the square of power, a delay, a ramp, less
power when nearly full or empty, and noise.
"""

from collections import deque
from collections.abc import Callable
from math import inf
from random import Random

from optimizer.storage.losses import Losses
from optimizer.storage.schema import MachineStore
from vpp.domain.telemetry import LiveLimits

DELAY_S = 0.2
"""Time from a new set-point to the first change of power."""
NOISE_SHARE = 0.0005
"""Standard deviation of power, as a share of it."""
STANDING_LOSS_SHARE = 0.0002
"""Power lost inside the store at all times, as a share of the larger rating."""
DERATED_SHARE = 0.02
"""Power falls in proportion over this last share of the capacity, below full and above empty."""
LONGEST_SPAN_S = 60.0
"""Longer spans are taken in parts, so that a machine stops where the store ends."""

Asked = tuple[float | None, float | None]
"""Set-point at the meter, and ramp."""


class MachineStorePhysics:
    """One store on a clock of its own; see `vpp.domain.physics.Physics`.

    Args:
        asset: What the site file says.
        seed: Of its noise.
        inflow: What flows in at an instant, in the unit of the series `inflow`; default: nothing.
        start_s: When its clock starts, in seconds since 1970.

    """

    temperature_c: float | None = None

    def __init__(
        self,
        asset: MachineStore,
        seed: int,
        inflow: Callable[[float], float] | None = None,
        start_s: float = 0.0,
    ) -> None:
        self._store = store = asset.machines()
        self._charging = Losses.of(store.charger.power_kw, 1 - store.charger.efficiency)
        self._discharging = Losses.of(store.discharger.power_kw, 1 / store.discharger.efficiency - 1)
        self._standing_loss_kw = STANDING_LOSS_SHARE * max(store.charger.power_kw, store.discharger.power_kw)
        self._own_ramp_kw_per_s = (store.charger.power_kw + store.discharger.power_kw) / asset.ramp_s
        self._noise = Random(f"{seed}:{asset.id}")  # noqa: S311  a simulation keeps no secret
        self._clock_s, self._inflow = start_s, inflow
        self._stored_kwh = store.window.initial_kwh
        self._power_kw = 0.0
        """Of the machine that runs, without noise; positive discharges."""
        self._noisy_kw = 0.0
        self._ran, self._free_s = 0, start_s
        """Which machine ran last, 1 discharging and −1 charging, and from when on the other one may start."""
        self._followed: Asked = (None, None)
        self._asked: Asked = (None, None)
        self._delayed: deque[tuple[float, Asked]] = deque()
        """What was asked for and is not followed yet, by the time when it will be."""

    @property
    def export_kw(self) -> float:
        """Power out of the store at the meter, the own consumption of its machines taken off."""
        if self._power_kw > 0:
            return self._store.given_kw(self._noisy_kw)
        return -self._store.drawn_kw(-self._noisy_kw) if self._power_kw < 0 else -self._store.rest_load_kw

    @property
    def stored_kwh(self) -> float:
        """Energy inside the store."""
        return self._stored_kwh

    @property
    def energy_capacity_kwh(self) -> float:
        """Energy between empty and full."""
        return self._store.window.energy_capacity_kwh

    @property
    def live_limits(self) -> LiveLimits:
        """What it can do at the meter now: nothing where a machine's lowest power is more than it could keep up."""
        store, (charge_kw, discharge_kw) = self._store, self._limits_kw(0.0)
        drawn_kw = store.drawn_kw(charge_kw) if charge_kw > 0 else store.rest_load_kw
        given_kw = store.given_kw(discharge_kw) if discharge_kw > 0 else 0.0
        return LiveLimits(max(store.rest_load_kw, drawn_kw), max(0.0, given_kw))

    def advance(self, wanted_kw: float | None, ramp_kw_per_s: float | None, seconds: float) -> None:
        """Let time pass; see `Physics.advance`. Left to itself it rests."""
        if (wanted_kw, ramp_kw_per_s) != self._asked:
            self._asked = (wanted_kw, ramp_kw_per_s)
            self._delayed.append((self._clock_s + DELAY_S, self._asked))
        end_s = self._clock_s + seconds
        while self._clock_s < end_s:
            due_s = self._delayed[0][0] if self._delayed else inf
            until_s = min(end_s, due_s, self._clock_s + LONGEST_SPAN_S)
            self._pass(until_s - self._clock_s)
            self._clock_s = until_s
            if self._clock_s >= due_s:
                self._followed = self._delayed.popleft()[1]

    def _pass(self, seconds: float) -> None:
        """Let time pass under one set-point."""
        if seconds <= 0:
            return
        charge_kw, discharge_kw = self._limits_kw(seconds)
        mean_kw = self._moved(charge_kw, discharge_kw, seconds)
        noise = 1 + NOISE_SHARE * self._noise.gauss()
        self._noisy_kw = min(max(self._power_kw * noise, -charge_kw), discharge_kw)
        mean_kw = min(max(mean_kw * noise, -charge_kw), discharge_kw)
        hours, losses = seconds / 3600, self._discharging if mean_kw > 0 else self._charging
        machine = self._store.discharger if mean_kw > 0 else self._store.charger
        lost_kw = self._standing_loss_kw + losses.at(abs(mean_kw)) + (machine.loss_on_kw if mean_kw else 0.0)
        drained_kwh = self._stored_kwh * self._store.self_discharge_fraction_per_h * hours
        inflow_kw = 0.0 if self._inflow is None else self._store.kw_per_inflow * self._inflow(self._clock_s)
        stored_kwh = self._stored_kwh - drained_kwh - (mean_kw + lost_kw - inflow_kw) * hours
        self._stored_kwh = min(max(stored_kwh, 0.0), self._store.window.energy_capacity_kwh)

    def _moved(self, charge_kw: float, discharge_kw: float, seconds: float) -> float:
        """Move power towards the set-point.

        Returns:
            The mean power of the time that passed, positive discharging.

        """
        wanted_kw, asked_ramp = self._followed
        target_kw = 0.0 if wanted_kw is None else self._store.moved_kw(wanted_kw)
        target_kw = self._after_rest(min(max(target_kw, -charge_kw), discharge_kw))
        before_kw = min(max(self._power_kw, -charge_kw), discharge_kw)
        ramp = self._own_ramp_kw_per_s if asked_ramp is None else min(asked_ramp, self._own_ramp_kw_per_s)
        way_kw = target_kw - before_kw
        moving_s = 0.0 if way_kw == 0 else abs(way_kw) / ramp if ramp > 0 else inf
        is_there = moving_s <= seconds
        self._power_kw = target_kw if is_there else before_kw + way_kw * seconds / moving_s
        if self._power_kw:
            self._ran = 1 if self._power_kw > 0 else -1
        elif before_kw:
            self._free_s = self._clock_s + moving_s + 3600 * self._store.min_idle_h
        return target_kw - way_kw / 2 * moving_s / seconds if is_there else (before_kw + self._power_kw) / 2

    def _after_rest(self, target_kw: float) -> float:
        """The power that is aimed at, or none while the other machine runs or has to rest."""
        if self._store.min_idle_h == 0 or target_kw * self._ran >= 0:
            return target_kw
        is_free = self._power_kw == 0 and self._clock_s >= self._free_s
        return target_kw if is_free else 0.0

    def _limits_kw(self, seconds: float) -> tuple[float, float]:
        """Most that each machine can do now and for so long on end; nothing where that is below its lowest power."""
        store, band_kwh = self._store, DERATED_SHARE * self._store.window.energy_capacity_kwh
        charger, discharger = store.charger, store.discharger
        stored_kwh, room_kwh = self._stored_kwh, store.window.energy_capacity_kwh - self._stored_kwh
        charge_kw = max(charger.power_kw * min(1.0, room_kwh / band_kwh), charger.min_power_kw * store.charger_count)
        discharge_kw = max(discharger.power_kw * min(1.0, stored_kwh / band_kwh), discharger.min_power_kw)
        if seconds > 0:
            hours = seconds / 3600
            charge_kw = min(charge_kw, room_kwh / hours)
            lost_kw = self._standing_loss_kw + discharger.loss_on_kw
            left_kw = stored_kwh * (1 / hours - store.self_discharge_fraction_per_h) - lost_kw
            discharge_kw = min(discharge_kw, max(0.0, left_kw) / (1 + self._discharging.highest_share))
        return store.chargeable_kw(charge_kw), discharge_kw if discharge_kw >= discharger.min_power_kw else 0.0
