"""Between topics and the dispatcher: what came in, sorted; what goes out, addressed."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.market_messages import feed_answer_bytes, read_feed, read_signal
from adapters.messages import MessageError, json_bytes
from adapters.operator_messages import alarm_bytes, answer_bytes, dispatcher_state_bytes, read_request, request_id
from adapters.port import Incoming, Outgoing
from adapters.protocols import Dialect, Stamp
from adapters.session import Subscription
from adapters.topics import (
    AlarmTopic,
    DeviceKind,
    DeviceTopic,
    FeedTopic,
    MarketKind,
    MarketTopic,
    OperatorTopic,
    Topics,
)
from vpp.dispatch.dispatcher import LONGEST_SIGNAL_S, Dispatcher
from vpp.dispatch.status import plan_document, status_document
from vpp.domain.alarm import Alarm
from vpp.domain.command import Presence
from vpp.domain.course import Course
from vpp.domain.feed import Feed, FeedAnswer
from vpp.domain.override import Answer, AnswerStatus, Request
from vpp.domain.setpoint import Permit
from vpp.domain.snapshot import Signal

MOST_WAITING = 200
"""So many requests, and so many feeds, wait at the most; what comes beyond is refused."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    operator: str
    payload: str
    is_retained: bool
    request: Request | None
    """`None` where it could not be read."""
    refusal: Answer | None
    """What is answered to one that could not be read."""


