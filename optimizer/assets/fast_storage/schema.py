"""Fast storage, such as flywheels and supercapacitors: what the site file says about it."""

from math import inf
from typing import Literal

from optimizer.asset import Efficiency, Fraction, NonNegative, Positive
from optimizer.technologies.asset import TechnologyAsset
from vpp.domain.unit import Fallback, Kind, Unit


class FastStorage(TechnologyAsset):
    """Storage of seconds to minutes that rests, and is held ready as reserve.

    It has no position in energy but its standing load. Its own control brings it back to its state of charge at rest
    within a step, so a measured energy changes nothing in a plan.
    """

    type: Literal["fast_storage"]
    """`fast_storage`."""
    energy_capacity_kwh: Positive
    """Usable energy inside the store, between lowest and highest speed or voltage [kWh]."""
    charge_power_kw: NonNegative
    """Highest charging power at the AC terminals [kW]."""
    discharge_power_kw: NonNegative
    """Highest discharging power at the AC terminals [kW]."""
    charge_efficiency: Efficiency = 0.95
    """Energy that reaches the store per energy charged."""
    discharge_efficiency: Efficiency = 0.95
    """Energy delivered per energy taken from the store."""
    standing_load_kw: NonNegative = 0.0
    """What keeps its energy at rest, drawn at the meter all the time [kW]."""
    rest_soc_fraction: Fraction = 0.5
    """State of charge at rest: what lies below it is there for upward reserve, what lies above it for downward."""

    def unit(self) -> Unit:
        """The store as it is run: measured, and left to its own control.

        Whoever takes set-points is used to follow energy: to cover the load without a plan, or to bring the site to a
        power that an operator or a market asks for. That empties a store of seconds at once, and no plan would fill it
        again. It is no consumption either: what is asked of loads is not asked of it, and a plan does not count on the
        reserve of a store that is not heard.
        """
        return Unit(
            id=self.id,
            kind=Kind.STORAGE,
            charge_kw=self.charge_power_kw + self.standing_load_kw,
            discharge_kw=max(0.0, self.discharge_power_kw - self.standing_load_kw),
            is_controllable=False,
            ramp_kw_per_s=inf,
            fallback=Fallback.LOCAL_CONTROL,
            energy_capacity_kwh=self.energy_capacity_kwh,
            floor_kwh=0.0,
            ceiling_kwh=self.energy_capacity_kwh,
            charge_efficiency=self.charge_efficiency,
            discharge_efficiency=self.discharge_efficiency,
        )
