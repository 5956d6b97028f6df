"""How does a site run without a broker of its own? This one lives as long as the process that started it."""

import socket
from types import TracebackType
from typing import Self

from iotcore import Broker

from vpp.domain.errors import UnavailableError

HOST = "127.0.0.1"
LARGEST_BYTES = 4_000_000
"""Of one message; plan and status of thousands of assets are longer than what devices may send."""


class BrokerError(UnavailableError):
    """The embedded broker cannot run."""


class EmbeddedBroker:
    """An MQTT 3.1.1 broker in a child process, reachable from this machine only; a context manager.

    The child ends with this process, however that ends.
    """

    def __init__(self, port: int = 0) -> None:
        """Make a broker.

        Args:
            port: Where it listens; 0 for a free one.

        """
        self.port = port or _free_port()
        self._broker = Broker(port=self.port, listen=HOST, max_payload_size=LARGEST_BYTES)

    @property
    def url(self) -> str:
        """Its address, as a client is given it."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it accepts connections."""
        return self._broker.is_running

    def start(self) -> None:
        """Start it, and wait until it accepts connections.

        Raises:
            BrokerError: Where it does not.

        """
        try:
            self._broker.start()
        except (OSError, RuntimeError) as error:
            reason, remedy = f"cannot listen on {HOST}:{self.port}: {error}", "End what listens there."
            raise BrokerError("the embedded broker", reason, remedy) from error

    def stop(self) -> None:
        """End it; a second time does nothing."""
        self._broker.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
