"""Ageing: what the site file says about it."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from optimizer.ageing.power_law import CELLS, DAYS_PER_YEAR, Cell, resting_slopes
from optimizer.asset import Fraction, NonNegative, Positive, Section

MOST_SEGMENTS = 100


class CalendarBand(Section):
    """A price on energy that rests above a state of charge."""

    above_soc_fraction: Fraction
    """State of charge from which on the price counts."""
    price_per_mwh_h: NonNegative
    """Cost per MWh stored above it and hour; bands add up."""


class CalendarModel(Section):
    """A law of calendar ageing at the store's present age, instead of prices of rest."""

    cell: Literal["lfp_graphite_250ah"]
    """Cell whose measured law is used."""
    age_years: Annotated[float, Field(ge=0.01, le=50)]
    """Age of the store; the law is steep at first and flattens."""
    temperature_c: Annotated[float, Field(ge=-30, le=80)] = 25.0
    """Mean temperature of the cells [°C]."""
    end_of_life_soh_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.8
    """Share of the first capacity that is left when the store is replaced."""

    @property
    def law(self) -> Cell:
        """The law itself."""
        return CELLS[self.cell]

    @property
    def age_days(self) -> float:
        """Age of the store in days."""
        return self.age_years * DAYS_PER_YEAR

    @property
    def loss_allowed_fraction(self) -> float:
        """Share of capacity that may be lost until the store is replaced."""
        return 1 - self.end_of_life_soh_fraction


class Ageing(Section):
    """What cycling and resting cost: `life lost in a cycle of depth δ = cycle_coefficient · δ^depth_exponent`."""

    replacement_cost_per_kwh: NonNegative
    """Cost of a new store per kWh of energy capacity."""
    cycle_life_count: Positive | None = None
    """Full cycles to the end of life; or `cycle_coefficient`."""
    cycle_coefficient: Positive | None = None
    """Share of life lost in a full cycle, the inverse of `cycle_life_count`."""
    depth_exponent: Annotated[float, Field(ge=1)]
    """How much more deep cycles cost: 1 by energy alone, 2 by the square of depth."""
    segment_count: Annotated[int, Field(ge=1, le=MOST_SEGMENTS)] = 10
    """Depth segments of equal energy, each with its own price; more of them follow the law more closely."""
    calendar: Annotated[list[CalendarBand], Field(default_factory=list)]
    """Cost of resting by state of charge; default: none."""
    calendar_model: CalendarModel | None = None
    """A law that the cost of resting is taken from, in place of `calendar`."""

    @field_validator("calendar_model")
    @classmethod
    def _one_cost_of_resting(cls, value: CalendarModel | None, info: ValidationInfo) -> CalendarModel | None:
        if value is not None and info.data.get("calendar"):
            words = {
                "problem": "is given beside calendar, which would count rest twice",
                "remedy": "Leave one of them out.",
            }
            raise PydanticCustomError("fault", "{problem}", words)
        return value

    @model_validator(mode="after")
    def _has_one_life(self) -> "Ageing":
        given = (self.cycle_life_count, self.cycle_coefficient)
        if given.count(None) != 1:
            problem = "needs cycle_life_count or cycle_coefficient" + ("" if None in given else ", and has both")
            words = {"problem": problem, "remedy": "One is the inverse of the other; give one of them."}
            raise PydanticCustomError("fault", "{problem}", words)
        return self

    def life_lost_fraction(self, depth_fraction: float) -> float:
        """Share of life lost in one full cycle of a depth."""
        coefficient = self.cycle_coefficient
        if coefficient is None:
            assert self.cycle_life_count is not None, "one of the two is given"
            coefficient = 1 / self.cycle_life_count
        return float(coefficient * depth_fraction**self.depth_exponent)

    @property
    def bands(self) -> tuple[CalendarBand, ...]:
        """The cost of resting: as it is given, or at the present age of the store by its law."""
        if self.calendar_model is None:
            return tuple(self.calendar)
        return _bands_of(self.calendar_model, self.replacement_cost_per_kwh)


@lru_cache(maxsize=256)
def _bands_of(model: CalendarModel, replacement_cost_per_kwh: float) -> tuple[CalendarBand, ...]:
    """The marginal rule: the share of what may be lost that goes in an hour, times the cost of a new store."""
    per_mwh = 1000 * replacement_cost_per_kwh / model.loss_allowed_fraction
    slopes = resting_slopes(model.law, model.temperature_c, model.age_days)
    return tuple(CalendarBand(above_soc_fraction=soc, price_per_mwh_h=per_mwh * slope) for soc, slope in slopes)
