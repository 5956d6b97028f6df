"""Where does a message go, and what is one about that came from there?"""

import re
from dataclasses import dataclass
from enum import StrEnum

from adapters.messages import MessageError

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED = frozenset(("dispatcher", "plan", "op", "market", "alarm", "feed", "site"))
"""What no asset is called, because the site's own topics lie there."""


class DeviceKind(StrEnum):
    """What is said under an asset's name."""

    BIRTH = "birth"
    STATE = "state"
    TELE = "tele"
    CMD = "cmd"
    ACK = "ack"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """`<asset>/<kind>`."""

    asset: str
    kind: DeviceKind


class DispatcherKind(StrEnum):
    """What the dispatcher says of itself."""

    STATE = "state"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class DispatcherTopic:
    """`dispatcher/<kind>`."""

    kind: DispatcherKind


@dataclass(frozen=True, slots=True)
class PlanTopic:
    """`plan`."""


@dataclass(frozen=True, slots=True)
class FeedTopic:
    """`feed/<series>`, or the answer to it on `feed/<series>/ack`."""

    series: str
    is_answer: bool


@dataclass(frozen=True, slots=True)
class OperatorTopic:
    """`op/<operator>/req`, or the answer to it on `op/<operator>/resp`."""

    operator: str
    is_answer: bool


class MarketKind(StrEnum):
    """What a market gateway says."""

    AWARD = "award"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True)
class MarketTopic:
    """`market/<product>/<kind>`."""

    product: str
    kind: MarketKind


@dataclass(frozen=True, slots=True)
class AlarmTopic:
    """`alarm/<code>/<asset or site>`."""

    code: str
    asset: str


Topic = DeviceTopic | DispatcherTopic | PlanTopic | FeedTopic | OperatorTopic | MarketTopic | AlarmTopic


class Topics:
    """The topics of one site. `+` in place of a name makes a filter for all of them."""

    def __init__(self, site_id: str) -> None:
        self.root = f"vpp/v1/{_name(site_id)}/"
        self._parsed: dict[str, Topic] = {}

    def birth(self, asset: str) -> str:
        """Where a device introduces itself."""
        return f"{self.root}{_name(asset)}/birth"

    def state(self, asset: str) -> str:
        """Where a device says that it is connected, and its last will that it is not."""
        return f"{self.root}{_name(asset)}/state"

    def tele(self, asset: str) -> str:
        """Where a device sends what it measures."""
        return f"{self.root}{_name(asset)}/tele"

    def cmd(self, asset: str) -> str:
        """Where a device is told what to do; never retained."""
        return f"{self.root}{_name(asset)}/cmd"

    def ack(self, asset: str) -> str:
        """Where a device answers commands."""
        return f"{self.root}{_name(asset)}/ack"

    def session(self, depot: str) -> str:
        """Where a charger announces vehicles."""
        return f"{self.root}{_name(depot)}/session"

    @property
    def dispatcher_state(self) -> str:
        """Where the dispatcher says that it is connected, and its last will that it is not."""
        return f"{self.root}dispatcher/state"

    @property
    def dispatcher_status(self) -> str:
        """Where the dispatcher says who is in control and what every asset does."""
        return f"{self.root}dispatcher/status"

    def heartbeat(self, client_id: str) -> str:
        """Where a client sends itself a beat, to learn whether the broker still passes messages on."""
        return f"{self.root}dispatcher/heartbeat/{_name(client_id)}"

    @property
    def plan(self) -> str:
        """Where the plan in force is summed up."""
        return f"{self.root}plan"

    def feed(self, series: str) -> str:
        """Where a source sends new values of a series."""
        return f"{self.root}feed/{_name(series)}"

    def feed_ack(self, series: str) -> str:
        """Where a source is answered."""
        return f"{self.root}feed/{_name(series)}/ack"

    def request(self, operator: str) -> str:
        """Where an operator asks for something."""
        return f"{self.root}op/{_name(operator)}/req"

    def response(self, operator: str) -> str:
        """Where an operator is answered."""
        return f"{self.root}op/{_name(operator)}/resp"

    def award(self, product: str) -> str:
        """Where a market gateway says what was bought."""
        return f"{self.root}market/{_name(product)}/award"

    def signal(self, product: str) -> str:
        """Where a market gateway says what is asked for now."""
        return f"{self.root}market/{_name(product)}/signal"

    def alarm(self, code: str, asset: str) -> str:
        """Where an alarm stands until an empty payload clears it."""
        return f"{self.root}alarm/{_name(code)}/{_name(asset)}"

    def parse(self, topic: str) -> Topic:
        """What a topic of this site is about.

        Raises:
            MessageError: With code `topic`, where it is none of this interface.

        """
        known = self._parsed.get(topic)
        if known is None:
            known = self._parse(topic)
            if len(self._parsed) < _REMEMBERED:
                self._parsed[topic] = known
        return known

    def _parse(self, topic: str) -> Topic:
        parts = topic.removeprefix(self.root).split("/") if topic.startswith(self.root) else []
        found = _topic(parts) if all(ID.fullmatch(part) for part in parts) else None
        if found is None:
            raise MessageError("topic", f"{topic[:200]!a} is no topic of this interface; its topics begin {self.root}")
        return found


def _topic(parts: list[str]) -> Topic | None:
    found: Topic | None = None
    match parts:
        case ["dispatcher", ("state" | "status") as kind]:
            found = DispatcherTopic(DispatcherKind(kind))
        case ["plan"]:
            found = PlanTopic()
        case ["feed", series]:
            found = FeedTopic(series, is_answer=False)
        case ["feed", series, "ack"]:
            found = FeedTopic(series, is_answer=True)
        case ["op", operator, ("req" | "resp") as end]:
            found = OperatorTopic(operator, is_answer=end == "resp")
        case ["market", product, ("award" | "signal") as kind]:
            found = MarketTopic(product, MarketKind(kind))
        case ["alarm", code, asset]:
            found = AlarmTopic(code, asset)
        case [asset, kind] if asset not in RESERVED and kind in _DEVICE_KINDS:
            found = DeviceTopic(asset, DeviceKind(kind))
    return found


_DEVICE_KINDS = frozenset(DeviceKind)
_REMEMBERED = 10_000


def _name(text: str) -> str:
    if text != "+" and not ID.fullmatch(text):
        raise MessageError("topic", f"{text[:100]!a} cannot stand in a topic; allowed are 1 to 64 of A–Z a–z 0–9 _ -")
    return text
