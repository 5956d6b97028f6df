"""A link to a real broker that is frozen, killed, restarted or slow, and what it never does."""

import asyncio
import threading
import time
from dataclasses import replace

import aiomqtt
import pytest

from adapters.messages import MessageError
from adapters.mqtt import UnreachableBrokerError, _Inbox
from adapters.port import Outgoing
from adapters.session import Counters
from tests.adapters.links import QUICK, linked, make, until
from tests.brokers import Embedded, free_port
from tests.proxy import network


def payloads(heard):
    return [message.payload for message in heard]


def test_a_set_point_that_was_sent_into_a_frozen_broker_is_never_delivered(mosquitto):
    """Re-entering one client object of the library delivers STALE, then FRESH; over MQTT 5 even FRESH, then STALE."""

    async def scenario():
        async with (
            network(mosquitto.port) as net,
            linked(mosquitto.url, "device", "bess1/cmd") as (device, heard),
            linked(f"mqtt://127.0.0.1:{net.port}", "sender", timing=replace(QUICK, answer_s=1)) as (sender, _),
        ):
            mosquitto.freeze()
            assert sender.send(Outgoing("bess1/cmd", b"STALE")), "nobody knows yet"
            await until(lambda: not sender.is_up and not device.is_up)
            assert sender.send(Outgoing("bess1/cmd", b"TOO LATE")) is False
            counted = (sender.counters.sent, sender.counters.unknown, sender.counters.unsent)
            net.is_refusing = True
            mosquitto.kill()
            mosquitto.start()
            await until(lambda: device.is_up)
            net.is_refusing = False
            await until(lambda: sender.is_up)
            sender.send(Outgoing("bess1/cmd", b"FRESH"))
            await until(lambda: heard)
            await asyncio.sleep(1)
            return payloads(heard), counted

    heard, counted = asyncio.run(scenario())
    assert heard == [b"FRESH"]
    assert counted == (0, 1, 1), "the first is unknown, the second was not sent"


def test_a_frozen_broker_is_noticed_in_less_than_five_seconds(broker):
    async def scenario():
        link, _ = make(broker.url, "client")
        run = asyncio.create_task(link.run())
        await until(lambda: link.is_up)
        await asyncio.sleep(0.3)
        broker.freeze()
        began = time.monotonic()
        await until(lambda: not link.is_up)
        noticed_s = time.monotonic() - began
        why = link.why_down
        broker.thaw()
        await until(lambda: link.is_up)
        link.close()
        await run
        return noticed_s, why

    noticed_s, why = asyncio.run(scenario())
    assert 2.5 < noticed_s < 5
    assert why == "it has passed nothing on for 3 s; does it let us use test/beat/client?"


def test_a_broker_that_restarts_three_times_finds_every_subscription_again(broker):
    async def scenario():
        births = iter(range(10))
        async with linked(
            broker.url, "client", "cmd/+", "birth", greeting=lambda: [Outgoing("birth", b"%d" % next(births))]
        ) as (link, heard):
            for restart in range(3):
                await until(lambda restart=restart: len(heard) == 2 * restart + 1)
                link.send(Outgoing("cmd/x", b"%d" % restart))
                await until(lambda restart=restart: len(heard) == 2 * restart + 2)
                broker.kill()
                broker.start()
                await until(lambda restart=restart: link.counters.reconnects == restart + 1)
            return [(message.topic, message.payload) for message in heard[:6]]

    assert asyncio.run(scenario()) == [
        ("birth", b"0"),
        ("cmd/x", b"0"),
        ("birth", b"1"),
        ("cmd/x", b"1"),
        ("birth", b"2"),
        ("cmd/x", b"2"),
    ]


def test_what_waits_is_thrown_away_with_the_connection(broker):
    async def scenario():
        async with linked(broker.url, "client", "cmd") as (link, heard):
            broker.freeze()
            for number in range(500):
                link.send(Outgoing("cmd", b"%d" % number))
            await until(lambda: not link.is_up)
            broker.kill()
            lost = link.counters.unknown + link.counters.unsent
            broker.start()
            await until(lambda: link.is_up)
            await asyncio.sleep(0.5)
            return lost, heard, link.counters

    lost, heard, counters = asyncio.run(scenario())
    assert heard == []
    assert lost == 500
    assert counters.sent == 0
    assert counters.unknown <= 65, "not more than may be in flight"


