"""A bad network between a client and a broker: slow, in small pieces, cut in the middle of a packet, or dead."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Network:
    """How the network is; may be changed while it runs."""

    port: int = 0
    latency_s: float = 0.0
    """Added to every piece, each way."""
    piece_bytes: int = 65_536
    """Most that goes on at a time."""
    cut_after_bytes: int | None = None
    """So many bytes more from the client pass on, then the connection is cut; once."""
    is_dead: bool = False
    """Nothing passes on, and nobody is told."""
    is_refusing: bool = False
    """New connections are closed at once."""
    connections: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Cut all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_up: bool) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while data := await source.read(65_536):
                for first in range(0, len(data), self.piece_bytes):
                    piece = data[first : first + self.piece_bytes]
                    while self.is_dead:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                    if self.latency_s:
                        await asyncio.sleep(self.latency_s)
                    if is_up and self.cut_after_bytes is not None:
                        piece, self.cut_after_bytes = piece[: self.cut_after_bytes], self.cut_after_bytes - len(piece)
                    sink.write(piece)
                    await sink.drain()
                    if is_up and self.cut_after_bytes is not None and self.cut_after_bytes <= 0:
                        self.cut_after_bytes = None
                        self.cut()
                        return
        sink.close()


@asynccontextmanager
async def network(broker_port: int, **how):
    """A network to a broker on this machine."""
    net = Network(**how)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if net.is_refusing:
            writer.transport.abort()
            return
        net.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", broker_port)
        for end in (writer, far_writer):
            net._open.add(end)
        try:
            await asyncio.gather(
                net._carry(reader, far_writer, is_up=True), net._carry(far_reader, writer, is_up=False)
            )
        finally:
            for end in (writer, far_writer):
                net._open.discard(end)
                end.transport.abort()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    net.port = server.sockets[0].getsockname()[1]
    try:
        yield net
    finally:
        net.is_dead = False
        server.close()
        net.cut()
        await asyncio.sleep(0.1)
