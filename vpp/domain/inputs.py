"""Which files does a plan rest on?"""

from dataclasses import dataclass
from datetime import date, datetime

SITE, SERIES, STATE = "site", "series", "state"
"""What a file is to a plan: the site file, a series that it refers to or that the command names, what was measured."""


@dataclass(frozen=True)
class InputFile:
    """A file that was read."""

    role: str
    """`site`, `series` or `state`."""
    name: str
    """Its name where it was asked for: in the site file, or on the command line."""
    path: str
    """Where it lies, seen from the folder of the plan."""
    digest: str
    """`sha256:` and its digest."""


@dataclass(frozen=True)
class Inputs:
    """All that a plan was made from, beside the program."""

    first_day: date
    """First local day of the span."""
    last_day: date
    now_utc: datetime | None
    """Where a plan of the rest of a span begins; `None` for whole days."""
    prices: str | None
    """Name of the series that took the place of the energy product's; `None` where the site file's own holds."""
    files: tuple[InputFile, ...]

    def of(self, role: str) -> tuple[InputFile, ...]:
        """The files of one role."""
        return tuple(file for file in self.files if file.role == role)
