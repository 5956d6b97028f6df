"""A photovoltaic plant: what the site file says about it."""

from typing import Literal

from optimizer.generation.schema import Generation


class Solar(Generation):
    """A photovoltaic plant whose power follows a forecast and may be curtailed."""

    type: Literal["solar"]
    """`solar`."""
