"""How does a client stay connected to an MQTT broker, and never send what is no longer meant?

Every connection is made by a client object of its own: the library keeps what was not acknowledged inside the object
and would send it again later, after newer messages. For the same reason nothing is kept across connections here, and
a message without an acknowledgement counts as unknown, neither sent nor unsent.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, cast

import aiomqtt

from adapters.address import Address
from adapters.messages import MessageError
from adapters.mqtt_client import abort, enter, heed_cancellation, tls
from adapters.port import Incoming, Outgoing
from adapters.session import Counters, Session
from vpp.domain.errors import UnavailableError

LOG = logging.getLogger(__name__)
_QUIET = logging.getLogger(f"{__name__}.client")
_QUIET.setLevel(logging.CRITICAL)

FILTERS_PER_PACKET = 50
"""A request to subscribe stays below the smallest message that brokers take."""
IN_FLIGHT = 64
"""Messages that wait for an acknowledgement at a time."""


class UnreachableBrokerError(UnavailableError):
    """No connection was made since the start."""

    def __init__(self, address: Address, reason: str, tries: int) -> None:
        self.address, self.tries = address, tries
        times = "once" if tries == 1 else f"{tries} times"
        remedy = "Is it running, and is devices.broker.url its address? Or try without one: vpp demo"
        super().__init__(f"the broker at {address}", f"cannot be reached: {reason} (tried {times})", remedy)


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a link is."""

    heartbeat_s: float = 1.2
    """Time between two messages that the link sends to itself; two missing in a row mean that the broker is lost."""
    answer_s: float = 4.0
    """Longest wait for the broker's answer to anything."""
    keepalive_s: int = 10
    """After one and a half of these without a word from us the broker publishes our will."""
    first_delay_s: float = 0.5
    longest_delay_s: float = 5.0
    """The next try comes after a random time up to the first delay, doubled with each failure up to the longest."""
    stable_s: float = 10.0
    """A connection that lasted as long begins the delays anew."""
    tries_at_start: int | None = 5
    """So many failures before the first connection end it; `None` for no end."""


