"""Messages inside one process behave as on a broker, in the order of sending and at once."""

import time

import pytest

from adapters.memory import MemoryBroker, MemoryLink, matches
from adapters.messages import MessageError
from adapters.port import Incoming, Outgoing
from adapters.session import Session, Subscription


def link(broker, client_id, *filters, receive=None, **session):
    heard = []
    subscriptions = tuple(Subscription(filter_) for filter_ in filters)
    made = MemoryLink(broker, Session(client_id, receive or heard.append, subscriptions, **session))
    made.connect()
    return made, heard


@pytest.mark.parametrize(
    ("filter_", "topic", "is_heard"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+", "a/b/c", False),
        ("+/b", "a/b", True),
        ("+/+", "/b", True),
        ("+", "/b", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
    ],
)
def test_a_filter_hears_what_the_standard_says(filter_, topic, is_heard):
    """Cases of MQTT 3.1.1, sections 4.7.1 and 4.7.2."""
    assert matches(filter_.split("/"), topic.split("/")) is is_heard


def test_messages_arrive_in_the_order_of_sending_also_where_one_answers_another():
    broker, heard = MemoryBroker(), []
    device, _ = link(broker, "device", "cmd", receive=lambda _: device.send(Outgoing("ack", b"")))
    link(broker, "observer", "#", receive=lambda message: heard.append(message.topic))
    sender, _ = link(broker, "sender")
    sender.send(Outgoing("cmd", b"1"))
    sender.send(Outgoing("cmd", b"2"))
    assert heard == ["cmd", "ack", "cmd", "ack"]


def test_a_retained_message_waits_for_who_comes_later_until_an_empty_one_clears_it():
    broker = MemoryBroker()
    sender, _ = link(broker, "sender")
    sender.send(Outgoing("birth", b"x", is_retained=True))
    sender.send(Outgoing("tele", b"y"))
    _, heard = link(broker, "late", "#")
    assert heard == [Incoming("birth", b"x", is_retained=True)]
    sender.send(Outgoing("birth", b"z", is_retained=True))
    assert heard[1:] == [Incoming("birth", b"z", is_retained=False)]
    sender.send(Outgoing("birth", b"", is_retained=True))
    assert link(broker, "later", "#")[1] == []
    assert broker.retained("birth") is None


def test_a_lost_client_leaves_its_will_and_an_orderly_one_its_farewell():
    broker = MemoryBroker()
    _, heard = link(broker, "observer", "#")
    lost, _ = link(broker, "lost", will=lambda: Outgoing("state", b"lost"))
    gone, _ = link(broker, "gone", will=lambda: Outgoing("state", b"lost too"))
    lost.drop()
    gone.disconnect((Outgoing("state", b"bye"),))
    assert [message.payload for message in heard] == [b"lost", b"bye"]
    assert not lost.is_up
    assert not gone.is_up
    assert gone.send(Outgoing("state", b"?")) is False
    assert gone.counters.unsent == 1


def test_what_comes_while_a_client_is_away_is_not_kept_for_it():
    broker = MemoryBroker()
    device, heard = link(broker, "device", "cmd")
    sender, _ = link(broker, "sender")
    device.drop()
    sender.send(Outgoing("cmd", b"stale"))
    device.connect()
    sender.send(Outgoing("cmd", b"fresh"))
    assert [message.payload for message in heard] == [b"fresh"]


def test_a_second_client_of_one_id_takes_over():
    broker = MemoryBroker()
    first, heard = link(broker, "device", "cmd", will=lambda: Outgoing("state", b"taken over"))
    observer = link(broker, "observer", "state")[1]
    second, heard_by_second = link(broker, "device", "cmd")
    second.send(Outgoing("cmd", b"x"))
    assert not first.is_up
    assert heard == []
    assert len(heard_by_second) == 1
    assert observer[0].payload == b"taken over"


def test_greeting_and_will_are_made_anew_on_every_connection():
    broker, numbers = MemoryBroker(), iter(range(10))
    heard = link(broker, "observer", "#")[1]
    device, _ = link(
        broker,
        "device",
        will=lambda: Outgoing("will", str(next(numbers)).encode()),
        greeting=lambda: [Outgoing("birth", str(next(numbers)).encode())],
    )
    device.drop()
    device.connect()
    device.drop()
    assert [(message.topic, message.payload) for message in heard] == [
        ("birth", b"1"),
        ("will", b"0"),
        ("birth", b"3"),
        ("will", b"2"),
    ]
    assert device.counters.reconnects == 1


def test_what_is_too_long_or_refused_by_the_receiver_is_counted():
    def receive(message):
        if message.payload == b"bad":
            raise MessageError("json", "no JSON")

    broker = MemoryBroker()
    receiver, _ = link(broker, "receiver", "t", receive=receive)
    sender, _ = link(broker, "sender")
    for payload in (b"good", b"bad", b"x" * 20_000, b"x" * 20_001):
        sender.send(Outgoing("t", payload))
    assert (receiver.counters.received, receiver.counters.refused) == (4, 2)


def test_two_filters_that_overlap_bring_a_message_once():
    broker = MemoryBroker()
    sender, _ = link(broker, "sender")
    _, heard = link(broker, "observer", "a/#", "a/+")
    sender.send(Outgoing("a/b", b""))
    assert len(heard) == 1


def test_a_simulated_day_of_messages_takes_seconds():
    broker = MemoryBroker()
    link(broker, "dispatcher", *(f"s/{asset}/tele" for asset in range(50)), receive=lambda _: None)
    sender, _ = link(broker, "device")
    messages = [Outgoing(f"s/{asset}/tele", b"{}", qos=0) for asset in range(50)]
    began = time.process_time()
    for _ in range(1_000):
        for message in messages:
            sender.send(message)
    used_s = time.process_time() - began
    assert used_s * 10 < 20, "a day is ten times as many"
