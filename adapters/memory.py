"""How do clients in one process exchange messages without a broker, in the order of sending and at once?

Simulation on a virtual clock uses this in place of MQTT: retained messages, wills, filters and take-over work as on a
broker, and nothing waits.
"""

from collections import deque

from adapters.messages import MessageError
from adapters.port import Incoming, Outgoing
from adapters.session import Counters, Session


class MemoryBroker:
    """Passes messages between `MemoryLink`s. What is sent while a message is delivered is delivered after it."""

    def __init__(self) -> None:
        self._links: dict[str, MemoryLink] = {}
        self._retained: dict[str, bytes] = {}
        self._receivers: dict[str, tuple[MemoryLink, ...]] = {}
        self._waiting: deque[tuple[MemoryLink, Incoming]] = deque()
        self._is_delivering = False

    def publish(self, message: Outgoing) -> None:
        """Deliver a message to everyone who hears its topic, and keep it where it is retained."""
        topic = message.topic
        if message.is_retained:
            if message.payload:
                self._retained[topic] = message.payload
            else:
                self._retained.pop(topic, None)
        receivers = self._receivers.get(topic)
        if receivers is None:
            receivers = tuple(link for link in self._links.values() if link.hears(topic))
            self._receivers[topic] = receivers
        if receivers:
            incoming = Incoming(topic, message.payload, is_retained=False)
            self._waiting.extend((link, incoming) for link in receivers)
            self._deliver()

    def retained(self, topic: str) -> bytes | None:
        """What a new subscriber of a topic would be sent."""
        return self._retained.get(topic)

    def _join(self, link: "MemoryLink") -> None:
        former = self._links.get(link.session.client_id)
        if former is not None:
            former.drop()
        self._links[link.session.client_id] = link
        self._receivers.clear()
        kept = [(topic, payload) for topic, payload in self._retained.items() if link.hears(topic)]
        self._waiting.extend((link, Incoming(topic, payload, is_retained=True)) for topic, payload in kept)

    def _leave(self, link: "MemoryLink") -> None:
        if self._links.get(link.session.client_id) is link:
            del self._links[link.session.client_id]
            self._receivers.clear()

    def _deliver(self) -> None:
        if self._is_delivering:
            return
        self._is_delivering = True
        try:
            while self._waiting:
                link, incoming = self._waiting.popleft()
                link.take(incoming)
        finally:
            self._is_delivering = False


class MemoryLink:
    """One client of a `MemoryBroker`."""

    def __init__(self, broker: MemoryBroker, session: Session) -> None:
        self.session = session
        self.counters = Counters()
        self._broker = broker
        self._will: Outgoing | None = None
        self._is_up = False
        self._filters = [subscription.filter.split("/") for subscription in session.subscriptions]

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent now."""
        return self._is_up

    def connect(self) -> None:
        """Come up: retained messages arrive, and the greeting is published."""
        if self._is_up:
            return
        self._will = None if self.session.will is None else self.session.will()
        self._is_up = True
        self.counters.connections += 1
        self._broker._join(self)  # noqa: SLF001  the two are one thing seen from two ends
        for message in self.session.greeting():
            self.send(message)
        self._broker._deliver()  # noqa: SLF001

    def disconnect(self, farewell: tuple[Outgoing, ...] = ()) -> None:
        """Go, after a farewell; the will is not published."""
        for message in farewell:
            self.send(message)
        self._will = None
        self.drop()

    def drop(self) -> None:
        """Be lost, as in a power failure: the will is published."""
        if not self._is_up:
            return
        self._is_up = False
        self._broker._leave(self)  # noqa: SLF001
        if self._will is not None:
            self._broker.publish(self._will)

    def send(self, message: Outgoing) -> bool:
        """Publish a message; see `Link.send`."""
        if not self._is_up:
            self.counters.unsent += 1
            return False
        self.counters.sent += 1
        self._broker.publish(message)
        return True

    def hears(self, topic: str) -> bool:
        """Whether it subscribed to a topic."""
        parts = topic.split("/")
        return any(matches(filter_, parts) for filter_ in self._filters)

    def take(self, incoming: Incoming) -> None:
        """Receive a message, unless the connection is gone by now."""
        if not self._is_up:
            return
        self.counters.received += 1
        if len(incoming.payload) > self.session.largest_bytes:
            self.counters.refused += 1
            return
        try:
            self.session.receive(incoming)
        except MessageError:
            self.counters.refused += 1


def matches(filter_: list[str], topic: list[str]) -> bool:
    """Whether a topic filter with `+` and `#` covers a topic, both split at the slashes (MQTT 3.1.1, 4.7)."""
    if filter_[0] in ("+", "#") and topic[0].startswith("$"):
        return False
    for index, part in enumerate(filter_):
        if part == "#":
            return True
        if index == len(topic) or part not in ("+", topic[index]):
            return False
    return len(filter_) == len(topic)
