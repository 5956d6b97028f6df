"""A wind farm: what the site file says about it."""

from typing import Literal

from optimizer.generation.schema import Generation


class Wind(Generation):
    """A wind farm whose power follows a forecast and may be curtailed."""

    type: Literal["wind"]
    """`wind`."""
