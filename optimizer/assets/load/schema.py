"""A load: what the site file says about it."""

from typing import Literal

from optimizer.asset import Asset, Fraction
from vpp.domain.series import SeriesSource


class Load(Asset):
    """Consumption that follows a forecast and is served in full."""

    type: Literal["load"]
    """`load`."""
    forecast: SeriesSource
    """Power drawn at the AC terminals [kW]."""
    critical_fraction: Fraction = 1.0
    """Share of the load that must be served even without the grid."""
    power_factor: Fraction = 1.0
    """Active power over apparent power."""
