"""What did a market buy, and what does it ask for now?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    """One signed quantity, more export, less export, or both alike."""

    NET = "net"
    UP = "up"
    DOWN = "down"
    SYMMETRIC = "symmetric"


class PriceUnit(StrEnum):
    """What a price is paid for."""

    PER_MWH = "per_mwh"
    PER_MW_H = "per_mw_h"
    PER_MW_BLOCK = "per_mw_block"
    PER_MW_MILEAGE = "per_mw_mileage"


@dataclass(frozen=True, slots=True)
class Award:
    """A quantity of one product that a market bought for one block of time."""

    product: str
    start: datetime
    end: datetime
    direction: Direction
    quantity_kw: float
    price: float
    price_unit: PriceUnit


@dataclass(frozen=True, slots=True)
class MarketSignal:
    """What a market asks for at this moment."""

    product: str
    at: datetime
    value: float
    """A share from −1 to 1, or kW, as the product says; positive is up."""
