"""How does a device speak that follows our own dialect?"""

import math
from datetime import timedelta
from typing import assert_never

from adapters import device_messages
from adapters.messages import MessageError
from adapters.port import Incoming, Outgoing
from adapters.protocols import DeviceMessage, Stamp
from adapters.session import Subscription
from adapters.topics import DeviceKind, DeviceTopic, Topics
from vpp.domain.command import Command
from vpp.domain.setpoint import Permit

CLOCK_SLACK = timedelta(seconds=5)
"""A device's clock may be so much behind ours; one that is ahead shortens its lease itself."""


def subscriptions(topics: Topics, asset_id: str) -> tuple[Subscription, ...]:
    """What must be heard to know an asset. Telemetry comes without acknowledgement: the next message says more."""
    return (
        Subscription(topics.birth(asset_id), qos=1),
        Subscription(topics.state(asset_id), qos=1),
        Subscription(topics.tele(asset_id), qos=0),
        Subscription(topics.ack(asset_id), qos=1),
    )


def command(topics: Topics, permit: Permit, stamp: Stamp) -> Outgoing:
    """A permit as the lease that tells it to the device; never retained."""
    lease = command_of(permit, stamp)
    return Outgoing(topics.cmd(permit.asset_id), device_messages.command_bytes(lease), qos=1, is_retained=False)


def command_of(permit: Permit, stamp: Stamp) -> Command:
    """A permit as a lease. Its id is unique for the asset: `<epoch>-<seq>`."""
    return Command(
        asset_id=permit.asset_id,
        id=f"{stamp.epoch}-{stamp.seq}",
        epoch=stamp.epoch,
        seq=stamp.seq,
        issued_at=stamp.at,
        not_before=stamp.at - CLOCK_SLACK,
        valid_until=stamp.at + timedelta(seconds=permit.lease_s),
        ttl_ms=round(permit.lease_s * 1000),
        mode=permit.mode,
        export_kw=permit.export_kw,
        ramp_kw_per_s=permit.ramp_kw_per_s if math.isfinite(permit.ramp_kw_per_s) else None,
        reason=permit.why,
    )


def read(topics: Topics, message: Incoming) -> DeviceMessage:
    """What a device said.

    Raises:
        MessageError: Where it is refused.

    """
    topic = topics.parse(message.topic)
    if not isinstance(topic, DeviceTopic):
        raise MessageError("topic", f"{message.topic!r} is not a device's")
    match topic.kind:
        case DeviceKind.TELE:
            return device_messages.read_telemetry(topic.asset, message.payload)
        case DeviceKind.ACK:
            return device_messages.read_ack(topic.asset, message.payload)
        case DeviceKind.STATE:
            return device_messages.read_state(topic.asset, message.payload)
        case DeviceKind.BIRTH:
            return device_messages.read_birth(topic.asset, message.payload)
        case DeviceKind.CMD | DeviceKind.SESSION:
            raise MessageError("topic", f"{message.topic!r} is nothing that a device says of itself")
        case _:
            assert_never(topic.kind)