class MqttLink:
    """A client of a broker, through `adapters.port.Link`. `run` keeps it connected; one object, one `run`."""

    def __init__(
        self,
        address: Address,
        session: Session,
        heartbeat_topic: str,
        *,
        timing: Timing | None = None,
        inbox_size: int = 10_000,
        outbox_size: int = 10_000,
    ) -> None:
        """Make a link; nothing happens before `run`.

        Args:
            address: The broker.
            session: What is heard and said.
            heartbeat_topic: A topic of this client alone, which it may write and read.
            timing: How patient it is.
            inbox_size: Messages that may wait for `session.receive`; more are dropped.
            outbox_size: Messages that may wait to be sent; more are not taken.

        """
        self.counters = Counters()
        self.why_down = "not connected yet"
        """Why no message can be sent; empty while one can."""
        self._address, self._session, self._heartbeat_topic = address, session, heartbeat_topic
        self._timing = timing or Timing()
        self._inbox_size = inbox_size
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue(outbox_size)
        self._up, self._ending = asyncio.Event(), asyncio.Event()
        self._farewell: tuple[Outgoing, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent now."""
        return self._up.is_set()

    async def wait_up(self) -> None:
        """Wait until messages can be sent."""
        await self._up.wait()

    def send(self, message: Outgoing) -> bool:
        """Hand over a message at once; see `Link.send`. What is taken may still be lost with the connection.

        Raises:
            ValueError: Where the topic is a filter.

        """
        if "+" in message.topic or "#" in message.topic:
            raise ValueError(f"{message.topic!r} is a filter; a message goes to one topic")
        if self.is_up:
            with suppress(asyncio.QueueFull):
                self._outbox.put_nowait(message)
                return True
        self.counters.unsent += 1
        return False

    def close(self, farewell: Sequence[Outgoing] = ()) -> None:
        """Let `run` end: what was taken is sent, then the farewell, then the broker is told; it publishes no will."""
        self._farewell = tuple(farewell)
        self._ending.set()

    async def run(self) -> None:
        """Stay connected until `close` or cancellation, which also tells the broker but sends nothing else.

        Raises:
            UnreachableBrokerError: Where no connection was made at the start.
            ExceptionGroup: With what `session.receive` raised, other than `MessageError`.

        """
        clock, failures = asyncio.get_running_loop().time, 0
        while not self._ending.is_set():
            began, made = clock(), self.counters.connections
            try:
                await self._connection()
            except* (aiomqtt.MqttError, _LostError) as lost:
                self.why_down = self._reason(lost)
            if self._ending.is_set():
                return
            is_stable = self.counters.connections > made and clock() - began >= self._timing.stable_s
            failures = 1 if is_stable else failures + 1
            self._give_up(failures)
            LOG.warning("no connection to the broker at %s: %s", self._address, self.why_down)
            ceiling_s = min(self._timing.first_delay_s * 2.0 ** min(failures - 1, 32), self._timing.longest_delay_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0, ceiling_s)):  # noqa: S311  no secret
                    await self._ending.wait()

    def _give_up(self, failures: int) -> None:
        tries = self._timing.tries_at_start
        if not self.counters.connections and tries is not None and failures >= tries:
            raise UnreachableBrokerError(self._address, self.why_down, failures)

    async def _connection(self) -> None:
        """One connection, from its making to its end."""
        inbox = _Inbox(self.counters, self._heartbeat_topic, self._inbox_size)
        client = self._client(inbox)
        is_orderly = False
        try:
            await enter(client)
            await self._serve(client, inbox)
            is_orderly = True
        except asyncio.CancelledError:
            is_orderly = True
            raise
        finally:
            self._fall()
            if is_orderly:
                client.timeout = 1.0
                with suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)
            await abort(client)

    def _fall(self) -> None:
        """No message can be sent from here on, and none that waits will be."""
        self._up.clear()
        self.why_down = self.why_down or "closed"
        while not self._outbox.empty():
            self._outbox.get_nowait()
            self._outbox.task_done()
            self.counters.unsent += 1

    async def _serve(self, client: aiomqtt.Client, inbox: "_Inbox") -> None:
        """Pass messages in both directions until the connection is lost or to be closed."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_watch(client))]
            await self._subscribe(client)
            tasks.append(group.create_task(self._publish_all(client)))
            for message in self._session.greeting():
                await self._outbox.put(message)
            self.counters.connections += 1
            self.why_down = ""
            self._up.set()
            LOG.info("connected to the broker at %s", self._address)
            tasks.append(group.create_task(self._deliver(inbox)))
            await self._beat(client, inbox)
            await self._say_farewell()
            for task in tasks:
                task.cancel()

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        wanted = [(subscription.filter, subscription.qos) for subscription in self._session.subscriptions]
        filters = list(dict.fromkeys([(self._heartbeat_topic, 0), *wanted]))
        for first in range(0, len(filters), FILTERS_PER_PACKET):
            part = filters[first : first + FILTERS_PER_PACKET]
            answers = await client.subscribe(part)
            codes = [answer if isinstance(answer, int) else answer.value for answer in answers]
            for (filter_, _), code in zip(part, codes, strict=True):
                if code >= _REFUSED:
                    raise _LostError(f"it does not let {self._session.client_id} hear {filter_}")

    async def _publish_all(self, client: aiomqtt.Client) -> None:
        """Send what waits, in order, without waiting for one acknowledgement before the next message."""
        free = asyncio.Semaphore(IN_FLIGHT)

        def landed(flight: asyncio.Task[None]) -> None:
            free.release()
            self._outbox.task_done()
            is_sent = not flight.cancelled() and flight.exception() is None
            self.counters.sent += is_sent
            self.counters.unknown += not is_sent

        async with asyncio.TaskGroup() as flights:
            while True:
                await free.acquire()
                flight = flights.create_task(_publish(client, await self._outbox.get()))
                flight.add_done_callback(landed)

    async def _deliver(self, inbox: "_Inbox") -> None:
        try:
            while True:
                self._take(await inbox.take())
        except asyncio.CancelledError:
            while not inbox.empty():
                self._take(inbox.get_nowait())
            raise

    def _take(self, message: aiomqtt.Message) -> None:
        topic = message.topic.value
        payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
        self.counters.received += 1
        if len(payload) > self._session.largest_bytes:
            self.counters.refused += 1
            LOG.info("a message of %d bytes on %a is refused", len(payload), topic)
            return
        try:
            self._session.receive(Incoming(topic, payload, message.retain))
        except MessageError as error:
            self.counters.refused += 1
            LOG.info("a message on %a is refused: %s", topic, error)

    async def _beat(self, client: aiomqtt.Client, inbox: "_Inbox") -> None:
        """Send a beat to ourselves again and again until the link is to be closed."""
        missed = 0
        while not self._ending.is_set():
            inbox.has_beat = False
            await client.publish(self._heartbeat_topic, b"{}", qos=0)
            heed_cancellation()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.heartbeat_s):
                    await self._ending.wait()
            missed = 0 if inbox.has_beat else missed + 1
            if missed == _BEATS_MISSED:
                seconds = _BEATS_MISSED * self._timing.heartbeat_s
                raise _LostError(
                    f"it has passed nothing on for {seconds:g} s; does it let us use {self._heartbeat_topic}?"
                )

    async def _say_farewell(self) -> None:
        """Send what waits and the farewell, for as long as the broker may take to answer."""
        for message in self._farewell:
            self.send(message)
        self._up.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.answer_s):
                await self._outbox.join()

    def _client(self, inbox: "_Inbox") -> aiomqtt.Client:
        address, will = self._address, None if self._session.will is None else self._session.will()
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=self._session.client_id,
            logger=_QUIET,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: inbox),  # noqa: ARG005
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.is_retained),
            clean_session=True,
            timeout=self._timing.answer_s,
            keepalive=self._timing.keepalive_s,
            max_inflight_messages=IN_FLIGHT,
            tls_params=None if address.tls is None else tls(address.tls),
        )
        client.pending_calls_threshold = IN_FLIGHT + 1
        client._client.connect_timeout = self._timing.answer_s  # noqa: SLF001  aiomqtt has no way to say it
        return client

    def _reason(self, lost: BaseExceptionGroup[BaseException]) -> str:
        """The first cause in words for people."""
        cause = lost.exceptions[0]
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        text = f"{cause}"
        if text == "Operation timed out":
            text = f"no answer within {self._timing.answer_s:g} s"
            if self._address.tls is not None:
                text += "; it may want a certificate of ours"
        return text.split("] ", 1)[-1] if text.startswith("[") else text


