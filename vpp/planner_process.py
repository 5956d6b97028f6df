"""The planner as a process beside the loop: asked, waited for, and ended if it does not answer.

It keeps its model alive between plans. If it dies or takes too long, the plan before goes on, and the next request
starts a new process.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from vpp.planning import PlanAnswer, PlanRequest, read_answer, request_line

LONGEST_LINE_BYTES = 64 * 1024 * 1024
"""An answer holds every asset's whole day."""


class PlannerProcess:
    """One planner of one site.

    Args:
        site_path: The site file.
        deadline_s: How long an answer may take.

    """

    def __init__(self, site_path: Path, deadline_s: float) -> None:
        self._site_path, self._deadline_s = site_path, deadline_s
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process; `None` while there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the process, so that it is ready when the first plan is asked for; a failure shows then."""
        with contextlib.suppress(OSError):
            await self._running()

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """Ask for a plan. Never raises: what went wrong is the answer's `failure`."""
        try:
            async with asyncio.timeout(self._deadline_s):
                process = await self._running()
                assert process.stdin is not None and process.stdout is not None, "both were piped"  # noqa: PT018
                process.stdin.write(request_line(request))
                await process.stdin.drain()
                line = await process.stdout.readline()
        except TimeoutError:
            await self.stop()
            return PlanAnswer(None, f"no answer within {self._deadline_s:g} s; the planner was ended")
        except (OSError, ValueError) as error:
            await self.stop()
            return PlanAnswer(None, f"the planner cannot be reached: {error}")
        if not line:
            code = await process.wait()
            self._process = None
            return PlanAnswer(None, f"the planner died (exit {code})")
        try:
            return read_answer(line)
        except ValueError as error:
            return PlanAnswer(None, f"the planner answered what cannot be read: {error}")

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "vpp.replanner", str(self._site_path),
                stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE_BYTES, start_new_session=True,
            )  # fmt: skip
        return self._process
