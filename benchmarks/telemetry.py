"""How much of one core does it take to receive and validate the telemetry of 200 devices, 2,000 messages a second?"""

import asyncio
import socket
import struct
import sys
import time
from datetime import UTC, datetime

from adapters.address import Address
from adapters.broker import EmbeddedBroker
from adapters.device_messages import telemetry_bytes
from adapters.mqtt import MqttLink
from adapters.port import Incoming
from adapters.protocols import dialect
from adapters.session import Session
from adapters.topics import Topics
from benchmarks.timing import Figure
from vpp.domain.telemetry import Lease, LiveLimits, Quality, Telemetry
from vpp.domain.unit import Mode

DEVICES = 200
PER_SECOND = 2_000
SECONDS = 8.0
TOPICS = Topics("bench")
WHAT = f"telemetry, {PER_SECOND:,} messages/s of {DEVICES} devices through a broker"


def measure(**_: bool) -> list[Figure]:
    """Send from a process of its own, as fast as asked for; receive and validate in this one."""
    with EmbeddedBroker() as broker:
        received, sent, used_s = asyncio.run(_receive(broker))
    return [
        Figure(f"{WHAT}: one core's share", used_s / SECONDS, "cores", most=1.0),
        Figure(f"{WHAT}: lost or refused", sent - received, "messages", most=0.0),
    ]


async def _receive(broker: EmbeddedBroker) -> tuple[int, int, float]:
    speak, received = dialect("vpp"), 0

    def receive(message: Incoming) -> None:
        nonlocal received
        speak.read(TOPICS, message)
        received += 1

    filters = [filter_ for device in range(DEVICES) for filter_ in speak.subscriptions(TOPICS, f"bess{device}")]
    link = MqttLink(
        Address.from_url(broker.url), Session("receiver", receive, tuple(filters)), TOPICS.heartbeat("bench")
    )
    run = asyncio.create_task(link.run())
    await link.wait_up()
    began_s = time.process_time()
    load = (sys.executable, "-m", "benchmarks.telemetry", str(broker.port))
    process = await asyncio.create_subprocess_exec(*load, stdout=asyncio.subprocess.PIPE)
    sent = int((await process.communicate())[0])
    await asyncio.sleep(1)
    used_s = time.process_time() - began_s
    link.close()
    await run
    return received, sent, used_s


def _send(port: int) -> int:
    """Publish at quality 0 over a bare socket, which costs less than any client would."""
    packets = [_publish(TOPICS.tele(f"bess{device}"), telemetry_bytes(_measured(device))) for device in range(DEVICES)]
    with socket.create_connection(("127.0.0.1", port)) as broker:
        hello = _text("MQTT") + bytes([4, 2, 0, 60]) + _text("load")
        broker.sendall(bytes([0x10, len(hello)]) + hello)
        broker.recv(4)
        began_s, sent = time.perf_counter(), 0
        while (elapsed_s := time.perf_counter() - began_s) < SECONDS:
            while sent < elapsed_s * PER_SECOND:
                broker.sendall(packets[sent % DEVICES])
                sent += 1
            time.sleep(0.002)
        broker.sendall(b"\xe0\x00")
    return sent


def _measured(device: int) -> Telemetry:
    return Telemetry(
        asset_id=f"bess{device}",
        at=datetime.now(UTC),
        boot_id="boot1",
        seq=1,
        export_kw=-12.5,
        mode=Mode.GFL,
        quality=Quality.GOOD,
        stored_kwh=100.0,
        soc_fraction=0.5,
        frequency_hz=50.01,
        voltage_pu=1.0,
        temperature_c=21.5,
        limits=LiveLimits(100, 100),
        lease=Lease(1, 2, 60_000),
    )


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def _publish(topic: str, payload: bytes) -> bytes:
    body = _text(topic) + payload
    return bytes([0x30, len(body) % 128 | 128, len(body) // 128]) + body


if __name__ == "__main__":
    print(_send(int(sys.argv[1])))