_REFUSED = 0x80
_BEATS_MISSED = 2


class _LostError(Exception):
    """The connection is of no use any more."""


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Where aiomqtt puts what arrives.

    Its own way of reading starts a task for every message and drops what does not fit without counting it. Here
    messages are taken directly, and aiomqtt's iterator only ever tells that the connection is lost.
    """

    def __init__(self, counters: Counters, heartbeat_topic: str, size: int) -> None:
        super().__init__(size)
        self.has_beat = False
        """Whether a beat came back since the last one was sent."""
        self._counters, self._heartbeat_topic = counters, heartbeat_topic

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take a message from the network, or drop it."""
        if item.topic.value == self._heartbeat_topic:
            self.has_beat = True
        elif self.full():
            self._counters.dropped += 1
        else:
            super().put_nowait(item)

    async def take(self) -> aiomqtt.Message:
        """The next message."""
        return await super().get()

    async def get(self) -> NoReturn:
        """Wait until cancelled."""
        await asyncio.Event().wait()
        raise AssertionError


async def _watch(client: aiomqtt.Client) -> None:
    """Return never; raise once the connection is lost."""
    async for _ in client.messages:
        raise AssertionError


async def _publish(client: aiomqtt.Client, message: Outgoing) -> None:
    await client.publish(message.topic, message.payload, message.qos, message.is_retained)