def test_duplicates_and_old_messages_are_passed_on_as_they_come(broker):
    async def scenario():
        async with linked(broker.url, "client", "cmd") as (link, heard):
            for number in (3, 1, 1, 2):
                link.send(Outgoing("cmd", b"%d" % number))
            await until(lambda: len(heard) == 4)
            return payloads(heard)

    assert asyncio.run(scenario()) == [b"3", b"1", b"1", b"2"]


def test_a_thousand_set_points_arrive_in_their_order(broker):
    async def scenario():
        async with linked(broker.url, "client", "cmd/+") as (link, heard):
            sent = [b"%d" % number for number in range(1000)]
            for number, payload in enumerate(sent):
                link.send(Outgoing(f"cmd/{number % 7}", payload))
            await until(lambda: len(heard) == len(sent))
            await until(lambda: link.counters.sent == len(sent))
            return payloads(heard) == sent

    assert asyncio.run(scenario())


def test_a_message_that_is_too_long_or_refused_is_counted_and_the_next_one_arrives(mosquitto):
    heard = []

    def receive(message):
        if message.payload == b"bad":
            raise MessageError("json", "no JSON")
        heard.append(message)

    async def scenario():
        async with linked(mosquitto.url, "client", "tele", receive=receive) as (link, _):
            for payload in (b"x" * 20_001, b"bad", b"good"):
                link.send(Outgoing("tele", payload))
            await until(lambda: heard)
            return link.counters.received, link.counters.refused

    assert asyncio.run(scenario()) == (3, 2)
    assert payloads(heard) == [b"good"]


def test_a_message_that_the_broker_refuses_does_not_end_the_link(broker):
    async def scenario():
        async with linked(broker.url, "client", "status") as (link, heard):
            link.send(Outgoing("status", b"x" * 1_000_000))
            await until(lambda: link.counters.received or link.counters.reconnects)
            await until(lambda: link.is_up)
            link.send(Outgoing("status", b"small"))
            await until(lambda: heard)
            return payloads(heard)

    assert asyncio.run(scenario()) == [b"small"]


def test_what_fits_no_more_is_dropped_and_counted(broker):
    async def scenario():
        async with linked(broker.url, "client", "t", inbox_size=10, outbox_size=20) as (link, heard):
            taken = [link.send(Outgoing("t", b"x")) for _ in range(30)]
            await until(lambda: link.counters.received + link.counters.dropped == 20)
            return taken, link.counters, len(heard)

    taken, counters, heard = asyncio.run(scenario())
    assert taken == [True] * 20 + [False] * 10
    assert counters.unsent == 10
    assert heard == counters.received


def test_a_full_inbox_drops_and_counts_and_never_a_heartbeat():
    counters = Counters()
    inbox = _Inbox(counters, "beat", 2)

    def arrive(topic):
        inbox.put_nowait(aiomqtt.Message(topic, b"", 0, retain=False, mid=0, properties=None))

    for topic in ("t", "t", "t", "beat"):
        arrive(topic)
    assert (inbox.qsize(), counters.dropped, inbox.has_beat) == (2, 1, True)


def test_an_unreachable_broker_ends_the_start_with_address_reason_and_tries():
    port = free_port()
    link, _ = make(f"mqtt://127.0.0.1:{port}", "client", timing=replace(QUICK, tries_at_start=3))
    with pytest.raises(UnreachableBrokerError) as failed:
        asyncio.run(link.run())
    text = f"the broker at 127.0.0.1:{port}: cannot be reached: Connection refused (tried 3 times)"
    assert str(failed.value).startswith(text)
    assert failed.value.tries == 3


def test_a_broker_that_was_reached_once_is_waited_for(broker):
    async def scenario():
        async with linked(broker.url, "client", timing=replace(QUICK, tries_at_start=1)) as (link, _):
            broker.kill()
            await asyncio.sleep(2)
            assert not link.is_up
            broker.start()
            await until(lambda: link.is_up)

    asyncio.run(scenario())


def test_a_broker_that_comes_late_is_found():
    async def scenario():
        broker = Embedded()
        link, _ = make(broker.url, "client", timing=replace(QUICK, tries_at_start=None))
        run = asyncio.create_task(link.run())
        await asyncio.sleep(1)
        with broker:
            await until(lambda: link.is_up)
            link.close()
            await run

    asyncio.run(scenario())


