"""Every dialect: what it hears, how it tells a device what is permitted, what it understands."""

import inspect
import json
import math
from datetime import UTC, datetime

import pytest

from adapters.device_messages import ack_bytes, birth_bytes, state_bytes, telemetry_bytes
from adapters.messages import MessageError
from adapters.port import Incoming
from adapters.protocols import Dialect, Stamp, dialect, known_dialects
from adapters.session import Subscription
from adapters.topics import Topics
from vpp.domain.command import Ack, AckStatus, Presence
from vpp.domain.setpoint import Owner, Permit
from vpp.domain.telemetry import Birth, Telemetry
from vpp.domain.unit import Fallback, Mode

TOPICS = Topics("tiny")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERMIT = Permit("bess1", -250.5, Mode.GFL, 60.0, 100.0, Owner.PLAN, "cheapest hour", narrowed_by="ramp")


def test_a_file_in_the_folder_is_a_dialect():
    assert "vpp" in known_dialects()
    with pytest.raises(LookupError, match=r"'venus' is no dialect; known are .*vpp"):
        dialect("venus")


@pytest.mark.parametrize("name", known_dialects())
def test_every_dialect_takes_a_permit_and_nothing_else(name):
    for method in ("subscriptions", "command", "read"):
        promised = inspect.signature(getattr(Dialect, method))
        given = inspect.signature(getattr(dialect(name), method))
        assert list(given.parameters.items()) == list(promised.parameters.items())[1:]
        assert given.return_annotation == promised.return_annotation
    assert inspect.signature(dialect(name).command).parameters["permit"].annotation is Permit


def test_what_is_heard_of_an_asset_does_not_hold_its_own_commands():
    assert dialect("vpp").subscriptions(TOPICS, "bess1") == (
        Subscription("vpp/v1/tiny/bess1/birth", 1),
        Subscription("vpp/v1/tiny/bess1/state", 1),
        Subscription("vpp/v1/tiny/bess1/tele", 0),
        Subscription("vpp/v1/tiny/bess1/ack", 1),
    )


def test_a_permit_becomes_a_lease_that_is_never_retained():
    message = dialect("vpp").command(TOPICS, PERMIT, Stamp(7, 42, NOON))
    assert (message.topic, message.qos, message.is_retained) == ("vpp/v1/tiny/bess1/cmd", 1, False)
    assert json.loads(message.payload) == {
        "v": 1,
        "id": "7-42",
        "epoch": 7,
        "seq": 42,
        "issued_at": "2026-06-01T12:00:00Z",
        "not_before": "2026-06-01T11:59:55Z",
        "valid_until": "2026-06-01T12:01:00Z",
        "ttl_ms": 60_000,
        "mode": "gfl",
        "export_kw": -250.5,
        "reactive_kvar": None,
        "ramp_kw_per_s": 100.0,
        "gfm": None,
        "lookahead": [],
        "reason": "cheapest hour",
    }


def test_a_ramp_without_a_limit_is_left_to_the_device():
    permit = Permit("bess1", 0.0, Mode.GFL, 60.0, math.inf, Owner.RULE, "rest")
    assert json.loads(dialect("vpp").command(TOPICS, permit, Stamp(1, 1, NOON)).payload)["ramp_kw_per_s"] is None


SAID = [
    ("birth", birth_bytes, Birth("bess1", "b", NOON, 1, 1, 2, (Mode.GFL,), Fallback.HOLD, is_clock_synced=True)),
    ("state", state_bytes, Presence("bess1", is_online=False, at=NOON, boot_id="b")),
    ("tele", telemetry_bytes, Telemetry("bess1", NOON, "b", 1, 5.0, Mode.GFL)),
    ("ack", ack_bytes, Ack("bess1", "7-42", 7, 42, NOON, AckStatus.REACHED)),
]


@pytest.mark.parametrize(("kind", "write", "said"), SAID)
def test_what_a_device_says_is_understood(kind, write, said):
    assert dialect("vpp").read(TOPICS, Incoming(f"vpp/v1/tiny/bess1/{kind}", write(said), is_retained=False)) == said


@pytest.mark.parametrize("topic", ["vpp/v1/tiny/bess1/cmd", "vpp/v1/tiny/plan", "vpp/v1/other/bess1/tele"])
def test_a_topic_where_no_device_speaks_is_refused(topic):
    with pytest.raises(MessageError) as refused:
        dialect("vpp").read(TOPICS, Incoming(topic, b"{}", is_retained=False))
    assert refused.value.code == "topic"
