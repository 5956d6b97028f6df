"""A tariff: what the site file says about it."""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from optimizer.asset import Fraction, Id, NonNegative, Positive, Section

DAY_MINUTES = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS = {"all": WEEKDAYS, "weekdays": WEEKDAYS[:5], "weekends": WEEKDAYS[5:]}
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
Month = Annotated[int, Field(ge=1, le=12)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def refusal(problem: str, remedy: str = "") -> PydanticCustomError:
    """A fault in the user's words."""
    return PydanticCustomError("fault", "{problem}", {"problem": problem, "remedy": remedy})


def _is_list(value: Any) -> str:
    return "days" if isinstance(value, list) else "word"


Days = Annotated[
    Annotated[Literal["all", "weekdays", "weekends"], Tag("word")] | Annotated[list[Weekday], Tag("days")],
    Discriminator(_is_list),
]


class When(Section):
    """When a price holds, by the site's local clock; every instant counts to its own local date."""

    months: Annotated[list[Month], Field(default_factory=lambda: [1, 12])]
    """First and last month, both included; `[11, 2]` is November to February. Default: the whole year."""
    weekdays: Days = "all"
    """`all`, `weekdays` (Monday to Friday), `weekends`, or a list such as `[mon, sat]`."""
    hours: str = "00:00-24:00"
    """From and to, such as `"07:00-23:00"`; `"22:00-06:00"` holds over midnight."""

    @field_validator("months")
    @classmethod
    def _are_two(cls, value: list[int]) -> list[int]:
        if len(value) != 2:  # noqa: PLR2004 - from and to
            raise refusal("must be two months, the first and the last", "Write [1, 12] for the whole year.")
        return value

    @field_validator("weekdays")
    @classmethod
    def _are_some(cls, value: str | list[str]) -> str | list[str]:
        if not value:
            raise refusal("must name a day", 'Write "all" for every day.')
        return value

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        found = _HOURS.fullmatch(value)
        minutes = _minutes(value) if found else (0, 0)
        if found is None or max(minutes) > DAY_MINUTES:
            raise refusal('must be from and to, such as "07:00-23:00"', "Write hours with two digits, 00:00 to 24:00.")
        if minutes[0] == minutes[1]:
            raise refusal("begins when it ends", 'Write "00:00-24:00" for the whole day.')
        return value

    @property
    def bounds_minutes(self) -> tuple[int, int]:
        """Minutes after midnight of from and to; from is the greater one in a window over midnight."""
        return _minutes(self.hours)

    def holds_in(self, month: int) -> bool:
        """Whether it holds in a month, counted from 1."""
        first, last = self.months
        return first <= month <= last if first <= last else month >= first or month <= last

    def holds_on(self, weekday: int) -> bool:
        """Whether it holds on a weekday, counted from Monday = 0."""
        days = _DAYS[self.weekdays] if isinstance(self.weekdays, str) else self.weekdays
        return WEEKDAYS[weekday] in days

    def holds_at(self, minute: int) -> bool:
        """Whether it holds at a minute of the day."""
        first, after = self.bounds_minutes
        return first <= minute < after if first < after else minute >= first or minute < after


def _minutes(hours: str) -> tuple[int, int]:
    first, after = (60 * int(time[:2]) + int(time[3:]) for time in hours.split("-"))
    return first, after


ALWAYS = When(months=[1, 12])


class EnergyTier(Section):
    """A block of energy with its own price."""

    up_to_kwh: Positive | None = None
    """Energy of the period at which the block ends, counted from the period's start [kWh]; none for the last block."""
    price_per_mwh: NonNegative
    """Paid per MWh within the block."""


class PeakTier(Section):
    """A block of power with its own price."""

    up_to_kw: Positive | None = None
    """Power at which the block ends [kW]; none for the last block."""
    price_per_kw: NonNegative
    """Paid per kW of the peak within the block, for one period."""


class Charge(Section):
    """What every entry of a tariff says."""

    id: Id
    """Name of the entry in files and reports."""
    of: Literal["import", "export"]
    """What is charged: energy drawn from the grid, or fed into it."""
    when: When = ALWAYS
    """When it is charged; default: always."""


class EnergyFee(Charge):
    """A price on every MWh that passes the meter in one direction, beside the market's."""

    kind: Literal["energy"]
    """`energy`."""
    price_per_mwh: NonNegative | None = None
    """Paid per MWh; or `tiers`."""
    tiers: Annotated[list[EnergyTier], Field(default_factory=list)]
    """Blocks of energy, each with its own price, in place of `price_per_mwh`."""
    period: Literal["day", "month", "year"] | None = None
    """Local span over which the energy of `tiers` is counted."""
    so_far_kwh: NonNegative = 0.0
    """Energy already counted in the period in which a plan begins [kWh]; with `tiers`. A running site counts on
    itself."""
    group: Id | None = None
    """Entries of one group are the windows of one price: they may not overlap, and two or more must leave no hour
    out. Entries of different groups add up. Without a name: one group for each direction, which may leave hours out."""

    @model_validator(mode="after")
    def _is_priced_once(self) -> "EnergyFee":
        _priced_once("price_per_mwh", self.price_per_mwh, [tier.up_to_kwh for tier in self.tiers], "up_to_kwh")
        if self.tiers and self.period is None:
            raise refusal("has tiers and no period", "Write day, month or year: the span over which energy is counted.")
        if not self.tiers and (self.period is not None or self.so_far_kwh):
            raise refusal("has a period or so_far_kwh, which mean nothing without tiers", "Leave them out.")
        return self


class PeakCharge(Charge):
    """A price on the highest average power of a period in one direction."""

    kind: Literal["peak"]
    """`peak`."""
    price_per_kw: NonNegative | None = None
    """Paid per kW of the highest average of a period; or `tiers`."""
    tiers: Annotated[list[PeakTier], Field(default_factory=list)]
    """Blocks of power, each with its own price, in place of `price_per_kw`."""
    period: Literal["day", "month", "year"]
    """Local calendar span whose highest average is paid."""
    average_minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] = 15
    """Length of an average [min], counted from the full local hour. Where the site's steps are longer, the average of a
    step stands for it, and the plan's premises say so."""
    so_far_kw: NonNegative = 0.0
    """Highest average so far in the period in which a plan begins [kW]; only the rise above it is paid. A running site
    counts on itself."""
    ratchet_fraction: Fraction | None = None
    """Share of the highest average of the eleven months before that a month is billed at least; with
    `period: month`."""
    earlier_peak_kw: NonNegative | None = None
    """Highest average of the eleven months before [kW]; what its share comes to is owed whatever a plan does."""

    @field_validator("earlier_peak_kw")
    @classmethod
    def _has_a_ratchet(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("ratchet_fraction") is None:
            raise refusal("means nothing without ratchet_fraction", "Leave it out, or give the share.")
        return value

    @model_validator(mode="after")
    def _is_priced_once(self) -> "PeakCharge":
        _priced_once("price_per_kw", self.price_per_kw, [tier.up_to_kw for tier in self.tiers], "up_to_kw")
        if self.ratchet_fraction is not None and self.period != "month":
            raise refusal("has a ratchet, which counts months", "Write period: month, or leave out ratchet_fraction.")
        return self


def _priced_once(key: str, price: float | None, ends: list[float | None], end: str) -> None:
    """One of price and tiers; tiers that follow one another, of which the last has no end."""
    if (price is None) == (not ends):
        problem = f"needs {key} or tiers" + (", and has both" if ends else "")
        raise refusal(problem, "Give one of them.")
    for number, (before, after) in enumerate(pairwise(ends), 1):
        if before is None or (after is not None and after <= before):
            raise refusal(f"tier {number} does not end before tier {number + 1}", f"{end} must rise from tier to tier.")
    if ends and ends[-1] is not None:
        raise refusal("leaves open what more costs", f"Leave out {end} of the last tier.")


TariffEntry = Annotated[EnergyFee | PeakCharge, Field(discriminator="kind")]