def test_closing_sends_the_farewell_last_and_no_will(broker):
    async def scenario():
        async with linked(broker.url, "observer", "#") as (_, heard):
            link, _ = make(broker.url, "client", will=lambda: Outgoing("state", b"lost"))
            run = asyncio.create_task(link.run())
            await until(lambda: link.is_up)
            link.send(Outgoing("resp", b"last answer"))
            link.close([Outgoing("state", b"bye", is_retained=True)])
            await run
            await asyncio.sleep(0.3)
            return [message.payload for message in heard if not message.topic.startswith("test/beat")]

    assert asyncio.run(scenario()) == [b"last answer", b"bye"]


def test_a_cancelled_link_publishes_nothing_and_leaves_no_task_or_thread(broker):
    async def scenario():
        async with linked(broker.url, "observer", "state") as (_, heard):
            link, _ = make(broker.url, "client", will=lambda: Outgoing("state", b"lost"))
            run = asyncio.create_task(link.run())
            await until(lambda: link.is_up)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            await asyncio.sleep(0.3)
        return heard, asyncio.all_tasks() - {asyncio.current_task()}

    threads = threading.active_count()
    heard, tasks = asyncio.run(scenario())
    assert heard == []
    assert not tasks
    assert threading.active_count() == threads


def test_a_link_that_is_cancelled_just_as_the_broker_answers_ends(broker, monkeypatch):
    """Up to Python 3.11 `asyncio.wait_for`, in which the library waits for answers, forgets such a cancellation."""

    async def scenario():
        link, _ = make(broker.url, "client")
        run = asyncio.create_task(link.run())

        async def answered_as_cancelled(*_, **__):
            loop = asyncio.get_running_loop()
            answer = loop.create_future()
            loop.call_soon(answer.set_result, None)
            loop.call_soon(run.cancel)
            await asyncio.wait_for(answer, 5)

        monkeypatch.setattr(aiomqtt.Client, "publish", answered_as_cancelled)
        done, _ = await asyncio.wait((run,), timeout=3)
        link.close()
        return done == {run} and run.cancelled()

    assert asyncio.run(scenario())


def test_a_killed_client_leaves_its_will_as_it_was_on_the_last_connection(mosquitto):
    async def scenario():
        numbers = iter(range(10))
        async with linked(mosquitto.url, "observer", "state") as (observer, heard):
            async with linked(mosquitto.url, "client", will=lambda: Outgoing("state", b"%d" % next(numbers))) as (
                link,
                _,
            ):
                mosquitto.kill()
                mosquitto.start()
                await until(lambda: link.counters.reconnects and observer.counters.reconnects)
                async with linked(mosquitto.url, "client"):
                    await until(lambda: heard)
                    link.close()
            return payloads(heard)[0]  # the two that share a name may have thrown each other out once more

    assert asyncio.run(scenario()) == b"1"


def test_connecting_to_a_frozen_broker_does_not_hold_up_the_loop(mosquitto):
    async def scenario():
        mosquitto.freeze()
        link, _ = make(mosquitto.url, "client", timing=replace(QUICK, answer_s=1, tries_at_start=1))
        run = asyncio.create_task(link.run())
        worst_s, last = 0.0, time.monotonic()
        while not run.done():
            await asyncio.sleep(0.01)
            worst_s, last = max(worst_s, time.monotonic() - last), time.monotonic()
        with pytest.raises(UnreachableBrokerError, match="no answer within 1 s"):
            run.result()
        return worst_s

    assert asyncio.run(scenario()) < 0.25


def test_many_filters_are_subscribed_on_one_link(broker):
    async def scenario():
        filters = [f"vpp/v1/tiny/{'a' * 50}{number}/tele" for number in range(800)]
        async with linked(broker.url, "client", *filters) as (link, heard):
            link.send(Outgoing(filters[-1], b"x"))
            await until(lambda: heard)
            return heard[0].topic == filters[-1]

    assert asyncio.run(scenario())


def test_a_message_to_a_filter_is_a_mistake_that_is_told_at_once(broker):
    async def scenario():
        async with linked(broker.url, "client") as (link, _):
            with pytest.raises(ValueError, match="is a filter"):
                link.send(Outgoing("cmd/+", b""))

    asyncio.run(scenario())


def test_a_receiver_that_fails_ends_the_link_with_its_error(broker):
    async def scenario():
        def receive(_):
            raise ZeroDivisionError

        link, _ = make(broker.url, "client", "t", receive=receive)
        run = asyncio.create_task(link.run())
        await until(lambda: link.is_up)
        link.send(Outgoing("t", b""))
        with pytest.raises(ExceptionGroup) as failed:
            await run
        assert failed.group_contains(ZeroDivisionError)

    asyncio.run(scenario())
