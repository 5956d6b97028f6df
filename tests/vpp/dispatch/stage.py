"""A dispatcher on a broker in memory, with devices and operators played by hand and a clock turned by hand."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from adapters.device_messages import ack_bytes, birth_bytes, read_command, state_bytes, telemetry_bytes
from adapters.market_messages import signal_bytes
from adapters.memory import MemoryBroker, MemoryLink
from adapters.operator_messages import request_bytes
from adapters.port import Outgoing
from adapters.protocols import dialect
from adapters.session import Session, Subscription
from adapters.topics import Topics
from tests.snapshots import LEASE_S, NOW, telemetry
from vpp.dispatch.desk import Desk
from vpp.dispatch.dispatcher import Dispatcher
from vpp.dispatch.post import Post
from vpp.dispatch.tick import Settings
from vpp.dispatch.turn import Turn
from vpp.domain.command import Ack, AckStatus, Presence
from vpp.domain.market import MarketSignal
from vpp.domain.override import Action, Request
from vpp.domain.telemetry import Birth, Lease, Verdict
from vpp.domain.unit import Connection, Fallback, Mode
from vpp.journal import JournalError
from vpp.records import Entry

EPOCH = 3
TOPICS = Topics("tiny")
WIDE = Connection(1e6, 1e6)


class Shelf:
    """A recorder that keeps entries in a list, and fails while its disk is full."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.is_full = False
        self.tries = 0

    async def append(self, entries: Sequence[Entry]) -> None:
        """Keep entries."""
        self.tries += 1
        if self.is_full:
            raise JournalError("journal.db", "database or disk is full")
        self.entries += entries

    def bodies(self, kind):
        """What was written of one kind."""
        return [entry.body for entry in self.entries if isinstance(entry.body, kind)]


