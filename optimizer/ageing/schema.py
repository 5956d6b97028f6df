"""Ageing: what the site file says about it."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from optimizer.asset import Fraction, NonNegative, Positive, Section

MOST_SEGMENTS = 100


class CalendarBand(Section):
    """A price on energy that rests above a state of charge."""

    above_soc_fraction: Fraction
    """State of charge from which on the price counts."""
    price_per_mwh_h: NonNegative
    """Cost per MWh stored above it and hour; bands add up."""


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
