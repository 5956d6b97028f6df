"""Pumped hydro: what the site file says about it."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from optimizer.asset import Efficiency, NonNegative, Positive
from optimizer.storage.machines import Machine, TwoMachines
from optimizer.storage.schema import MachineStore, least_power
from vpp.domain.series import SeriesSource

KWH_PER_M3_AND_M = 1000 * 9.81 / 3.6e6
"""Potential energy of a cubic metre of water a metre higher: ρ·g."""


class PumpedHydro(MachineStore):
    """An upper reservoir, equal pump units that run at their rating, and a turbine."""

    type: Literal["pumped_hydro"]
    """`pumped_hydro`."""
    ramp_s: Positive = 60.0
    """Time from full charging to full discharging, a rest apart; so long it may take to follow [s]."""
    reservoir_volume_m3: Positive
    """Water of the upper reservoir between its lowest and its highest level [m³]."""
    head_m: Positive
    """Mean height between the two water levels [m]; it is taken as constant."""
    pump_unit_count: Annotated[int, Field(ge=1, le=20)] = 1
    """Number of equal pump units."""
    pump_unit_power_kw: NonNegative
    """Power that each pump unit draws when it runs [kW]; it cannot run at less."""
    turbine_power_kw: NonNegative
    """Highest generating power of all turbines together, at the AC terminals [kW]."""
    min_turbine_power_kw: NonNegative = 0.0
    """Lowest generating power; below it lies the zone that the turbine must not run in [kW]."""
    pump_efficiency: Efficiency = 0.88
    """Potential energy of the water pumped per energy drawn."""
    turbine_efficiency: Efficiency = 0.9
    """Energy delivered per potential energy of the water used."""
    inflow: SeriesSource | None = None
    """Natural inflow into the upper reservoir [m³/s]; default: none. What does not fit is spilled."""
    pump_cost_per_start: NonNegative = 0.0
    """Cost of each start of a pump unit [currency]."""
    turbine_cost_per_start: NonNegative = 0.0
    """Cost of each start of the turbine [currency]."""
    min_idle_minutes: NonNegative = 0.0
    """Shortest time at rest between pumping and generating [min]; it is kept in whole steps of the plan."""
    standing_load_kw: NonNegative = 0.0
    """Own consumption at the meter all the time [kW]."""

    @field_validator("min_turbine_power_kw")
    @classmethod
    def _generates_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "turbine_power_kw")

    @property
    def energy_capacity_kwh(self) -> float:
        """Potential energy of the full reservoir."""
        return self.reservoir_volume_m3 * self.head_m * KWH_PER_M3_AND_M

    def machines(self) -> TwoMachines:
        """All pump units as one machine of whole units, and the turbine."""
        return TwoMachines(
            window=self.window(self.energy_capacity_kwh),
            charger=Machine(
                self.pump_unit_count * self.pump_unit_power_kw,
                self.pump_unit_power_kw,
                self.pump_efficiency,
                cost_per_start=self.pump_cost_per_start,
            ),
            discharger=Machine(
                self.turbine_power_kw,
                self.min_turbine_power_kw,
                self.turbine_efficiency,
                cost_per_start=self.turbine_cost_per_start,
            ),
            standing_load_kw=self.standing_load_kw,
            throughput_cost_per_mwh=self.throughput_cost_per_mwh,
            min_idle_h=self.min_idle_minutes / 60,
            charger_count=self.pump_unit_count,
            kw_per_inflow=3600 * self.head_m * KWH_PER_M3_AND_M,
        )
