"""Thermomechanical storage: what the site file says about it."""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from optimizer.asset import Efficiency, Fraction, NonNegative, Positive
from optimizer.storage.machines import Machine, TwoMachines
from optimizer.storage.schema import MachineStore, least_power


class ThermomechanicalStorage(MachineStore):
    """Storage in compressed or liquid air or carbon dioxide, with a compressor and an expander."""

    type: Literal["thermomechanical_storage"]
    """`thermomechanical_storage`."""
    ramp_s: Positive = 60.0
    """Time from full charging to full discharging, a rest apart; so long it may take to follow [s]."""
    energy_capacity_kwh: Positive
    """Energy between empty and full, as the gas and its heat hold it [kWh]."""
    charge_power_kw: NonNegative
    """Rating of the compressor or liquefier at the AC terminals [kW]."""
    discharge_power_kw: NonNegative
    """Rating of the expander at the AC terminals [kW]."""
    min_charge_power_kw: NonNegative = 0.0
    """Minimum load of the compressor or liquefier [kW]."""
    min_discharge_power_kw: NonNegative = 0.0
    """Minimum load of the expander [kW]."""
    charge_efficiency: Efficiency = 0.85
    """Energy that reaches the store per energy charged."""
    discharge_efficiency: Efficiency = 0.85
    """Energy delivered per energy taken from the store."""
    charge_cost_per_start: NonNegative = 0.0
    """Cost of each start of the compressor [currency]."""
    discharge_cost_per_start: NonNegative = 0.0
    """Cost of each start of the expander [currency]."""
    min_idle_minutes: NonNegative = 0.0
    """Shortest time at rest between charging and discharging [min]; it is kept in whole steps of the plan."""
    auxiliary_load_kw: NonNegative = 0.0
    """Own consumption at the meter while a machine runs, such as cooling and oil pumps [kW]."""
    self_discharge_fraction_per_h: Fraction = 0.0
    """Share of the stored energy that is lost in an hour, such as heat of the thermal store."""
    standing_load_kw: NonNegative = 0.0
    """Own consumption at the meter all the time [kW]."""

    @field_validator("min_charge_power_kw")
    @classmethod
    def _charges_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "charge_power_kw")

    @field_validator("min_discharge_power_kw")
    @classmethod
    def _discharges_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "discharge_power_kw")

    def machines(self) -> TwoMachines:
        """The compressor and the expander."""
        return TwoMachines(
            window=self.window(self.energy_capacity_kwh),
            charger=Machine(
                self.charge_power_kw,
                self.min_charge_power_kw,
                self.charge_efficiency,
                load_on_kw=self.auxiliary_load_kw,
                cost_per_start=self.charge_cost_per_start,
            ),
            discharger=Machine(
                self.discharge_power_kw,
                self.min_discharge_power_kw,
                self.discharge_efficiency,
                load_on_kw=self.auxiliary_load_kw,
                cost_per_start=self.discharge_cost_per_start,
            ),
            self_discharge_fraction_per_h=self.self_discharge_fraction_per_h,
            standing_load_kw=self.standing_load_kw,
            throughput_cost_per_mwh=self.throughput_cost_per_mwh,
            min_idle_h=self.min_idle_minutes / 60,
        )
