"""Products of a market, and what a site file says about taking part."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, ValidationInfo, field_validator

from optimizer.asset import Id, NonNegative, Positive, Section
from vpp.domain.series import SeriesSource


class ReserveRule(Section):
    """What stands behind a quantity of a capacity product."""

    power: Positive = 1.0
    """Power held per quantity sold."""
    energy_up_h: NonNegative = 0.0
    """Hours for which the energy behind upward reserve must last [h]."""
    energy_down_h: NonNegative = 0.0
    """Hours for which the room behind downward reserve must last [h]."""
    at: Literal["start", "end", "throughout"] = "throughout"
    """When the energy must be there: as a step begins, as it ends, or both."""
    efficiency: bool = False
    """Whether the losses between store and terminals count against the energy held."""


class Product(Section):
    """One product of a market."""

    id: Id
    """Name of the product in files and topics."""
    kind: Literal["energy", "capacity", "imbalance"]
    """What is sold: energy, power that is held ready, or what is metered beside energy that was sold ahead."""
    direction: Literal["net", "up", "down", "symmetric"] = "net"
    """One signed quantity, more export, less export, or both alike."""
    reserve: ReserveRule = ReserveRule()
    """What stands behind a capacity product."""
    imbalance: Id | None = None
    """Product that settles what is metered beside an energy product; that one is then sold ahead, in one quantity per
    step for whatever comes. Default: energy is sold as it is metered."""

    @field_validator("direction")
    @classmethod
    def _fits_the_kind(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if kind == "capacity" and value == "net":
            raise ValueError("direction must be up, down or symmetric for a product of kind capacity")
        if kind in ("energy", "imbalance") and value != "net":
            raise ValueError(f"direction must be net for a product of kind {kind}")
        return value

    @field_validator("imbalance")
    @classmethod
    def _is_of_energy(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("kind") in ("capacity", "imbalance"):
            raise ValueError(f"imbalance means nothing for a product of kind {info.data['kind']}")
        return value


class Market(Section):
    """A data file of one market: a header and its products."""

    id: Id
    """Name of the market."""
    version: int
    """Edition of the file."""
    source: str
    """Where the rules were read."""
    products: list[Product]
    """The market's products."""


def _is_text(value: Any) -> str:
    return "text" if isinstance(value, str) else "section"


def _is_number(value: Any) -> str:
    return "series" if isinstance(value, dict | SeriesSource) else "number"


NamedOrInline = Annotated[Annotated[str, Tag("text")] | Annotated[Product, Tag("section")], Discriminator(_is_text)]
NumberOrSeries = Annotated[
    Annotated[NonNegative, Tag("number")] | Annotated[SeriesSource, Tag("series")], Discriminator(_is_number)
]


class MarketEntry(Section):
    """A product that the site takes part in."""

    product: NamedOrInline
    """Name of a product, or a product written out."""
    prices: SeriesSource | None = None
    """Prices in the site's currency per MWh; for import alone where `export_prices` is given. Of a product of kind
    imbalance: what a shortfall costs, and a surplus brings where there are no `export_prices`."""
    export_prices: SeriesSource | None = None
    """Prices received where selling pays another price than buying costs."""
    hold_kw: NumberOrSeries | None = None
    """Quantity of a capacity product that is held [kW]."""
