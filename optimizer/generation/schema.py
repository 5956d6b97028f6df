"""Weather-dependent generation: what the site file says about it."""

from optimizer.asset import Asset, Positive
from vpp.domain.series import SeriesSource


class Generation(Asset):
    """Generation whose power follows a forecast."""

    capacity_kw: Positive
    """Highest power at the AC terminals [kW]."""
    forecast: SeriesSource
    """Power available at the AC terminals [kW]."""
    curtailable: bool = True
    """Whether the plan may use less than is available."""

    def plausible(self, _series: str) -> tuple[float, float]:
        """Between nothing and the capacity [kW]."""
        return (0.0, self.capacity_kw)
