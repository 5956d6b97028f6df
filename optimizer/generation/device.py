"""Weather-dependent generation: what its simulated device does."""

from collections.abc import Callable
from math import floor, inf
from random import Random

from optimizer.generation.schema import Generation
from vpp.domain.telemetry import LiveLimits

RAMP_S = 5.0
"""Time from nothing to full power, when a ceiling is lifted or lowered."""
SETPOINT_STEPS = 1000
"""Ceilings are rounded down to this part of the capacity."""
NOISE_SHARE = 0.005
"""Standard deviation of what is available about its series, as a share of it."""

_ROUNDING = 1e-6


class GenerationPhysics:
    """One plant on a clock of its own; see `vpp.domain.physics.Physics`."""

    energy_capacity_kwh: float | None = None
    stored_kwh: float | None = None
    temperature_c: float | None = None

    def __init__(self, asset: Generation, available_kw: Callable[[float], float], start_s: float, seed: int) -> None:
        self._asset = asset
        self._series_kw = available_kw
        self._clock_s = start_s
        self._noise = Random(f"{seed}:{asset.id}")  # noqa: S311  a simulation keeps no secret
        self._ceiling_kw = asset.capacity_kw
        self._available_kw = 0.0
        self._see_weather()

    @property
    def export_kw(self) -> float:
        """Power out of the plant: what is available, up to its ceiling."""
        return min(self._available_kw, self._ceiling_kw)

    @property
    def live_limits(self) -> LiveLimits:
        """What it could deliver now."""
        return LiveLimits(0.0, self._available_kw)

    def advance(self, wanted_kw: float | None, ramp_kw_per_s: float | None, seconds: float) -> None:
        """Let time pass; see `Physics.advance`. A set-point is a ceiling; left to itself it delivers what there is."""
        self._clock_s += seconds
        self._see_weather()
        capacity_kw = self._asset.capacity_kw
        target_kw = capacity_kw if wanted_kw is None or not self._asset.curtailable else self._rounded(wanted_kw)
        ramp = min(capacity_kw / RAMP_S, inf if ramp_kw_per_s is None else ramp_kw_per_s)
        from_kw = self._ceiling_kw if wanted_kw is None else min(self._ceiling_kw, max(self._available_kw, target_kw))
        self._ceiling_kw = min(max(target_kw, from_kw - ramp * seconds), from_kw + ramp * seconds)

    def _rounded(self, wanted_kw: float) -> float:
        step_kw = self._asset.capacity_kw / SETPOINT_STEPS
        return min(max(floor(wanted_kw / step_kw + _ROUNDING) * step_kw, 0.0), self._asset.capacity_kw)

    def _see_weather(self) -> None:
        noisy_kw = self._series_kw(self._clock_s) * (1 + NOISE_SHARE * self._noise.gauss())
        self._available_kw = min(max(noisy_kw, 0.0), self._asset.capacity_kw)


def make(asset: Generation, available_kw: Callable[[float], float], start_s: float, seed: int) -> GenerationPhysics:
    """The device of one plant, driven by the weather.

    Args:
        asset: The plant.
        available_kw: What sun or wind really give, by seconds since 1970 UTC.
        start_s: When its clock begins, in seconds since 1970 UTC.
        seed: Of its noise.

    """
    return GenerationPhysics(asset, available_kw, start_s, seed)
