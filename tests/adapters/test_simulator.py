"""A fleet of simulated devices talks over real brokers and over memory, each device for itself."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from adapters.address import Address
from adapters.device_messages import command_bytes, read_ack, read_state, read_telemetry
from adapters.memory import MemoryBroker, MemoryLink
from adapters.mqtt import MqttLink
from adapters.port import Incoming, Outgoing
from adapters.scenario import Scenario
from adapters.session import Session, Subscription
from adapters.simulator import Fleet, run_over_mqtt
from optimizer.assets import device_of
from tests.adapters.bench import ACCEPTED, START, TOPICS, Bench
from tests.adapters.links import QUICK, linked, until
from tests.sites import battery, load, solar
from vpp.clock import VirtualClock, WallClock
from vpp.domain.command import AckStatus

SECONDS = 25


def parts(*assets, start_s=0.0):
    return [(asset.unit(), device_of(asset).make(asset, lambda _: 50.0, start_s, 1)) for asset in assets]


def in_memory(*assets, **options):
    """Devices on one bus, their clock, and what an observer heard."""
    clock, broker, heard = VirtualClock(START), MemoryBroker(), []
    observer = MemoryLink(broker, Session("observer", heard.append, (Subscription("vpp/v1/site/#"),)))
    observer.connect()
    fleet = Fleet("site", parts(*assets), lambda session: MemoryLink(broker, session), clock, **options)
    for link in fleet.links:
        link.connect()
    return fleet, clock, observer, heard


async def live(fleet, clock, seconds):
    for _ in range(seconds):
        await clock.wait(clock.mono_s() + 1, asyncio.Event())
        fleet.advance()


def on_mqtt(url, assets, **options):
    def make_link(session):
        return MqttLink(Address.from_url(url), session, TOPICS.heartbeat(session.client_id), timing=QUICK)

    return Fleet("site", parts(*assets), make_link, WallClock(), **options)


def command_for(asset_id, export_kw, seq=1):
    """A command that is issued now, by the wall clock."""
    bench = Bench()
    now = datetime.now(UTC)
    command = bench.command(export_kw, seq)
    shift = now - bench.now
    fields = {name: getattr(command, name) + shift for name in ("issued_at", "not_before", "valid_until")}
    return Outgoing(TOPICS.cmd(asset_id), command_bytes(bench.command(export_kw, seq, **fields)))


def test_a_fleet_in_memory_obeys_and_its_power_is_the_sum_of_its_devices():
    fleet, clock, observer, heard = in_memory(battery(), load())
    observer.send(Outgoing(TOPICS.cmd("bess1"), command_bytes(Bench().command(40.0))))
    asyncio.run(live(fleet, clock, 5))
    (accepted, _) = [read_ack("bess1", m.payload) for m in heard if m.topic == TOPICS.ack("bess1")]
    assert accepted.status is ACCEPTED
    assert abs(fleet.export_kw - (40 - 50)) < 3
    assert fleet.export_kw == sum(device.export_kw for device in fleet.devices)
    topics = Counter(message.topic for message in heard)
    assert topics[TOPICS.tele("load1")] == topics[TOPICS.tele("bess1")] == 5
    assert topics[TOPICS.birth("load1")] == topics[TOPICS.state("bess1")] == 1


def test_a_scenario_reaches_only_the_device_that_it_names():
    scenario = Scenario.model_validate(
        {"schema_version": 1, "faults": [{"asset": "load1", "at_s": 2, "fault": "silent"}]}
    )
    fleet, clock, _, heard = in_memory(battery(), load(), scenario=scenario)
    asyncio.run(live(fleet, clock, 10))
    topics = Counter(message.topic for message in heard)
    assert (topics[TOPICS.tele("bess1")], topics[TOPICS.tele("load1")]) == (10, 1)


def test_a_day_of_a_fleet_is_the_same_twice():
    def day():
        fleet, clock, _, heard = in_memory(battery(), solar())
        asyncio.run(live(fleet, clock, 300))
        return heard

    assert day() == day()


async def _over_mqtt(url):
    assets = [battery(), solar(), load()]
    fleet, stop = on_mqtt(url, assets), asyncio.Event()
    async with linked(url, "observer", "vpp/v1/site/#") as (link, heard):
        running = asyncio.create_task(run_over_mqtt(fleet, stop))
        await until(lambda: all(own.is_up for own in fleet.links))
        link.send(command_for("bess1", 40.0))

        def told(asset_id):
            payloads = [m.payload for m in heard if m.topic == TOPICS.tele(asset_id)]
            return read_telemetry(asset_id, payloads[-1]) if payloads else None

        def acks():
            return [read_ack("bess1", m.payload).status for m in heard if m.topic == TOPICS.ack("bess1")]

        await until(lambda: AckStatus.REACHED in acks())
        await until(lambda: told("bess1") is not None and told("bess1").export_kw > 39)
        await until(lambda: told("load1") is not None and told("pv1") is not None)
        assert acks() == [AckStatus.ACCEPTED, AckStatus.REACHED]
        stop.set()
        await asyncio.wait_for(running, SECONDS)

        def state():
            return [read_state("bess1", m.payload).is_online for m in heard if m.topic == TOPICS.state("bess1")]

        await until(lambda: state() == [True, False])


def test_devices_over_mqtt_greet_obey_measure_and_say_good_bye(broker):
    asyncio.run(_over_mqtt(broker.url))


async def _reborn(broker):
    fleet, stop = on_mqtt(broker.url, [battery()]), asyncio.Event()
    running = asyncio.create_task(run_over_mqtt(fleet, stop))
    await until(lambda: fleet.links[0].is_up)
    broker.kill()
    await until(lambda: not fleet.links[0].is_up)
    broker.start()
    async with linked(broker.url, "observer", TOPICS.birth("+"), TOPICS.state("+")) as (_, heard):
        await until(lambda: len({message.topic for message in heard}) == 2)
    stop.set()
    await asyncio.wait_for(running, SECONDS)


def test_devices_announce_themselves_to_a_broker_that_has_forgotten_them(mosquitto):
    asyncio.run(_reborn(mosquitto))


async def _retained_command(url):
    kept = command_for("bess1", 40.0)
    async with linked(url, "observer", TOPICS.ack("bess1")) as (link, heard):
        link.send(Outgoing(kept.topic, kept.payload, is_retained=True))
        fleet, stop = on_mqtt(url, [battery()]), asyncio.Event()
        running = asyncio.create_task(run_over_mqtt(fleet, stop))
        await until(lambda: heard)
        assert read_ack("bess1", heard[0].payload).status is AckStatus.REJECTED
        assert abs(fleet.export_kw) < 1
        stop.set()
        await asyncio.wait_for(running, SECONDS)


def test_a_command_that_the_broker_kept_is_rejected(broker):
    asyncio.run(_retained_command(broker.url))


async def _two_hundred(url):
    assets = [battery(f"store{k}") for k in range(200)]
    fleet, stop = on_mqtt(url, assets), asyncio.Event()
    arrived: Counter[str] = Counter()

    def count(message: Incoming) -> None:
        arrived[message.topic] += 1

    async with linked(url, "observer", TOPICS.ack("+"), TOPICS.tele("+"), receive=count) as (link, _):
        running = asyncio.create_task(run_over_mqtt(fleet, stop))
        await until(lambda: all(own.is_up for own in fleet.links), 60)
        for asset in assets:
            assert link.send(command_for(asset.id, 40.0))
        await until(lambda: all(arrived[TOPICS.ack(asset.id)] >= 2 for asset in assets), 60)
        await until(lambda: all(arrived[TOPICS.tele(asset.id)] >= 2 for asset in assets), 60)
        stop.set()
        await asyncio.wait_for(running, 60)


def test_two_hundred_devices_live_in_one_process(mosquitto):
    asyncio.run(_two_hundred(mosquitto.url))
