"""A store with two machines that are on or off: what the site file says about it, whatever it is made of."""

from abc import abstractmethod
from math import inf

from pydantic import ValidationInfo, field_validator

from optimizer.asset import Fraction, NonNegative, Positive
from optimizer.storage.machines import TwoMachines, Window
from optimizer.technologies.asset import TechnologyAsset
from vpp.domain.unit import Fallback, Kind, Unit


class MachineStore(TechnologyAsset):
    """Storage whose charging and discharging machines are off, or run within their range."""

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
    throughput_cost_per_mwh: NonNegative = 0.0
    """Cost of wear per MWh discharged, at the AC terminals."""
    ramp_s: Positive = 1.0
    """Time from full charging to full discharging, a rest apart; so long it may take to follow [s]."""

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

    def window(self, full_kwh: float) -> Window:
        """The window of a store that holds so much when it is full [kWh]."""
        return Window(
            full_kwh,
            self.min_soc_fraction * full_kwh,
            self.max_soc_fraction * full_kwh,
            self.initial_soc_fraction * full_kwh,
            self.least_final_soc_fraction * full_kwh,
            self.most_final_soc_fraction * full_kwh,
        )

    @abstractmethod
    def machines(self) -> TwoMachines:
        """The store and its machines in the numbers that the mathematics knows."""

    @property
    def mean_wear_per_mwh(self) -> float:
        """Cost per MWh discharged, with an hour of running at full power in each direction."""
        store = self.machines()
        running = (m.cost_per_h / m.power_kw for m in (store.charger, store.discharger) if m.power_kw > 0)
        return self.throughput_cost_per_mwh + 1000 * sum(running)

    def unit(self) -> Unit:
        """The store as it is run: limits at the meter, own consumption included, and the efficiencies of full power."""
        store = self.machines()
        discharger, least_charge_kw = store.discharger, store.charger.min_power_kw
        discharge_kw = max(0.0, store.given_kw(discharger.power_kw))
        taken_kw = discharger.power_kw / discharger.efficiency + discharger.loss_on_kw
        return Unit(
            id=self.id,
            kind=Kind.STORAGE,
            charge_kw=max(store.rest_load_kw, store.drawn_kw(store.charger.power_kw)),
            discharge_kw=discharge_kw,
            is_controllable=True,
            ramp_kw_per_s=inf,
            fallback=Fallback.RAMP_TO_ZERO,
            cost_per_mwh=self.mean_wear_per_mwh,
            energy_capacity_kwh=store.window.energy_capacity_kwh,
            floor_kwh=store.window.floor_kwh,
            ceiling_kwh=store.window.ceiling_kwh,
            rest_load_kw=store.rest_load_kw,
            ramp_s=self.ramp_s,
            least_charge_kw=store.drawn_kw(least_charge_kw) if least_charge_kw > 0 else 0.0,
            least_discharge_kw=max(0.0, store.given_kw(discharger.min_power_kw)),
            charger_count=store.charger_count,
            charge_efficiency=store.charger.efficiency,
            discharge_efficiency=discharge_kw / taken_kw if discharge_kw > 0 else discharger.efficiency,
        )


def least_power(value: float, info: ValidationInfo, rating: str) -> float:
    """A lowest power, if it is no higher than the rating.

    Raises:
        ValueError: it is higher.

    """
    highest = info.data.get(rating)
    if highest is not None and value > highest:
        raise ValueError(f"must be at most {rating}, which is {highest:g}")
    return value
