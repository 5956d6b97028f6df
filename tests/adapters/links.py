"""Links to real brokers for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from adapters.address import Address
from adapters.mqtt import MqttLink, Timing
from adapters.port import Incoming
from adapters.session import Session, Subscription

QUICK = Timing(heartbeat_s=1.5, first_delay_s=0.1, longest_delay_s=0.5)
LONGEST_S = 20


async def until(is_so: Callable[[], bool], seconds: float = LONGEST_S) -> None:
    """Wait for a condition; fail where it does not come."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110  whatever a test waits for
            await asyncio.sleep(0.005)


def make(url: str, client_id: str, *filters: str, timing: Timing = QUICK, receive=None, **options):
    """A link and the list of what it heard."""
    heard: list[Incoming] = []
    sizes = {name: options.pop(name) for name in ("inbox_size", "outbox_size") if name in options}
    session = Session(client_id, receive or heard.append, tuple(Subscription(name) for name in filters), **options)
    return MqttLink(Address.from_url(url), session, f"test/beat/{client_id}", timing=timing, **sizes), heard


@asynccontextmanager
async def linked(url: str, client_id: str, *filters: str, **options) -> AsyncIterator[tuple[MqttLink, list[Incoming]]]:
    """A connected link and the list of what it heard; closed in order at the end."""
    link, heard = make(url, client_id, *filters, **options)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    run = asyncio.create_task(link.run())
    up = asyncio.create_task(link.wait_up())
    try:
        await asyncio.wait((run, up), timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        if run.done():
            run.result()
        assert link.is_up, link.why_down
        yield link, heard
    finally:
        up.cancel()
        link.close()
        done, _ = await asyncio.wait((run,), timeout=LONGEST_S)
        if not done:
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run
            raise AssertionError("the link does not end")
        run.result()
    assert not faults, faults
