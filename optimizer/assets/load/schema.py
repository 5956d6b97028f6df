"""A load: what the site file says about it."""

from math import inf
from typing import Literal

from optimizer.asset import Asset, Fraction
from vpp.domain.series import SeriesSource
from vpp.domain.unit import Fallback, Kind, Unit


class Load(Asset):
    """Consumption that follows a forecast and is served in full."""

    type: Literal["load"]
    """`load`."""
    forecast: SeriesSource
    """Power drawn at the AC terminals [kW]."""
    critical_fraction: Fraction = 1.0
    """Share of the load that is always served, also without the grid; the rest is cut where no plan serves it all."""
    power_factor: Fraction = 1.0
    """Active power over apparent power."""

    def unit(self) -> Unit:
        """The load as it is run: measured, never led, of a rating that nobody knows."""
        return Unit(
            id=self.id,
            kind=Kind.CONSUMPTION,
            charge_kw=inf,
            discharge_kw=0.0,
            is_controllable=False,
            ramp_kw_per_s=inf,
            fallback=Fallback.LOCAL_CONTROL,
        )
