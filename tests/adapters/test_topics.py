"""Every topic of the interface, both ways."""

import pytest

from adapters.messages import MessageError
from adapters.topics import (
    AlarmTopic,
    DeviceKind,
    DeviceTopic,
    DispatcherKind,
    DispatcherTopic,
    FeedTopic,
    MarketKind,
    MarketTopic,
    OperatorTopic,
    PlanTopic,
    Topics,
)

TOPICS = Topics("tiny")
WRITTEN = [
    (TOPICS.birth("bess1"), "vpp/v1/tiny/bess1/birth", DeviceTopic("bess1", DeviceKind.BIRTH)),
    (TOPICS.state("bess1"), "vpp/v1/tiny/bess1/state", DeviceTopic("bess1", DeviceKind.STATE)),
    (TOPICS.tele("bess1"), "vpp/v1/tiny/bess1/tele", DeviceTopic("bess1", DeviceKind.TELE)),
    (TOPICS.cmd("bess1"), "vpp/v1/tiny/bess1/cmd", DeviceTopic("bess1", DeviceKind.CMD)),
    (TOPICS.ack("bess1"), "vpp/v1/tiny/bess1/ack", DeviceTopic("bess1", DeviceKind.ACK)),
    (TOPICS.session("depot"), "vpp/v1/tiny/depot/session", DeviceTopic("depot", DeviceKind.SESSION)),
    (TOPICS.dispatcher_state, "vpp/v1/tiny/dispatcher/state", DispatcherTopic(DispatcherKind.STATE)),
    (TOPICS.dispatcher_status, "vpp/v1/tiny/dispatcher/status", DispatcherTopic(DispatcherKind.STATUS)),
    (TOPICS.plan, "vpp/v1/tiny/plan", PlanTopic()),
    (TOPICS.feed("pv1"), "vpp/v1/tiny/feed/pv1", FeedTopic("pv1", is_answer=False)),
    (TOPICS.feed_ack("pv1"), "vpp/v1/tiny/feed/pv1/ack", FeedTopic("pv1", is_answer=True)),
    (TOPICS.request("mary"), "vpp/v1/tiny/op/mary/req", OperatorTopic("mary", is_answer=False)),
    (TOPICS.response("mary"), "vpp/v1/tiny/op/mary/resp", OperatorTopic("mary", is_answer=True)),
    (TOPICS.award("fcr"), "vpp/v1/tiny/market/fcr/award", MarketTopic("fcr", MarketKind.AWARD)),
    (TOPICS.signal("fcr"), "vpp/v1/tiny/market/fcr/signal", MarketTopic("fcr", MarketKind.SIGNAL)),
    (TOPICS.alarm("stale", "bess1"), "vpp/v1/tiny/alarm/stale/bess1", AlarmTopic("stale", "bess1")),
    (TOPICS.alarm("stale", "site"), "vpp/v1/tiny/alarm/stale/site", AlarmTopic("stale", "site")),
]


@pytest.mark.parametrize(("built", "text", "parsed"), WRITTEN, ids=[text for _, text, _ in WRITTEN])
def test_a_topic_is_written_as_the_interface_says_and_read_back(built, text, parsed):
    assert built == text
    assert TOPICS.parse(text) == parsed


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "vpp/v1/tiny",
        "vpp/v1/tiny/",
        "vpp/v1/tiny/bess1",
        "vpp/v1/other/bess1/tele",
        "vpp/v2/tiny/bess1/tele",
        "/vpp/v1/tiny/bess1/tele",
        "vpp/v1/tiny//tele",
        "vpp/v1/tiny/bess1/tele/",
        "vpp/v1/tiny/bess1/telemetry",
        "vpp/v1/tiny/dispatcher/cmd",
        "vpp/v1/tiny/op/tele",
        "vpp/v1/tiny/op/../req",
        "vpp/v1/tiny/be ss/tele",
        "vpp/v1/tiny/bess1\n/tele",
        "vpp/v1/tiny/" + "a" * 65 + "/tele",
        "vpp/v1/tiny/dispatcher/heartbeat/vpp",
        "$SYS/broker/uptime",
    ],
)
def test_a_topic_of_nobody_is_refused(topic):
    with pytest.raises(MessageError) as refused:
        TOPICS.parse(topic)
    assert refused.value.code == "topic"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["a/b", "#", "", "+/+", "a\0b", "ä", "a" * 65, "../etc"])
def test_a_name_cannot_reach_into_another_topic(name):
    with pytest.raises(MessageError):
        TOPICS.cmd(name)
    with pytest.raises(MessageError):
        Topics(name)


def test_a_plus_makes_a_filter_for_every_asset():
    assert TOPICS.tele("+") == "vpp/v1/tiny/+/tele"
