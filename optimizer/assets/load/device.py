"""A load: what its simulated device does."""

from collections.abc import Callable
from random import Random

from optimizer.assets.load.schema import Load
from vpp.domain.telemetry import LiveLimits

NOISE_SHARE = 0.01
"""Standard deviation of the demand about its series, as a share of it."""


class LoadPhysics:
    """One load on a clock of its own; see `vpp.domain.physics.Physics`."""

    energy_capacity_kwh: float | None = None
    stored_kwh: float | None = None
    temperature_c: float | None = None

    def __init__(self, asset: Load, demand_kw: Callable[[float], float], start_s: float, seed: int) -> None:
        self._series_kw = demand_kw
        self._clock_s = start_s
        self._noise = Random(f"{seed}:{asset.id}")  # noqa: S311  a simulation keeps no secret
        self._demand_kw = 0.0
        self._see_demand()

    @property
    def export_kw(self) -> float:
        """Power out of the load: its demand, negative."""
        return -self._demand_kw

    @property
    def live_limits(self) -> LiveLimits:
        """Its demand now."""
        return LiveLimits(self._demand_kw, 0.0)

    def advance(self, wanted_kw: float | None, ramp_kw_per_s: float | None, seconds: float) -> None:  # noqa: ARG002
        """Let time pass; see `Physics.advance`. Nobody can tell it anything."""
        self._clock_s += seconds
        self._see_demand()

    def _see_demand(self) -> None:
        self._demand_kw = max(0.0, self._series_kw(self._clock_s) * (1 + NOISE_SHARE * self._noise.gauss()))


def make(asset: Load, available_kw: Callable[[float], float], start_s: float, seed: int) -> LoadPhysics:
    """The device of one load.

    Args:
        asset: The load.
        available_kw: What it really draws, by seconds since 1970 UTC.
        start_s: When its clock begins, in seconds since 1970 UTC.
        seed: Of its noise.

    """
    return LoadPhysics(asset, available_kw, start_s, seed)
