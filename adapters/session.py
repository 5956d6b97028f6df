"""What does a client of a broker want: whom it hears, what it says on coming and on being lost?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.messages import LARGEST_BYTES
from adapters.port import Outgoing, Receive


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter, and the best quality of service in which its messages are wanted."""

    filter: str
    qos: int = 1


def _nothing() -> Sequence[Outgoing]:
    return ()


@dataclass(frozen=True, slots=True)
class Session:
    """What a client is to a broker, on every connection anew."""

    client_id: str
    receive: Receive
    """Called for each message. May raise `MessageError`: the message then counts as refused."""
    subscriptions: tuple[Subscription, ...] = ()
    """Filters that overlap bring a message more than once from some brokers."""
    greeting: Callable[[], Sequence[Outgoing]] = _nothing
    """What is published on every connection before anything else, such as births."""
    will: Callable[[], Outgoing] | None = None
    """What the broker publishes when the connection is lost; asked for on every connection."""
    largest_bytes: int = LARGEST_BYTES
    """A message that is longer is refused unread."""


@dataclass(slots=True)
class Counters:
    """What a link did since it was made."""

    received: int = 0
    refused: int = 0
    """Too long, or refused by who received it."""
    dropped: int = 0
    """Arrived faster than they were taken."""
    sent: int = 0
    """Handed to the network, and acknowledged where the quality of service has that."""
    unsent: int = 0
    """Not taken, or taken and thrown away because the connection was lost first."""
    unknown: int = 0
    """Handed to the network and never acknowledged: sent, or not."""
    connections: int = 0

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(self.connections - 1, 0)
