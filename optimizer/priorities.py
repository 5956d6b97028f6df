"""Which promises of a site may give way, in which order, and how far?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from math import inf


class Level(IntEnum):
    """A kind of promise; where not all can be kept, those of a lower number are kept before those of a higher one."""

    SERVICE = 0
    """Load that is not critical is served. It is cut when nothing else helps."""
    CAPACITY = 1
    """Capacity that is held is there."""
    END = 2
    """A store holds at the end of the horizon what it shall."""


@dataclass(frozen=True)
class Wider:
    """A limit that may be exceeded in every step by one amount, which is to be as small as possible."""

    owner: str
    """Asset, or part of the site."""
    limit: str
    """Its name, as a model labels it."""


@dataclass(frozen=True)
class Giving:
    """How far promises give way."""

    most_kwh: Mapping[tuple[str, Level], float] = field(default_factory=dict)
    """Most that may be given up over the horizon, by scenario (empty where there is none) and level; default: any."""
    aim: Level | Wider | None = None
    """The level of which as little as possible is given up, or the limit that is exceeded by as little as possible,
    whatever it costs; `None` where the money decides."""
    stopped: frozenset[Level] = frozenset()
    """Levels whose search ended before it was known that no plan gives up less."""
    kept: frozenset[str] = frozenset()
    """Assets, and capacity products, whose promises do not give way."""

    def most_of(self, scenario: str, level: Level) -> float:
        """Most that may be given up in a scenario, of one level [kWh]."""
        return self.most_kwh.get((scenario, level), inf)

    def within(self, scenario: str) -> "Giving":
        """What holds in one scenario, seen as a problem of its own."""
        return replace(self, most_kwh={("", level): self.most_of(scenario, level) for level in Level})
