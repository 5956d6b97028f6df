"""A flow battery: what the site file says about it."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from optimizer.asset import Efficiency, Fraction, NonNegative, Positive
from optimizer.storage.machines import Machine, TwoMachines
from optimizer.storage.schema import MachineStore, least_power

Share = Annotated[float, Field(ge=0, lt=1)]


class FlowBattery(MachineStore):
    """Storage in liquid electrolytes, whose pumps run while it charges or discharges."""

    type: Literal["flow_battery"]
    """`flow_battery`."""
    energy_capacity_kwh: Positive
    """Energy between empty and full, in the electrolytes [kWh]."""
    charge_power_kw: NonNegative
    """Highest charging power at the AC terminals, without the pumps [kW]."""
    discharge_power_kw: NonNegative
    """Highest discharging power at the AC terminals, without the pumps [kW]."""
    min_charge_power_kw: NonNegative = 0.0
    """Lowest charging power while it charges [kW]."""
    min_discharge_power_kw: NonNegative = 0.0
    """Lowest discharging power while it discharges [kW]."""
    charge_efficiency: Efficiency = 0.9
    """Energy that reaches the electrolytes per energy charged, the pumps apart."""
    discharge_efficiency: Efficiency = 0.9
    """Energy delivered per energy taken from the electrolytes, the pumps apart."""
    pump_load_kw: NonNegative = 0.0
    """Power of the pumps at the meter while it charges or discharges [kW]."""
    pump_load_fraction: Share = 0.0
    """Further power of the pumps, as a share of the power charged or discharged."""
    shunt_loss_kw: NonNegative = 0.0
    """Energy lost in the stacks by shunt currents while the pumps run [kW]."""
    self_discharge_fraction_per_h: Fraction = 0.0
    """Share of the stored energy that is lost in an hour, also at rest."""
    standing_load_kw: NonNegative = 0.0
    """Own consumption at the meter all the time, such as control and heating [kW]."""
    on_cost_per_h: NonNegative = 0.0
    """Cost of an hour in which the pumps run, such as wear of stacks and pumps [currency/h]."""

    @field_validator("min_charge_power_kw")
    @classmethod
    def _charges_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "charge_power_kw")

    @field_validator("min_discharge_power_kw")
    @classmethod
    def _discharges_at_least(cls, value: float, info: ValidationInfo) -> float:
        return least_power(value, info, "discharge_power_kw")

    def machines(self) -> TwoMachines:
        """The stacks as a charging and a discharging machine with the same pumps."""

        def stacks(power_kw: float, min_power_kw: float, efficiency: float) -> Machine:
            return Machine(
                power_kw,
                min_power_kw,
                efficiency,
                load_on_kw=self.pump_load_kw,
                load_per_kw=self.pump_load_fraction,
                loss_on_kw=self.shunt_loss_kw,
                cost_per_h=self.on_cost_per_h,
            )

        return TwoMachines(
            window=self.window(self.energy_capacity_kwh),
            charger=stacks(self.charge_power_kw, self.min_charge_power_kw, self.charge_efficiency),
            discharger=stacks(self.discharge_power_kw, self.min_discharge_power_kw, self.discharge_efficiency),
            self_discharge_fraction_per_h=self.self_discharge_fraction_per_h,
            standing_load_kw=self.standing_load_kw,
            throughput_cost_per_mwh=self.throughput_cost_per_mwh,
        )
