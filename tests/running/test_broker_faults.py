"""Brokers that die, freeze or crawl: devices fall back by their leases, and nothing old is obeyed afterwards."""

import asyncio
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

from tests.proxy import Network, network
from tests.running.ear import Heard
from tests.running.processes import Site
from tests.running.site_copy import FULL_KW, LEASE_S

OUTAGE_S = LEASE_S + 3.0
RECOVERED_WITHIN_S = 5.0


def leads_again(site: Site, back: datetime, since: int) -> Heard:
    """The first command that a device takes after an outage; it was made after it."""
    ack = site.ear.wait("bess1/ack", lambda h: h.document["status"] == "accepted", 15, since)
    command = site.ear.wait("bess1/cmd", lambda h: h.document["id"] == ack.document["id"], 1, since)
    assert datetime.fromisoformat(command.document["issued_at"]) > back
    return ack


def says_it_is_back(site: Site, back: datetime, since: int) -> Heard:
    """The dispatcher's first word after an outage, which a client that is back later hears as a retained one."""

    def is_new(heard: Heard) -> bool:
        return heard.document["online"] and datetime.fromisoformat(heard.document["at"]) > back

    return site.ear.wait("dispatcher/state", is_new, 15, since)


def falls_back(site: Site, back: datetime, since: int, state: Heard) -> Heard:
    """The first word of a device after an outage: its lease has run out, unless it was led again already."""
    told = site.ear.wait("bess1/tele", lambda h: datetime.fromisoformat(h.document["at"]) > back, 10, since)
    if told.at_s < state.at_s:
        assert told.document.get("lease") is None
        assert abs(told.document["export_kw"]) < 20
    return told


def test_a_broker_that_dies_is_found_again_and_nothing_stale_is_obeyed(site_at, broker):
    site = site_at(broker)
    site.simulate()
    site.run_to_plan()
    broker.kill()
    time.sleep(OUTAGE_S)
    back, since = datetime.now(UTC), site.ear.now()
    broker.start()
    state = says_it_is_back(site, back, since)
    told = falls_back(site, back, since, state)
    ack = leads_again(site, back, since)
    assert ack.at_s - max(state.at_s, told.at_s) < RECOVERED_WITHIN_S
    site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 5, since)


def test_what_may_be_lost_with_a_connection_is_sent_anew_long_before_its_renewal(site_at, embedded):
    site = site_at(embedded, lease_s=60.0)
    site.simulate()
    site.run_to_plan()
    embedded.kill()
    time.sleep(0.5)
    back, since = datetime.now(UTC), site.ear.now()
    embedded.start()
    state = says_it_is_back(site, back, since)
    assert leads_again(site, back, since).at_s - state.at_s < RECOVERED_WITHIN_S


def test_a_broker_that_freezes_is_noticed_and_devices_fall_back_by_their_leases(site_at, broker):
    site = site_at(broker)
    site.simulate()
    daemon = site.run_to_plan()
    site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 5)
    broker.freeze()
    frozen_s = time.monotonic()
    while "no connection to the broker" not in daemon.told:
        assert time.monotonic() - frozen_s < 5.0, "a frozen broker was not noticed within 5 s"
        time.sleep(0.05)
    time.sleep(max(0.0, frozen_s + OUTAGE_S - time.monotonic()))
    back, since = datetime.now(UTC), site.ear.now()
    broker.thaw()
    state = says_it_is_back(site, back, since)
    told = falls_back(site, back, since, state)
    ack = leads_again(site, back, since)
    assert ack.at_s - max(state.at_s, told.at_s) < RECOVERED_WITHIN_S


