"""What every asset has in common."""

from abc import abstractmethod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from vpp.domain.unit import Unit

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A share, an efficiency or a state of charge; 1 is everything."""
Efficiency = Annotated[float, Field(gt=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Section(BaseModel):
    """Part of a site file: unknown keys are errors, numbers are numbers, nothing changes after parsing."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )


class Asset(Section):
    """A device, or a group of like devices, at the site."""

    id: Id
    """Name of the asset in files and topics."""

    @abstractmethod
    def unit(self) -> Unit:
        """The asset as control and safety know it."""

    def plausible(self, _series: str) -> tuple[float, float]:
        """Lowest and highest value that one of this asset's series may have, in the unit of the series."""
        return (0.0, float("inf"))