class Post:
    """The messages of one term.

    Args:
        dispatcher: Who is told, and who tells.
        topics: Topics of the site.
        dialects: How each asset is spoken to.
        instance: Names this process.
        signal_kw: Power of a full signal of each product [kW]; a signal of another product is refused.

    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        topics: Topics,
        dialects: Mapping[str, Dialect],
        instance: str,
        signal_kw: Mapping[str, float] | None = None,
    ) -> None:
        self._dispatcher, self.topics, self._dialects = dispatcher, topics, dialects
        self._instance, self._signal_kw = instance, signal_kw or {}
        self.requests: deque[Asked] = deque()
        self.feeds: deque[Feed | FeedAnswer] = deque()
        """New values; of those that could not be read, the answer."""
        self.to_clear: deque[Outgoing] = deque()
        self._signalled_at: dict[str, datetime] = {}

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Everything that must be heard."""
        devices = [
            one for asset, dialect in self._dialects.items() for one in dialect.subscriptions(self.topics, asset)
        ]
        own = [
            Subscription(self.topics.cmd("+"), qos=1),  # to find commands that somebody retained
            Subscription(self.topics.request("+"), qos=1),
            Subscription(self.topics.feed("+"), qos=1),
            Subscription(self.topics.signal("+"), qos=0),
            Subscription(self.topics.alarm("+", "+"), qos=1),  # to find alarms of an earlier term, or told while away
        ]
        return (*devices, *own)

    def receive(self, incoming: Incoming, now: datetime, mono_s: float) -> None:
        """Sort one message in.

        Raises:
            MessageError: it is refused; its sender has been noted where there is one.

        """
        topic = self.topics.parse(incoming.topic)
        match topic:
            case DeviceTopic(asset, DeviceKind.CMD):
                self._look_at_command(asset, incoming, now, mono_s)
            case DeviceTopic(asset, _) if asset in self._dialects:
                try:
                    self._dispatcher.hear(self._dialects[asset].read(self.topics, incoming), now, mono_s)
                except MessageError as error:
                    self._dispatcher.hear_bad(asset, str(error), now, mono_s)
                    raise
            case OperatorTopic(operator, is_answer=False):
                self._take_request(operator, incoming, now)
            case FeedTopic(series, is_answer=False):
                self._take_feed(series, incoming, now)
            case MarketTopic(product, MarketKind.SIGNAL):
                self._take_signal(product, incoming, now, mono_s)
            case AlarmTopic(code, asset):
                self._look_at_alarm(code, asset, incoming)

    def greeting(self, now: datetime) -> Sequence[Outgoing]:
        """What is said on every connection before anything else."""
        standing = [self.alarm(alarm, now) for alarm in self._dispatcher.alarms.standing()]
        course = [] if self._dispatcher.course is None else [self.plan(self._dispatcher.course)]
        return [self._presence(now, is_online=True), *standing, *course]

    def will(self, now: datetime) -> Outgoing:
        """What the broker says when this dispatcher is lost."""
        return self._presence(now, is_online=False)

    def command(self, permit: Permit, stamp: Stamp) -> Outgoing:
        """A permit as the message that tells it to its device."""
        return self._dialects[permit.asset_id].command(self.topics, permit, stamp)

    def answer(self, answer: Answer) -> Outgoing:
        """An answer to an operator."""
        return Outgoing(self.topics.response(answer.operator), answer_bytes(answer))

    def feed_answer(self, answer: FeedAnswer) -> Outgoing:
        """An answer to the source of a feed."""
        return Outgoing(self.topics.feed_ack(answer.series), feed_answer_bytes(answer))

    def plan(self, course: Course) -> Outgoing:
        """What the plan in force will do."""
        return Outgoing(self.topics.plan, json_bytes(plan_document(course)), is_retained=True)

    def alarm(self, alarm: Alarm, now: datetime, *, is_cleared: bool = False) -> Outgoing:
        """An alarm that stands, or the empty message that clears it."""
        payload = b"" if is_cleared else alarm_bytes(alarm, now)
        return Outgoing(self.topics.alarm(alarm.code, alarm.asset), payload, is_retained=True)

    def status(self, now: datetime, mono_s: float) -> Outgoing:
        """Who is in control, and what every asset does."""
        document = status_document(self._dispatcher, now, mono_s)
        return Outgoing(self.topics.dispatcher_status, json_bytes(document), is_retained=True)

    def _presence(self, now: datetime, *, is_online: bool) -> Outgoing:
        presence = Presence("dispatcher", is_online, now, self._instance, self._dispatcher.leases.epoch)
        return Outgoing(self.topics.dispatcher_state, dispatcher_state_bytes(presence), is_retained=True)

    def _look_at_command(self, asset: str, incoming: Incoming, now: datetime, mono_s: float) -> None:
        """A command that was retained would be obeyed by a device that comes up: it is cleared and named."""
        if incoming.is_retained and incoming.payload:
            self.to_clear.append(Outgoing(incoming.topic, b"", is_retained=True))
            self._dispatcher.hear_retained_command(asset, now, mono_s)

    def _look_at_alarm(self, code: str, asset: str, incoming: Incoming) -> None:
        """An alarm that was retained and stands no more is cleared."""
        standing = {(alarm.code, alarm.asset) for alarm in self._dispatcher.alarms.standing()}
        if incoming.is_retained and incoming.payload and (code, asset) not in standing:
            self.to_clear.append(Outgoing(incoming.topic, b"", is_retained=True))

    def _take_request(self, operator: str, incoming: Incoming, now: datetime) -> None:
        text = incoming.payload[:4096].decode("utf-8", "replace")
        if len(self.requests) >= MOST_WAITING:
            raise MessageError("flood", f"more than {MOST_WAITING} requests wait")
        try:
            request = read_request(operator, incoming.payload)
        except MessageError as error:
            name = request_id(incoming.payload) or ""
            refusal = Answer(name, operator, now, AnswerStatus.REJECTED, error.code, str(error))
            self.requests.append(Asked(operator, text, incoming.is_retained, None, refusal))
        else:
            self.requests.append(Asked(operator, text, incoming.is_retained, request, None))

    def _take_feed(self, series: str, incoming: Incoming, now: datetime) -> None:
        if len(self.feeds) >= MOST_WAITING:
            raise MessageError("flood", f"more than {MOST_WAITING} feeds wait")
        try:
            self.feeds.append(read_feed(series, incoming.payload))
        except MessageError as error:
            self.feeds.append(FeedAnswer(series, now, is_accepted=False, code=error.code, message=error.text))
            raise

    def _take_signal(self, product: str, incoming: Incoming, now: datetime, mono_s: float) -> None:
        if product not in self._signal_kw:
            raise MessageError("unknown_product", f"{product} is not a product of this site with a signal")
        if incoming.is_retained:
            raise MessageError("retained", "a signal must not be retained")
        told = read_signal(product, incoming.payload)
        if abs(told.value) > 1:
            raise MessageError("value", f"value = {told.value:g}: must be -1 to 1")
        if abs((now - told.at).total_seconds()) > LONGEST_SIGNAL_S:
            raise MessageError("late", f"at = {told.at.isoformat()}: must be within {LONGEST_SIGNAL_S:g} s of now")
        if told.at < self._signalled_at.get(product, told.at):
            raise MessageError("old", f"at = {told.at.isoformat()}: a later one has come")
        self._signalled_at[product] = told.at
        self._dispatcher.hear_signal(Signal(product, told.value * self._signal_kw[product]), mono_s)
