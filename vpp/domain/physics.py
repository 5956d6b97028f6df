"""What does a simulated device do, beside talking? Its physics, on any clock."""

from typing import Protocol

from vpp.domain.telemetry import LiveLimits


class Physics(Protocol):
    """The inside of one device. It knows nothing of messages, leases or wall clocks."""

    @property
    def export_kw(self) -> float:
        """Power out of the device at its terminals now; negative into it."""

    @property
    def stored_kwh(self) -> float | None:
        """Energy in the store; `None` for what stores nothing."""

    @property
    def energy_capacity_kwh(self) -> float | None:
        """Energy between empty and full; `None` for what stores nothing."""

    @property
    def temperature_c(self) -> float | None:
        """Temperature of the part that matters; `None` where none is measured."""

    @property
    def live_limits(self) -> LiveLimits:
        """What the device can do now."""

    def advance(self, wanted_kw: float | None, ramp_kw_per_s: float | None, seconds: float) -> None:
        """Let time pass.

        Args:
            wanted_kw: Power out of the device that is asked for; `None` leaves it to its own control.
            ramp_kw_per_s: Fastest change asked for; `None` for the device's own.
            seconds: How much time passes.

        """
