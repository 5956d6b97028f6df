"""What happens to a simulated site, and when? A scenario file: events outside the devices, and faults of devices."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vpp.domain.unit import Kind, Unit

Seconds = Annotated[float, Field(ge=0, le=1e9)]
Duration = Annotated[float, Field(gt=0, le=1e9)]
Factor = Annotated[float, Field(ge=-1e6, le=1e6)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
AvailableKw = Callable[[float], float]
"""Power that sun, wind or consumers give or take, by seconds since 1970 UTC."""


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )


class Happening(_Section):
    """Something that begins, and may end."""

    asset: Name
    """Asset that it happens to."""
    at_s: Seconds
    """When it begins, from the start of the simulation [s]."""
    for_s: Duration | None = None
    """How long it lasts [s]; default: to the end of the simulation."""

    @property
    def end_s(self) -> float:
        """When it is over, from the start of the simulation."""
        return inf if self.for_s is None else self.at_s + self.for_s

    def is_on(self, elapsed_s: float) -> bool:
        """Whether it happens at an instant."""
        return self.at_s <= elapsed_s < self.end_s


class Cloud(Happening):
    """Less sun or wind."""

    event: Literal["cloud"]
    """`cloud`: less sun or wind."""
    share: Annotated[float, Field(ge=0, le=1)]
    """What is left of the available power."""


class LoadStep(Happening):
    """More demand, or less."""

    event: Literal["load_step"]
    """`load_step`: more demand, or less."""
    kw: Factor
    """What is added to the demand [kW]; negative takes away."""


class PlainFault(Happening):
    """A fault that needs no number."""

    fault: Literal["silent", "stuck", "refuse", "ignore", "garbage", "duplicated", "out_of_order", "trip", "disconnect"]
    """`silent` says nothing; `stuck` repeats its values; `refuse` rejects every command; `ignore` accepts commands and
    does nothing; `garbage` sends no valid telemetry; `duplicated` sends everything twice; `out_of_order` swaps
    messages; `trip` opens its breaker; `disconnect` loses the broker."""


class Gain(Happening):
    """Obeys by half, or by another part."""

    fault: Literal["gain"]
    """`gain`: does only a part of what it is told."""
    factor: Factor = 0.5
    """That part."""


class Reboot(Happening):
    """Switched off and on again."""

    fault: Literal["reboot"]
    """`reboot`: off, then on again under a new boot id."""
    for_s: Duration = 5.0
    """How long it is off [s]."""


class WrongUnit(Happening):
    """Power in another unit."""

    fault: Literal["wrong_unit"]
    """`wrong_unit`: tells power in another unit."""
    factor: Factor = 1000.0
    """That unit in a kW; the default is W."""


class SocJump(Happening):
    """Another state of charge from one message to the next."""

    fault: Literal["soc_jump"]
    """`soc_jump`: tells another state of charge than it has."""
    by_fraction: Annotated[float, Field(ge=-1, le=1)]
    """What is added to it."""


class Late(Happening):
    """Slow messages."""

    fault: Literal["late"]
    """`late`: sends everything later."""
    delay_s: Duration
    """By so much [s]."""


class ClockOffset(Happening):
    """A wrong wall clock."""

    fault: Literal["clock_offset"]
    """`clock_offset`: has a wrong wall clock."""
    offset_s: Factor
    """By so much [s]; positive is ahead."""


Event = Annotated[Cloud | LoadStep, Field(discriminator="event")]
Fault = Annotated[
    PlainFault | Gain | Reboot | WrongUnit | SocJump | Late | ClockOffset,
    Field(discriminator="fault"),
]


@dataclass(frozen=True, slots=True)
class Misplaced:
    """An entry of a scenario that cannot happen at a site."""

    path: tuple[str | int, ...]
    value: str
    problem: str
    remedy: str


class Scenario(_Section):
    """A whole scenario file."""

    schema_version: Literal[1]
    """Edition of this format."""
    seed: int = 0
    """Of all noise."""
    events: tuple[Event, ...] = Field(default=(), strict=False)
    """What happens outside the devices."""
    faults: tuple[Fault, ...] = Field(default=(), strict=False)
    """What goes wrong in devices."""

    def faults_of(self, asset_id: str) -> tuple[Fault, ...]:
        """Faults of one device."""
        return tuple(fault for fault in self.faults if fault.asset == asset_id)

    def available_kw(self, asset_id: str, undisturbed_kw: AvailableKw, start_s: float) -> AvailableKw:
        """The power of one asset with the events that touch it.

        Args:
            asset_id: The asset.
            undisturbed_kw: Its power without them.
            start_s: When the simulation starts, in seconds since 1970 UTC.

        """
        events = tuple(event for event in self.events if event.asset == asset_id)
        if not events:
            return undisturbed_kw

        def disturbed_kw(utc_s: float) -> float:
            power_kw = undisturbed_kw(utc_s)
            for event in events:
                if event.is_on(utc_s - start_s):
                    power_kw = power_kw * event.share if isinstance(event, Cloud) else power_kw + event.kw
            return power_kw

        return disturbed_kw

    def misplaced(self, units: Sequence[Unit]) -> Iterator[Misplaced]:
        """Entries that cannot happen at the site of these units."""
        known = {unit.id: unit for unit in units}
        for section, entries in (("events", self.events), ("faults", self.faults)):
            for index, entry in enumerate(entries):
                unit, name = known.get(entry.asset), _name(entry)
                path: tuple[str | int, ...] = (section, index, "asset")
                if unit is None:
                    yield Misplaced(path, entry.asset, "not an asset of this site", f"Assets: {', '.join(known)}.")
                    continue
                needed = _NEEDED.get(name)
                if needed is not None and unit.kind is not needed:
                    problem = f"{name} happens to {needed} only, and this is {unit.kind}"
                    yield Misplaced(path, entry.asset, problem, "Choose another asset.")
                elif name in _LED and not unit.is_controllable:
                    problem = f"{name} is a fault in following commands, and this device takes none"
                    yield Misplaced(path, entry.asset, problem, "Choose another asset.")


_NEEDED = {"cloud": Kind.GENERATION, "load_step": Kind.CONSUMPTION, "soc_jump": Kind.STORAGE}
_LED = frozenset(("refuse", "ignore", "gain"))


def _name(entry: Event | Fault) -> str:
    return entry.event if isinstance(entry, Cloud | LoadStep) else entry.fault