@contextmanager
def between(port: int):
    """A network whose faults a test turns on and off, in a thread of its own."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Network] = []

    async def carry() -> None:
        async with network(port) as net:
            found.append(net)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(carry(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def test_a_slow_network_that_breaks_messages_up_and_cuts_them_is_survived(site_at, embedded):
    with between(embedded.port) as net:
        net.piece_bytes, net.latency_s = 400, 0.02
        site = site_at(embedded, port=net.port, lease_s=6.0)
        site.simulate()
        site.run_to_plan()
        site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 15, 0)
        since, before = site.ear.now(), net.connections
        net.cut_after_bytes = 50
        site.ear.wait("dispatcher/state", lambda h: h.document["online"] and not h.is_retained, 15, since)
        assert net.connections > before
        leads_again(site, datetime.fromtimestamp(0, UTC), site.ear.now())
        answer = site.ear.ask(site.ear.request("bess1", "set_export_kw", 300), 10)
        assert answer["status"] == "accepted"
        site.wait_power("bess1", lambda kw: abs(kw - 300) < 20, 10)
        site.end()


def test_a_network_that_passes_nothing_on_is_given_up_and_devices_fall_back(site_at, embedded):
    with between(embedded.port) as net:
        site = site_at(embedded, port=net.port)
        daemon = site.run()
        net.is_dead = True
        died_s = time.monotonic()
        while "no connection to the broker" not in daemon.told:
            assert time.monotonic() - died_s < 5.0
            time.sleep(0.05)
        net.is_dead = False
        since = site.ear.now()
        site.ear.wait("dispatcher/state", lambda h: h.document["online"] and not h.is_retained, 15, since)
        site.end()


def test_a_second_and_later_copy_of_a_command_is_refused_by_the_device(site_at, broker):
    site = site_at(broker)
    site.simulate()
    site.run_to_plan()
    old = site.ear.all("bess1/cmd")[0]
    site.ear.wait("bess1/cmd", lambda h: h.document["seq"] > old.document["seq"] + 1)
    since = site.ear.now()
    site.ear.publish("bess1/cmd", old.payload)
    ack = site.ear.wait(
        "bess1/ack", lambda h: h.document["id"] == old.document["id"] and h.document["status"] == "rejected", 5, since
    )
    assert ack.document["reason"].startswith("superseded")


def test_a_command_that_somebody_retained_is_refused_cleared_and_named(site_at, broker):
    site = site_at(broker)
    command = {
        "v": 1, "id": "bad", "epoch": 10**9, "seq": 1, "issued_at": "2020-01-01T00:00:00Z",
        "not_before": "2020-01-01T00:00:00Z", "valid_until": "2100-01-01T00:00:00Z", "ttl_ms": 900_000,
        "mode": "gfl", "export_kw": -1000, "reactive_kvar": 0, "ramp_kw_per_s": None, "gfm": None, "lookahead": [],
        "reason": "a vandal",
    }  # fmt: skip
    site.ear.publish("bess1/cmd", command, is_retained=True)
    site.simulate()
    refused = site.ear.wait("bess1/ack", lambda h: h.document["id"] == "bad", 5)
    assert (refused.document["status"], refused.document["reason"][:8]) == ("rejected", "retained")
    site.run()
    alarm = site.wait_alarm("retained_command", "bess1")
    assert alarm["severity"] == 1
    site.ear.heard.clear()
    site.ear._client.unsubscribe("vpp/v1/tiny/#")
    site.ear._client.subscribe("vpp/v1/tiny/bess1/#", 1)
    site.ear.wait("bess1/birth", lambda h: h.is_retained)
    time.sleep(0.5)
    assert not [h for h in site.ear.all("bess1/cmd") if h.is_retained]


def test_a_message_of_enormous_size_ends_nothing(site_at, mosquitto):
    site = site_at(mosquitto)
    site.simulate()
    daemon = site.run_to_plan()
    for topic in ("bess1/tele", "bess1/birth", "op/anna/req", "feed/energy_day_ahead"):
        site.ear.publish(topic, b"[" * 1_000_000)
    since = site.ear.now()
    answer = site.ear.ask(site.ear.request("bess1", "set_export_kw", 300))
    assert answer["status"] == "accepted"
    site.wait_power("bess1", lambda kw: abs(kw - 300) < 20, 5, since)
    assert daemon.is_alive()
    assert "reconnect" not in daemon.told
    assert "no connection" not in daemon.told
