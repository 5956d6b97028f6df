"""A link to a broker that wants a password, certificates, or lets nobody hear."""

import asyncio
import gc
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.address import Address, TlsFiles
from adapters.mqtt import MqttLink, UnreachableBrokerError
from adapters.port import Outgoing
from adapters.session import Session, Subscription
from tests.adapters.links import QUICK, until
from tests.brokers import mosquitto_or_skip

ONCE = replace(QUICK, tries_at_start=1, answer_s=1.5)


def link_to(address, heard=None):
    receive = [].append if heard is None else heard.append
    return MqttLink(address, Session("client", receive, (Subscription("t"),)), "beat", timing=ONCE)


def carries(address):
    """Whether a message comes back through the broker."""

    async def scenario():
        heard = []
        link = link_to(address, heard)
        run = asyncio.create_task(link.run())
        await until(lambda: link.is_up or run.done())
        if run.done():
            run.result()
        link.send(Outgoing("t", b"x"))
        await until(lambda: heard)
        link.close()
        await run
        return True

    return asyncio.run(scenario())


def refusal(address):
    async def scenario():
        link = link_to(address)
        with pytest.raises(UnreachableBrokerError) as failed:
            await link.run()
        return link, failed

    link, failed = asyncio.run(scenario())
    assert "secret" not in str(failed.value)
    return link.why_down


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, a broker and a client, made by openssl for these tests."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2")
    for name in ("broker", "client"):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signing)
    return folder


def tls_settings(folder: Path) -> str:
    return (
        f"cafile {folder}/ca.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true\nallow_anonymous false"
    )


def test_a_password_from_the_address_opens_the_broker(tmp_path):
    passwords = tmp_path / "passwords"
    broker = mosquitto_or_skip(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "vpp", "se/cret"], check=True, capture_output=True)
    with broker:
        assert carries(Address.from_url(f"mqtt://vpp:se%2Fcret@127.0.0.1:{broker.port}"))
        assert refusal(Address.from_url(f"mqtt://vpp:wrong@127.0.0.1:{broker.port}")) == "Not authorized"
        assert refusal(Address.from_url(broker.url)) == "Not authorized"


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # the library leaves it to the collector
def test_certificates_on_both_sides_open_the_broker(tmp_path, certificates):
    own = TlsFiles(certificates / "ca.pem", certificates / "client.pem", certificates / "client.key")
    with mosquitto_or_skip(tmp_path, tls_settings(certificates)) as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        assert carries(Address.from_url(url, own))
        assert "certificate verify failed" in refusal(Address.from_url(url))
        assert "certificate" in refusal(Address.from_url(url, replace(own, cert=None, key=None)))
        assert "No such file" in refusal(Address.from_url(url, replace(own, ca=certificates / "missing.pem")))
    gc.collect()


def test_a_broker_that_passes_nothing_on_is_told_from_one_that_works(tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("topic write t\n")
    broker = mosquitto_or_skip(tmp_path, f"allow_anonymous true\nacl_file {rules}")

    async def scenario():
        link = link_to(Address.from_url(broker.url))
        run = asyncio.create_task(link.run())
        await until(lambda: link.counters.connections and not link.is_up)
        why = link.why_down
        link.close()
        await run
        return why

    with broker:
        assert "does it let us use beat?" in asyncio.run(scenario())


def test_a_filter_that_the_broker_refuses_is_named():
    """A broker that answers SUBSCRIBE for two filters with success and failure (MQTT 3.1.1, section 3.9.3)."""

    async def answer(reader, writer):
        await reader.read(1000)
        writer.write(b"\x20\x02\x00\x00")
        subscribe = await reader.read(1000)
        writer.write(b"\x90\x04" + subscribe[2:4] + b"\x00\x80")
        await reader.read()
        writer.close()

    async def scenario():
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(UnreachableBrokerError, match="it does not let client hear t "):
                await link_to(Address.from_url(f"mqtt://127.0.0.1:{port}")).run()
            await asyncio.sleep(0.1)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls"),
    [
        ("mqtt://127.0.0.1", "127.0.0.1", 1883, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_an_address_is_read_from_a_url(url, host, port, is_tls):
    address = Address.from_url(url)
    assert (address.host, address.port, address.tls is not None) == (host, port, is_tls)


@pytest.mark.parametrize(
    "url",
    ["http://secret@host", "127.0.0.1:1883", "mqtt://", "mqtt://u:secret@host:99999", "mqtt://u:secret@host:x", ""],
)
def test_what_is_no_address_is_refused_without_showing_a_password(url):
    with pytest.raises(ValueError, match="must be") as refused:
        Address.from_url(url)
    assert "secret" not in str(refused.value)


def test_a_password_is_not_printed():
    address = Address.from_url("mqtt://vpp:secret@host")
    assert address.password == "secret"
    assert "secret" not in f"{address} {address!r}"
