"""A record of the technology library: what is known of one way of storing energy, how well, and from where."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field

from optimizer.asset import Id, Positive, Section

Quality = Literal["measured", "data_sheet", "literature", "assumed"]
"""How well a value is known; `assumed` is said wherever it is used."""
ROUNDING = 1e-9
"""A value may leave its range by this share of its bounds."""


class Value(Section):
    """One value, what it may be elsewhere, and where it is from."""

    value: float | None = None
    """What is filled in; none where only the range is checked."""
    unit: str
    """Unit of the value and its range; `1` for a share."""
    range: Annotated[list[float], Field(min_length=2, max_length=2)]
    """Lowest and highest value that is plausible."""
    per: str | None = None
    """Field of the asset that value and range are counted per unit of."""
    source: str
    """Where value and range are from."""
    quality: Quality
    """How well the value is known."""

    def size_of(self, asset: Mapping[str, Any]) -> float | None:
        """What value and range are multiplied by for an asset; nothing if the asset does not say."""
        size = 1.0 if self.per is None else asset.get(self.per)
        return float(size) if isinstance(size, int | float) and not isinstance(size, bool) else None

    def allows(self, given: float, size: float) -> bool:
        """Whether a given value lies within the range."""
        slack = ROUNDING * size * max(map(abs, self.range))
        return self.range[0] * size - slack <= given <= self.range[1] * size + slack


class Cost(Section):
    """What a new store cost, in one currency at one time. It is never converted."""

    replacement_cost_per_kwh: Positive
    """Cost of a new store per kWh of energy capacity."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217 code."""
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2})?$")]
    """Year, or year and month, that the cost is of."""
    source: str
    """Where it is from."""
    quality: Quality
    """How well it is known."""


class Technology(Section):
    """One way of storing energy."""

    id: Id
    """Name in site files."""
    name: str
    """Name for people."""
    version: int
    """Edition of the record."""
    type: str
    """The asset type that has its mathematics."""
    note: str = ""
    """What else is to be known."""
    fields: dict[str, Value]
    """Fields of the asset that it fills in, or checks."""
    ageing: Annotated[dict[str, Value], Field(default_factory=dict)]
    """The same for the asset's section `ageing`."""
    costs: Annotated[list[Cost], Field(default_factory=list)]
    """Replacement cost by currency."""
    facts: Annotated[dict[str, Value], Field(default_factory=dict)]
    """What is known and not planned with."""

    def cost_in(self, currency: str | None) -> Cost | None:
        """The replacement cost in a currency."""
        return next((cost for cost in self.costs if cost.currency == currency), None)


@lru_cache(maxsize=1)
def known_technologies() -> dict[str, Technology]:
    """Every record of the library by its name in site files, found by looking at the data files of this package."""
    texts = [file.read_text("utf-8") for file in files(__package__).iterdir() if file.name.endswith(".toml")]
    records = [Technology.model_validate(tomllib.loads(text)) for text in texts]
    return {record.id: record for record in sorted(records, key=lambda record: record.id)}
