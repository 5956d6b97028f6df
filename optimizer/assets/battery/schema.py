"""A battery: what the site file says about it."""

from math import inf
from typing import Literal

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from optimizer.ageing.schema import Ageing
from optimizer.asset import Efficiency, Fraction, NonNegative, Positive
from optimizer.technologies.asset import TechnologyAsset
from vpp.domain.unit import Fallback, Kind, Unit


class Battery(TechnologyAsset):
    """Stationary storage with its own charge and discharge power."""

    type: Literal["battery"]
    """`battery`."""
    energy_capacity_kwh: Positive
    """Energy between empty and full, inside the store [kWh]."""
    charge_power_kw: NonNegative
    """Highest charging power at the AC terminals [kW]."""
    discharge_power_kw: NonNegative
    """Highest discharging power at the AC terminals [kW]."""
    charge_efficiency: Efficiency = 0.95
    """Energy that reaches the store per energy charged."""
    discharge_efficiency: Efficiency = 0.95
    """Energy delivered per energy taken from the store."""
    min_soc_fraction: Fraction = 0.0
    """Lowest state of charge in a plan."""
    max_soc_fraction: Fraction = 1.0
    """Highest state of charge in a plan."""
    initial_soc_fraction: Fraction = 0.5
    """State of charge at the start."""
    final_soc_fraction: Fraction | None = None
    """Lowest state of charge at the end; default: as at the start."""
    final_soc_max_fraction: Fraction | None = None
    """Highest state of charge at the end; default: the window's top. Equal to `final_soc_fraction` for an exact end."""
    self_discharge_fraction_per_h: Fraction = 0.0
    """Share of the stored energy that is lost in an hour."""
    standing_load_kw: NonNegative = 0.0
    """Own consumption, drawn at the meter all the time [kW]."""
    throughput_cost_per_mwh: NonNegative = 0.0
    """Cost of wear per MWh discharged, at the AC terminals; or `ageing`."""
    ageing: Ageing | None = None
    """Cost of wear by the depth of cycles and by energy at rest, in place of `throughput_cost_per_mwh`."""
    daily_discharge_limit_kwh: NonNegative | None = None
    """Most energy discharged at the AC terminals in a local day [kWh]; default: none."""
    exclusive_charge_discharge: Literal["auto", "always", "never"] = "auto"
    """Whether charging and discharging exclude each other: where it matters, in every step, or never."""

    @field_validator("ageing")
    @classmethod
    def _one_cost_of_wear(cls, value: Ageing | None, info: ValidationInfo) -> Ageing | None:
        if value is not None and info.data.get("throughput_cost_per_mwh"):
            words = {
                "problem": "is given beside throughput_cost_per_mwh, which would count wear twice",
                "remedy": "Leave one of them out.",
            }
            raise PydanticCustomError("fault", "{problem}", words)
        return value

    @field_validator("max_soc_fraction")
    @classmethod
    def _above_the_bottom(cls, value: float, info: ValidationInfo) -> float:
        bottom = info.data.get("min_soc_fraction")
        if bottom is not None and value < bottom:
            raise ValueError(f"must be at least min_soc_fraction, which is {bottom:g}")
        return value

    @field_validator("initial_soc_fraction", "final_soc_fraction", "final_soc_max_fraction")
    @classmethod
    def _inside_the_window(cls, value: float | None, info: ValidationInfo) -> float | None:
        bottom, top = info.data.get("min_soc_fraction"), info.data.get("max_soc_fraction")
        if value is not None and bottom is not None and top is not None and not bottom <= value <= top:
            raise ValueError(f"must be {bottom:g} to {top:g}, the window of min_soc_fraction and max_soc_fraction")
        return value

    @field_validator("final_soc_max_fraction")
    @classmethod
    def _above_the_least_end(cls, value: float | None, info: ValidationInfo) -> float | None:
        least = info.data.get("final_soc_fraction")
        least = info.data.get("initial_soc_fraction") if least is None else least
        if value is not None and least is not None and value < least:
            raise ValueError(f"must be at least the lowest end, which is {least:g} (final_soc_fraction)")
        return value

    @property
    def least_final_soc_fraction(self) -> float:
        """Lowest state of charge at the end."""
        return self.initial_soc_fraction if self.final_soc_fraction is None else self.final_soc_fraction

    @property
    def most_final_soc_fraction(self) -> float:
        """Highest state of charge at the end."""
        return self.max_soc_fraction if self.final_soc_max_fraction is None else self.final_soc_max_fraction

    @property
    def mean_wear_per_mwh(self) -> float:
        """Cost of wear per MWh discharged; with `ageing`, the mean over a full cycle."""
        if self.ageing is None:
            return self.throughput_cost_per_mwh
        cost_per_kwh = self.ageing.replacement_cost_per_kwh * self.ageing.life_lost_fraction(1.0)
        return 1000 * cost_per_kwh / self.discharge_efficiency

    def unit(self) -> Unit:
        """The battery as it is run: limits at the meter, which its own consumption shifts towards charging."""
        return Unit(
            id=self.id,
            kind=Kind.STORAGE,
            charge_kw=self.charge_power_kw + self.standing_load_kw,
            discharge_kw=max(0.0, self.discharge_power_kw - self.standing_load_kw),
            is_controllable=True,
            ramp_kw_per_s=inf,
            fallback=Fallback.RAMP_TO_ZERO,
            cost_per_mwh=self.mean_wear_per_mwh,
            energy_capacity_kwh=self.energy_capacity_kwh,
            floor_kwh=self.min_soc_fraction * self.energy_capacity_kwh,
            ceiling_kwh=self.max_soc_fraction * self.energy_capacity_kwh,
            charge_efficiency=self.charge_efficiency,
            discharge_efficiency=self.discharge_efficiency,
            rest_load_kw=self.standing_load_kw,
        )
