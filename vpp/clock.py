"""Which time is it? The only place where clocks are read."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A wall clock, and a monotonic one that nobody sets."""

    def now(self) -> datetime:
        """Wall clock, in UTC."""

    def mono_s(self) -> float:
        """Monotonic clock [s]."""

    async def wait(self, until_s: float, wake: asyncio.Event) -> bool:
        """Wait until an instant of the monotonic clock, or until somebody wakes us.

        Returns:
            Whether the instant has come.

        """


class WallClock:
    """The clock of this machine."""

    speed = 1.0

    def now(self) -> datetime:
        """Wall clock, in UTC."""
        return datetime.now(UTC)

    def mono_s(self) -> float:
        """Monotonic clock [s]."""
        return time.monotonic()

    async def wait(self, until_s: float, wake: asyncio.Event) -> bool:
        """Wait until an instant, or until somebody wakes us."""
        return await _wait((until_s - self.mono_s()) / self.speed, wake)


class FastClock(WallClock):
    """A clock that begins at an instant of its own and runs many times faster.

    Args:
        start: What it shows now, in UTC.
        speed: Seconds of its time in one of ours.

    """

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self.speed, self._began_s = start, speed, time.monotonic()

    def now(self) -> datetime:
        """Wall clock, in UTC."""
        return self._start + timedelta(seconds=self.mono_s())

    def mono_s(self) -> float:
        """Monotonic clock [s]."""
        return (time.monotonic() - self._began_s) * self.speed


class VirtualClock:
    """A clock that stands still until it is waited for, and then jumps.

    Args:
        start: What it shows first, in UTC.

    """

    def __init__(self, start: datetime) -> None:
        self._start, self._elapsed_s = start, 0.0

    def now(self) -> datetime:
        """Wall clock, in UTC."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def mono_s(self) -> float:
        """Monotonic clock [s]."""
        return self._elapsed_s

    async def wait(self, until_s: float, wake: asyncio.Event) -> bool:
        """Jump to an instant, unless there is something to do before."""
        if wake.is_set():
            wake.clear()
            return False
        self._elapsed_s = max(self._elapsed_s, until_s)
        return True


async def _wait(seconds: float, wake: asyncio.Event) -> bool:
    if seconds <= 0:
        await asyncio.sleep(0)
        return True
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return True
    wake.clear()
    return False
