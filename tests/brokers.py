"""Real brokers for tests: private, on loopback, on a free port, ended by process id."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from adapters.broker import EmbeddedBroker

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class TestBroker:
    """What a test does to a broker."""

    __test__ = False
    port: int

    @property
    def pid(self) -> int:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power failure does; wait until it is gone."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, also after `kill`, on the same port."""
        raise NotImplementedError

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Embedded(TestBroker):
    """The broker that the product brings along."""

    def __init__(self) -> None:
        self._broker = EmbeddedBroker()
        self.port = self._broker.port

    @property
    def pid(self) -> int:
        return self._broker._broker._process.pid

    def start(self) -> None:
        self._broker.start()

    def kill(self) -> None:
        if self._broker.is_running:
            os.kill(self.pid, signal.SIGKILL)
        self._broker.stop()


class Mosquitto(TestBroker):
    """A mosquitto with its own configuration and nothing kept on disk."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\npersistence false\nlog_dest file {folder / 'mosquitto.log'}\n"
            f"user root\n{settings}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._process = subprocess.Popen([MOSQUITTO, "-c", self._config])
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "mosquitto ended at once; see its log"
            time.sleep(0.025)
        raise AssertionError("mosquitto does not accept connections")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


def mosquitto_or_skip(folder: Path, settings: str = "allow_anonymous true") -> Mosquitto:
    """A mosquitto; where it is not installed the test is skipped, or fails with VPP_REQUIRE_MOSQUITTO=1."""
    if MOSQUITTO is None:
        if os.environ.get("VPP_REQUIRE_MOSQUITTO") == "1":
            pytest.fail("mosquitto is not installed, and VPP_REQUIRE_MOSQUITTO=1 asks for it")
        pytest.skip("mosquitto is not installed")
    return Mosquitto(folder, settings)
