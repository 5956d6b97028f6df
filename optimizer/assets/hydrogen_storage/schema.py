"""Hydrogen storage: what the site file says about it."""

from typing import Literal

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from optimizer.asset import Efficiency, NonNegative, Positive
from optimizer.storage.machines import Machine, TwoMachines
from optimizer.storage.schema import MachineStore, least_power

LHV_KWH_PER_KG = 33.33
"""Lower heating value of hydrogen; efficiencies and stored energy refer to it."""


class HydrogenStorage(MachineStore):
    """An electrolyser, a tank of hydrogen and a fuel cell or turbine."""

    type: Literal["hydrogen_storage"]
    """`hydrogen_storage`."""
    ramp_s: Positive = 30.0
    """Time from full charging to full discharging, a rest apart; so long it may take to follow [s]."""
    tank_capacity_kg: Positive
    """Hydrogen that the full tank gives out again, 33.33 kWh/kg [kg]."""
    electrolyser_power_kw: NonNegative
    """Rating of the electrolyser at the AC terminals [kW]."""
    fuel_cell_power_kw: NonNegative
    """Rating of the fuel cell or turbine at the AC terminals [kW]."""
    min_electrolyser_power_kw: NonNegative = 0.0
    """Minimum load of the electrolyser [kW]."""
    min_fuel_cell_power_kw: NonNegative = 0.0
    """Minimum load of the fuel cell or turbine [kW]."""
    electrolyser_efficiency: Efficiency = 0.62
    """Lower heating value of the hydrogen made per energy drawn, compression included; 33.33 over its kWh/kg."""
    fuel_cell_efficiency: Efficiency = 0.55
    """Energy delivered per lower heating value of the hydrogen used."""
    electrolyser_standby_load_kw: NonNegative = 0.0
    """Own consumption at the meter while the electrolyser does not run; at most its minimum load [kW]."""
    electrolyser_cost_per_start: NonNegative = 0.0
    """Cost of each start of the electrolyser [currency]."""
    fuel_cell_cost_per_start: NonNegative = 0.0
    """Cost of each start of the fuel cell [currency]."""
    standing_load_kw: NonNegative = 0.0
    """Own consumption at the meter all the time [kW]."""

    @field_validator("electrolyser_efficiency", mode="before")
    @classmethod
    def _is_a_share(cls, value: object) -> object:
        if isinstance(value, int | float) and value > 1:
            remedy = f"If {value:g} is kWh/kg, write {LHV_KWH_PER_KG / value:.3g}."
            raise PydanticCustomError(
                "fault", "{problem}", {"problem": "must be above 0 and at most 1", "remedy": remedy}
            )
        return value

    @field_validator("min_electrolyser_power_kw")
    @classmethod
    def _draws_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "electrolyser_power_kw")

    @field_validator("electrolyser_standby_load_kw")
    @classmethod
    def _draws_less_standing_by(cls, value: float, info: ValidationInfo) -> float:
        lowest_kw = info.data.get("min_electrolyser_power_kw")
        if lowest_kw is not None and value > lowest_kw:
            problem = f"electrolyser_standby_load_kw is {value:g} and must be at most min_electrolyser_power_kw"
            remedy = f"That is {lowest_kw:g}: running at its lowest would be a way to save the standby load."
            raise PydanticCustomError("fault", "{problem}", {"problem": problem, "remedy": remedy})
        return value

    @field_validator("min_fuel_cell_power_kw")
    @classmethod
    def _gives_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "fuel_cell_power_kw")

    @property
    def energy_capacity_kwh(self) -> float:
        """Lower heating value of what the full tank gives out."""
        return self.tank_capacity_kg * LHV_KWH_PER_KG

    def machines(self) -> TwoMachines:
        """The electrolyser and the fuel cell."""
        return TwoMachines(
            window=self.window(self.energy_capacity_kwh),
            charger=Machine(
                self.electrolyser_power_kw,
                self.min_electrolyser_power_kw,
                self.electrolyser_efficiency,
                load_off_kw=self.electrolyser_standby_load_kw,
                cost_per_start=self.electrolyser_cost_per_start,
            ),
            discharger=Machine(
                self.fuel_cell_power_kw,
                self.min_fuel_cell_power_kw,
                self.fuel_cell_efficiency,
                cost_per_start=self.fuel_cell_cost_per_start,
            ),
            standing_load_kw=self.standing_load_kw,
            throughput_cost_per_mwh=self.throughput_cost_per_mwh,
        )
