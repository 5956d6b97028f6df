"""Through which shapes does the product meet the outside?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it arrived."""

    topic: str
    payload: bytes
    is_retained: bool
    """Whether the broker kept it from before we subscribed."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send."""

    topic: str
    payload: bytes
    qos: int = 1
    is_retained: bool = False


Receive = Callable[[Incoming], None]


class Link(Protocol):
    """A connection to a broker that comes and goes."""

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent now."""

    def send(self, message: Outgoing) -> bool:
        """Hand over a message at once.

        Returns:
            Whether it was taken. A message that cannot go now is not kept: what comes later says more.

        """
