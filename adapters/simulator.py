"""How do the simulated devices of a site run together, over MQTT or within one process on a virtual clock?"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Generic, Protocol, TypeVar

from adapters.mqtt import MqttLink
from adapters.port import Incoming, Link, Outgoing
from adapters.scenario import Scenario
from adapters.session import Session, Subscription
from adapters.simulated_device import SimulatedDevice
from adapters.topics import Topics
from vpp.domain.physics import Physics
from vpp.domain.unit import Unit

SLICES = 10
"""Devices are advanced in so many groups, one after another, so that they do not all send at the same instant."""

L = TypeVar("L", bound=Link)


class Clock(Protocol):
    """What a fleet needs of a clock."""

    def now(self) -> datetime:
        """Wall clock, in UTC."""

    def mono_s(self) -> float:
        """Monotonic clock [s]."""


class Fleet(Generic[L]):
    """The simulated devices of one site, each with a connection of its own.

    Args:
        site_id: The site.
        parts: What each device is and does.
        make_link: Makes the connection of one device.
        clock: Which time it is.
        scenario: Faults of the devices. Its events act through the physics, which is given.
        period_s: Time between two messages of telemetry.

    """

    def __init__(
        self,
        site_id: str,
        parts: Sequence[tuple[Unit, Physics]],
        make_link: Callable[[Session], L],
        clock: Clock,
        *,
        scenario: Scenario | None = None,
        period_s: float = 1.0,
    ) -> None:
        topics, now, mono_s = Topics(site_id), clock.now(), clock.mono_s()
        self.devices: list[SimulatedDevice] = []
        self.links: list[L] = []
        self._clock = clock
        for unit, physics in parts:
            device = SimulatedDevice(
                unit,
                physics,
                topics,
                partial(self._send, len(self.devices)),
                now=now,
                mono_s=mono_s,
                faults=() if scenario is None else scenario.faults_of(unit.id),
                period_s=period_s,
            )
            self.devices.append(device)
            self.links.append(make_link(self._session(site_id, device)))

    @property
    def export_kw(self) -> float:
        """What really flows out of the site now."""
        return sum(device.export_kw for device in self.devices)

    def advance(self, part: slice = slice(None)) -> None:
        """Let devices live up to now; all of them, or a part."""
        now, mono_s = self._clock.now(), self._clock.mono_s()
        for device in self.devices[part]:
            device.advance(now, mono_s)

    def _session(self, site_id: str, device: SimulatedDevice) -> Session:
        def receive(message: Incoming) -> None:
            device.receive(message, self._clock.now(), self._clock.mono_s())

        return Session(
            client_id=_client_id(site_id, device.unit.id),
            receive=receive,
            subscriptions=(Subscription(device.command_topic, qos=1),),
            greeting=device.greeting,
            will=device.will,
        )

    def _send(self, index: int, message: Outgoing) -> bool:
        return index < len(self.links) and self.links[index].send(message)


async def run_over_mqtt(fleet: Fleet[MqttLink], stop: asyncio.Event, tick_s: float = 1.0) -> None:
    """Keep devices connected and alive in real time until told to stop; then they say that they go.

    Args:
        fleet: The devices.
        stop: Set to end it.
        tick_s: Time from one step of a device to its next.

    Raises:
        ExceptionGroup: With `UnreachableBrokerError` where no connection was made at the start.

    """
    async with asyncio.TaskGroup() as group:
        for link in fleet.links:
            group.create_task(link.run())
        clock = asyncio.get_running_loop().time
        turn, next_s = 0, clock()
        while not stop.is_set():
            fleet.advance(slice(turn % SLICES, None, SLICES))
            turn, next_s = turn + 1, max(next_s + tick_s / SLICES, clock())
            try:
                async with asyncio.timeout_at(next_s):
                    await stop.wait()
            except TimeoutError:
                continue
        for device, link in zip(fleet.devices, fleet.links, strict=True):
            link.close((device.will(),))


def _client_id(site_id: str, asset_id: str) -> str:
    """A name that no other device on the broker has, of at most 64 characters."""
    return f"{sha256(f'{site_id}/{asset_id}'.encode()).hexdigest()[:12]}-{asset_id}"[:64]
