"""A short visit to a running site over MQTT: look at its status, or ask for something and wait for the answer."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.address import Address
from adapters.messages import MessageError, read_document
from adapters.mqtt import MqttLink, Timing
from adapters.operator_messages import read_answer, read_dispatcher_state, request_bytes
from adapters.port import Incoming, Outgoing
from adapters.session import Session, Subscription
from adapters.topics import DispatcherKind, DispatcherTopic, OperatorTopic, Topics
from vpp.domain.errors import HeldError
from vpp.domain.override import Action, Answer, Request

ANSWER_S = 10.0
"""So long an answer is waited for."""
STATUS_S = 5.0
"""A dispatcher that leads a site says so at least once in this time."""
ACCEPTED_WITHIN_S = 60.0
"""A request is no good any more after this time."""
LARGEST_STATUS_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator wants."""

    operator: str
    asset: str
    action: Action
    value: float | str | None
    duration_s: float
    reason: str


@dataclass
class Visit:
    """One connection to a site's broker."""

    site_id: str
    link: MqttLink
    topics: Topics
    status: dict[str, Any] | None = None
    is_online: bool | None = None
    """Whether a dispatcher leads the site; `None` while nobody said anything."""
    answers: list[Answer] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for(self, is_there: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is there; says whether it came in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not is_there():
                    self.news.clear()
                    await self.news.wait()
        return is_there()

    async def look(self) -> dict[str, Any]:
        """The status, as fresh as it comes.

        Raises:
            HeldError: nobody leads the site.

        """
        await self.wait_for(lambda: self.is_online is not None, STATUS_S)
        if self.is_online:
            await self.wait_for(lambda: self.status is not None, STATUS_S)
        if not self.is_online or self.status is None:
            raise HeldError(f"site {self.site_id}", "no dispatcher leads it", "Start one with: vpp run SITE.yaml")
        return self.status

    async def ask(self, order: Order) -> Answer:
        """Send a request and wait for its answer. The site's own clock counts, which a demo lets run faster.

        Raises:
            HeldError: nobody leads the site, or no answer came.

        """
        status = await self.look()
        now = datetime.fromisoformat(status["at"])
        request = Request(
            id=uuid.uuid4().hex,
            operator=order.operator,
            site=self.site_id,
            asset=order.asset,
            action=order.action,
            at=now,
            expires=now + timedelta(seconds=max(ACCEPTED_WITHIN_S, 10 * ANSWER_S)),
            duration_s=order.duration_s,
            reason=order.reason,
            seq=int(datetime.now().astimezone().timestamp() * 1000),
            value=order.value,
        )
        self.link.send(Outgoing(self.topics.request(order.operator), request_bytes(request)))
        await self.wait_for(lambda: any(answer.id == request.id for answer in self.answers), ANSWER_S)
        for answer in self.answers:
            if answer.id == request.id:
                return answer
        raise HeldError(
            f"site {self.site_id}",
            f"no answer within {ANSWER_S:g} s",
            "The request may still act until it expires; see: vpp status SITE.yaml",
        )


@asynccontextmanager
async def visit(site_id: str, address: Address, operator: str = "visitor") -> AsyncIterator[Visit]:
    """Connect to a site's broker for a while.

    Raises:
        UnreachableBrokerError: there is no broker.

    """
    topics = Topics(site_id)
    made: list[Visit] = []
    session = Session(
        client_id=f"vpp-{uuid.uuid4().hex[:12]}",
        receive=lambda incoming: _receive(made[0], incoming),
        subscriptions=(
            Subscription(topics.dispatcher_state),
            Subscription(topics.dispatcher_status),
            Subscription(topics.response(operator)),
        ),
        largest_bytes=LARGEST_STATUS_BYTES,
    )
    link = MqttLink(address, session, topics.heartbeat(session.client_id), timing=Timing(tries_at_start=3))
    made.append(Visit(site_id, link, topics))
    running, up = asyncio.create_task(link.run()), asyncio.create_task(link.wait_up())
    try:
        await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        yield made[0]
    finally:
        up.cancel()
        link.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await asyncio.gather(running, return_exceptions=True)
        running.cancel()
        await asyncio.gather(running, up, return_exceptions=True)


def _receive(to: Visit, incoming: Incoming) -> None:
    topic = to.topics.parse(incoming.topic)
    match topic:
        case DispatcherTopic(DispatcherKind.STATE):
            to.is_online = read_dispatcher_state(incoming.payload).is_online
        case DispatcherTopic(DispatcherKind.STATUS):
            if not incoming.is_retained or to.status is None:
                to.status = read_document(incoming.payload, LARGEST_STATUS_BYTES)
        case OperatorTopic(operator, is_answer=True):
            to.answers.append(read_answer(operator, incoming.payload))
        case _:
            raise MessageError("topic", f"{incoming.topic} was not asked for")
    to.news.set()
