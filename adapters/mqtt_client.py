"""What does the MQTT library leave undone? Cancellation that is heeded, sockets that are closed, certificates."""

import asyncio
import socket
import struct
from contextlib import suppress

import aiomqtt

from adapters.address import TlsFiles


def heed_cancellation() -> None:
    """Raise a cancellation that was forgotten.

    Up to Python 3.11 `asyncio.wait_for`, in which the library waits, swallows one that comes just as the answer does.

    Raises:
        CancelledError: this task is being cancelled.

    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def tls(files: TlsFiles) -> aiomqtt.TLSParameters:
    """Files with certificates and keys as the library takes them."""
    ca, cert, key = (None if file is None else str(file) for file in (files.ca, files.cert, files.key))
    return aiomqtt.TLSParameters(ca_certs=ca, certfile=cert, keyfile=key)


async def enter(client: aiomqtt.Client) -> None:
    """Connect. The library connects in a thread that cannot be stopped: cancellation waits for it."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(aiomqtt.MqttError):
            await entering
        raise


async def abort(client: aiomqtt.Client) -> None:
    """Close the socket, if it is open, with a reset, so that what has not left this machine never does.

    The library leaves the socket of a failed or frozen connection open, and has no way to close it.
    """
    await asyncio.sleep(0)  # what the library has scheduled for the socket must find it open
    paho = client._client  # noqa: SLF001
    connection = paho.socket()
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        paho._sock_close()  # noqa: SLF001
