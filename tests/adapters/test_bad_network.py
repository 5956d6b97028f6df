"""A link over a network that is slow, fragmented, cut or dead: nothing hangs, nothing grows, nothing is sent late."""

import asyncio
import time

from adapters.port import Outgoing
from tests.adapters.links import linked, make, until
from tests.proxy import network


def test_a_link_in_pieces_of_one_byte_carries_every_message(broker):
    async def scenario():
        async with (
            network(broker.port, piece_bytes=1) as net,
            linked(f"mqtt://127.0.0.1:{net.port}", "client", "t") as (link, heard),
        ):
            sent = [b"%d" % number * 30 for number in range(100)]
            for payload in sent:
                link.send(Outgoing("t", payload))
            await until(lambda: len(heard) == 100)
            assert link.counters.reconnects == 0
            return [message.payload for message in heard] == sent

    assert asyncio.run(scenario())


def test_a_slow_link_does_not_wait_for_one_answer_before_the_next_message(broker):
    async def scenario():
        async with (
            network(broker.port, latency_s=0.1) as net,
            linked(f"mqtt://127.0.0.1:{net.port}", "client", "t") as (link, heard),
        ):
            began = time.monotonic()
            for number in range(60):
                link.send(Outgoing("t", b"%d" % number))
            await until(lambda: len(heard) == 60)
            assert link.counters.reconnects == 0
            return time.monotonic() - began

    assert asyncio.run(scenario()) < 6, "60 round trips of 0.2 s one by one would take 12 s"


def test_a_connection_that_is_cut_in_a_packet_is_made_again_and_sends_nothing_twice(broker):
    async def scenario():
        async with (
            linked(broker.url, "observer", "t") as (_, heard),
            network(broker.port) as net,
            linked(f"mqtt://127.0.0.1:{net.port}", "client") as (link, _),
        ):
            net.cut_after_bytes = 50
            link.send(Outgoing("t", b"x" * 1000))
            await until(lambda: link.counters.reconnects == 1)
            link.send(Outgoing("t", b"fresh"))
            await until(lambda: heard)
            await asyncio.sleep(0.3)
            return [message.payload for message in heard], link.counters

    heard, counters = asyncio.run(scenario())
    assert heard == [b"fresh"]
    assert (counters.sent, counters.unknown) == (1, 1)


def test_a_dead_network_is_noticed_and_the_next_connection_is_a_new_one(broker):
    async def scenario():
        async with (
            linked(broker.url, "observer", "t") as (_, heard),
            network(broker.port) as net,
            linked(f"mqtt://127.0.0.1:{net.port}", "client") as (link, _),
        ):
            net.is_dead = True
            began = time.monotonic()
            for number in range(100):
                link.send(Outgoing("t", b"%d" % number))
            await until(lambda: not link.is_up)
            noticed_s = time.monotonic() - began
            lost = link.counters.unknown + link.counters.unsent
            net.cut()
            net.is_dead = False
            await until(lambda: link.is_up)
            assert net.connections > 1
            return noticed_s, lost, [message.payload for message in heard]

    noticed_s, lost, heard = asyncio.run(scenario())
    assert noticed_s < 5
    assert lost == 100
    assert heard == []


def test_a_link_ends_in_time_also_over_a_dead_network(broker):
    async def scenario():
        async with network(broker.port) as net:
            link, _ = make(f"mqtt://127.0.0.1:{net.port}", "client")
            run = asyncio.create_task(link.run())
            await until(lambda: link.is_up)
            net.is_dead = True
            began = time.monotonic()
            link.send(Outgoing("t", b"last"))
            link.close([Outgoing("state", b"bye")])
            await run
            return time.monotonic() - began, link.counters.unknown

    ended_s, unknown = asyncio.run(scenario())
    assert ended_s < 7
    assert unknown == 2