class Stage:
    """One site, `tiny`, led by a dispatcher of term 3."""

    def __init__(self, *units, connection=WIDE, recorder=None, lease_s=LEASE_S, **desk):
        self.now, self.mono_s = NOW, 5000.0
        self.units = units
        self.are_deaf = False
        """Whether devices hear no command."""
        self.recorder = recorder or Shelf()
        settings = Settings("tiny", units, connection, 1.0, lease_s)
        self.dispatcher = Dispatcher(settings, EPOCH, Desk("tiny", units, **desk))
        self.post = Post(
            self.dispatcher, TOPICS, {u.id: dialect("vpp") for u in units}, "instance1", {"regulation": 50.0}
        )
        self.broker = MemoryBroker()
        self.link = MemoryLink(
            self.broker,
            Session(
                "dispatcher",
                lambda incoming: self.post.receive(incoming, self.now, self.mono_s),
                self.post.subscriptions(),
                lambda: self.post.greeting(self.now),
                lambda: self.post.will(self.now),
            ),
        )
        self.heard = []
        """Every message of the site, in order."""
        listener = MemoryLink(self.broker, Session("listener", self.heard.append, (Subscription("vpp/v1/#"),)))
        listener.connect()
        self.link.connect()
        self.turns = Turn(self.dispatcher, self.post, self.link, self.recorder)
        self._seqs = dict.fromkeys((u.id for u in units), 0)
        self._boots = {}
        self._told = {}
        self._request_seq = 0

    # What devices and others say

    def publish(self, topic, payload, *, is_retained=False):
        """Any message from outside."""
        self.broker.publish(Outgoing(topic, payload, is_retained=is_retained))

    def born(self, *names, boot_id="b1"):
        """Devices announce themselves."""
        for name in names or self._seqs:
            self._boots[name], self._seqs[name] = boot_id, 0
            birth = Birth(name, boot_id, self.now, 100.0, 100.0, None, (Mode.GFL,), Fallback.HOLD, True)
            self.publish(TOPICS.birth(name), birth_bytes(birth), is_retained=True)
            self.present(name, boot_id=boot_id)

    def present(self, name, *, is_online=True, boot_id="b1"):
        """A device, or its will, says whether it is there."""
        said = state_bytes(Presence(name, is_online, self.now, boot_id))
        self.publish(TOPICS.state(name), said, is_retained=True)

    def tell(self, name, export_kw=0.0, stored_kwh=100.0, **fields):
        """A device sends telemetry."""
        self._seqs[name] += 1
        self._told[name] = (export_kw, stored_kwh, fields)
        given = {"at": self.now, "boot_id": self._boots.get(name, "b1"), "seq": self._seqs[name]} | fields
        self.publish(TOPICS.tele(name), telemetry_bytes(telemetry(name, export_kw, stored_kwh, **given)))

    def tell_all(self, **export_kw):
        """All devices send telemetry, at rest unless a power is given."""
        for name in self._seqs:
            self.tell(name, export_kw.get(name, 0.0))

    def tell_again(self):
        """Devices that are not silent tell the same once more."""
        for name, (export_kw, stored_kwh, fields) in list(self._told.items()):
            if self.reading(name).verdict is not Verdict.STALE:
                self.tell(name, export_kw, stored_kwh, **fields)

    def ack(self, name, status=AckStatus.ACCEPTED, reason="", *, epoch=EPOCH, seq=None):
        """A device answers its last command, or another one."""
        last = self.commands(name)[-1].seq if seq is None else seq
        self.publish(TOPICS.ack(name), ack_bytes(Ack(name, f"{epoch}-{last}", epoch, last, self.now, status, reason)))

    def ask(self, action, value=None, asset="bess1", *, is_retained=False, **fields):
        """An operator asks for something."""
        self._request_seq += 1
        request = Request(
            id=f"r{self._request_seq}",
            operator="ada",
            site="tiny",
            asset=asset,
            action=Action(action),
            at=self.now,
            expires=self.now + timedelta(seconds=30),
            duration_s=600.0,
            reason="a test",
            seq=self._request_seq,
            value=value,
        )
        request = replace(request, **fields)
        self.publish(TOPICS.request(request.operator), request_bytes(request), is_retained=is_retained)
        return request

    def signal(self, value, *, age_s=0.0, product="regulation"):
        """A market asks for regulation."""
        at = self.now - timedelta(seconds=age_s)
        self.publish(TOPICS.signal(product), signal_bytes(MarketSignal(product, at, value)))

    # What time does

    def turn(self, seconds=1.0):
        """Let time pass, then one turn, after which devices say that they have begun, unless they are deaf."""
        self.now += timedelta(seconds=seconds)
        self.mono_s += seconds
        heard_count = len(self.heard)
        tick = asyncio.run(self.turns.take(self.now, self.mono_s))
        for name in () if self.are_deaf else self._seqs:
            for message in self.heard[heard_count:]:
                if message.topic == TOPICS.cmd(name) and message.payload:
                    self.ack(name, AckStatus.STARTED, seq=read_command(name, message.payload).seq)
        return tick

    def run(self, count, *, lease=None, **export_kw):
        """So many turns, all devices telling the same power before each."""
        for _ in range(count):
            for name in self._seqs:
                self.tell(name, export_kw.get(name, 0.0), lease=lease)
            self.turn()

    def started(self, **export_kw):
        """All devices announced and heard, and one turn taken."""
        self.born()
        self.tell_all(**export_kw)
        self.turn()
        return self

    # What came of it

    def documents(self, topic):
        """What was said on a topic, in order; nothing stands for an empty payload."""
        return [json.loads(m.payload) if m.payload else None for m in self.heard if m.topic == topic]

    def commands(self, name):
        """Commands that went to a device, in order."""
        topic = TOPICS.cmd(name)
        return [read_command(name, m.payload) for m in self.heard if m.topic == topic and m.payload]

    def answers(self, operator="ada"):
        """What an operator was told, in order: status and code."""
        return [(a["status"], a["code"]) for a in self.documents(TOPICS.response(operator))]

    def answer(self, operator="ada"):
        """What an operator was told last."""
        return self.documents(TOPICS.response(operator))[-1]

    def alarms(self):
        """Alarms that stand, by code and asset."""
        return {(alarm.code, alarm.asset): alarm for alarm in self.dispatcher.alarms.standing()}

    def retained(self, topic):
        """What a new subscriber would find."""
        payload = self.broker.retained(topic)
        return None if payload is None else json.loads(payload)

    def reading(self, name):
        """What is known of a device now."""
        return self.dispatcher.mailbox.readings(self.mono_s)[name]


def led(seq=1, epoch=EPOCH):
    """The lease of a device that follows this dispatcher, or another one."""
    return Lease(epoch, seq, 40_000)
