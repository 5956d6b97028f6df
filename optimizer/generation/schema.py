"""Weather-dependent generation: what the site file says about it."""

from math import inf

from optimizer.asset import Asset, Positive
from vpp.domain.series import SeriesSource
from vpp.domain.unit import Fallback, Kind, Unit


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

    def unit(self) -> Unit:
        """The plant as it is run: a set-point is a ceiling, where it takes any."""
        return Unit(
            id=self.id,
            kind=Kind.GENERATION,
            charge_kw=0.0,
            discharge_kw=self.capacity_kw,
            is_controllable=self.curtailable,
            ramp_kw_per_s=inf,
            fallback=Fallback.LOCAL_CONTROL,
        )
