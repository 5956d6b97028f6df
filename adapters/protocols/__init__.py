"""Which dialects do devices speak? Each file in this folder is one, and its name is what a site file binds to."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from adapters.port import Incoming, Outgoing
from adapters.session import Subscription
from adapters.topics import Topics
from vpp.domain.command import Ack, Presence
from vpp.domain.setpoint import Permit
from vpp.domain.telemetry import Birth, Telemetry

DeviceMessage = Birth | Presence | Telemetry | Ack


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which command of a dispatcher this is: a device obeys only what is greater in `(epoch, seq)`."""

    epoch: int
    seq: int
    at: datetime
    """When it is issued, in UTC."""


class Dialect(Protocol):
    """What a dialect's module holds."""

    def subscriptions(self, topics: Topics, asset_id: str) -> tuple[Subscription, ...]:
        """What must be heard to know an asset."""

    def command(self, topics: Topics, permit: Permit, stamp: Stamp) -> Outgoing:
        """A permit as the message that tells it to the device."""

    def read(self, topics: Topics, message: Incoming) -> DeviceMessage:
        """What a device said.

        Raises:
            MessageError: Where it is refused.

        """


def known_dialects() -> tuple[str, ...]:
    """Names of all dialects, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


@cache
def dialect(name: str) -> Dialect:
    """The dialect of a name.

    Raises:
        LookupError: Where there is none.

    """
    if name not in known_dialects():
        raise LookupError(f"{name!r} is no dialect; known are {', '.join(known_dialects())}")
    return cast("Dialect", import_module(f"{__name__}.{name}"))
