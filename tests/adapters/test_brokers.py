"""What the dispatcher's safety leans on, seen from outside a broker, on the embedded one and on mosquitto."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiomqtt
import pytest

from adapters.broker import BrokerError, EmbeddedBroker
from adapters.port import Incoming, Outgoing
from tests.adapters.links import linked, until
from tests.brokers import free_port


def connect_packet(client_id: str, will_topic: str, keepalive_s: int) -> bytes:
    """CONNECT of MQTT 3.1.1 (section 3.1): clean session, and a will of quality 1."""

    def text(value: str) -> bytes:
        return len(value).to_bytes(2, "big") + value.encode()

    body = text("MQTT") + bytes([4, 0b0000_1110]) + keepalive_s.to_bytes(2, "big")
    body += text(client_id) + text(will_topic) + text("lost")
    return bytes([0x10, len(body)]) + body


def test_a_client_that_falls_silent_leaves_its_will(broker):
    async def scenario():
        async with linked(broker.url, "observer", "state/+") as (_, heard):
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
            writer.write(connect_packet("silent", "state/silent", keepalive_s=1))
            assert await reader.readexactly(4) == b"\x20\x02\x00\x00", "CONNACK, accepted"
            began = time.monotonic()
            await until(lambda: heard)
            writer.close()
            return heard, time.monotonic() - began

    heard, waited_s = asyncio.run(scenario())
    assert heard == [Incoming("state/silent", b"lost", is_retained=False)]
    assert waited_s < 10, "mosquitto looks every 5 s"


def test_a_client_that_is_cut_off_leaves_its_will_at_once(broker):
    async def scenario():
        async with linked(broker.url, "observer", "state/+") as (_, heard):
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
            writer.write(connect_packet("cut", "state/cut", keepalive_s=60))
            await reader.readexactly(4)
            writer.close()
            await until(lambda: heard, 2)
            return heard[0].payload

    assert asyncio.run(scenario()) == b"lost"


def test_a_retained_message_is_marked_and_an_empty_one_clears_it(broker):
    async def scenario():
        async with linked(broker.url, "sender") as (sender, _):
            sender.send(Outgoing("birth/a", b"x", is_retained=True))
            sender.send(Outgoing("birth/b", b"y", is_retained=True))
            sender.send(Outgoing("birth/b", b"", is_retained=True))
            await until(lambda: sender.counters.sent == 3)
            async with linked(broker.url, "late", "birth/#") as (_, heard):
                await until(lambda: heard)
                await asyncio.sleep(0.2)
                async with linked(broker.url, "stranger", "tele/#") as (_, unasked):
                    await asyncio.sleep(0.2)
                    return heard, unasked

    heard, unasked = asyncio.run(scenario())
    assert heard == [Incoming("birth/a", b"x", is_retained=True)]
    assert unasked == [], "nobody is sent what it did not subscribe to"


def test_a_retained_command_can_be_told_from_a_fresh_one(broker):
    async def scenario():
        async with linked(broker.url, "attacker") as (attacker, _):
            attacker.send(Outgoing("bess1/cmd", b"retained", is_retained=True))
            await until(lambda: attacker.counters.sent == 1)
            async with linked(broker.url, "device", "bess1/cmd") as (_, heard):
                await until(lambda: heard)
                attacker.send(Outgoing("bess1/cmd", b"fresh"))
                await until(lambda: len(heard) == 2)
                return heard

    assert [(message.payload, message.is_retained) for message in asyncio.run(scenario())] == [
        (b"retained", True),
        (b"fresh", False),
    ]


def test_a_second_client_of_one_id_ends_the_first(broker):
    async def scenario():
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(connect_packet("twin", "state/twin", keepalive_s=60))
        await reader.readexactly(4)
        second, other = await asyncio.open_connection("127.0.0.1", broker.port)
        other.write(connect_packet("twin", "state/twin", keepalive_s=60))
        await second.readexactly(4)
        async with asyncio.timeout(5):
            rest = await reader.read()
        writer.close()
        other.close()
        return rest

    assert asyncio.run(scenario()) == b"", "the broker closes the first connection"


def test_messages_wait_for_a_client_that_asked_for_it(broker):
    async def scenario():
        def client():
            return aiomqtt.Client("127.0.0.1", broker.port, identifier="sleeper", clean_session=False)

        async with client() as sleeper:
            await sleeper.subscribe("op/+", qos=1)
        async with linked(broker.url, "sender") as (sender, _):
            for number in range(3):
                sender.send(Outgoing("op/x", str(number).encode()))
            await until(lambda: sender.counters.sent == 3)
        async with client() as sleeper, asyncio.timeout(10):
            return [(await anext(sleeper.messages)).payload for _ in range(3)]

    assert asyncio.run(scenario()) == [b"0", b"1", b"2"]


def test_the_embedded_broker_is_reachable_from_this_machine_only():
    with EmbeddedBroker() as broker:
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listening = [line[1] for line in sockets if line[3] == "0A"]
    port = f"{broker.port:04X}"
    assert [address for address in listening if address.endswith(port)] == [f"0100007F:{port}"]


def test_the_embedded_broker_ends_with_its_context_and_starts_again_on_its_port():
    broker = EmbeddedBroker(free_port())
    for _ in range(2):
        with broker:
            assert broker.is_running
            with socket.create_connection(("127.0.0.1", broker.port)):
                pass
        assert not broker.is_running
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", broker.port)) != 0
    broker.stop()


def test_a_port_that_is_taken_is_named():
    with EmbeddedBroker() as first, pytest.raises(BrokerError, match=rf"cannot listen on 127\.0\.0\.1:{first.port}"):
        EmbeddedBroker(first.port).start()


def test_the_embedded_broker_ends_when_its_process_is_killed():
    program = "from adapters.broker import *; b = EmbeddedBroker(); b.start(); print(b.port, flush=True); input()"
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        port = int(owner.stdout.readline())
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.05)
    pytest.fail("the broker outlives its process")


def test_a_status_of_a_large_site_fits_through_the_embedded_broker():
    async def scenario(url):
        async with linked(url, "reader", "status", largest_bytes=4_000_000) as (link, heard):
            link.send(Outgoing("status", b"x" * 3_000_000))
            await until(lambda: heard)
            return len(heard[0].payload)

    with EmbeddedBroker() as broker:
        assert asyncio.run(scenario(broker.url)) == 3_000_000


def test_the_embedded_broker_writes_nothing_to_the_terminal(capfd):
    async def scenario(url):
        async with linked(url, "client", "#") as (link, heard):
            link.send(Outgoing("t", b"x"))
            await until(lambda: heard)

    with EmbeddedBroker() as broker:
        asyncio.run(scenario(broker.url))
    assert capfd.readouterr() == ("", "")
