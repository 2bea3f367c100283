"""For tests: hosts in processes of their own, to be had by the hundred and killed (`functions_host/nursery.py`)."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from devtools.stack.tether import tethered

_ROOT = Path(__file__).parents[1]


class Nursery:
    """Brings up host processes and tells when they have ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._ended: dict[int, asyncio.Event] = {}
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["Nursery"]:
        """Open one; all its hosts end with it."""
        process = await asyncio.create_subprocess_exec(
            *tethered([sys.executable, "-m", "devtools.functions_host.nursery", "--app", str(_ROOT)]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_ROOT,
        )
        nursery = cls(process)
        listening = asyncio.create_task(nursery._listen())
        try:
            yield nursery
        finally:
            listening.cancel()
            if process.stdin:
                process.stdin.close()
            await process.wait()

    async def birth(self, environment: Mapping[str, str], log: Path) -> int:
        """Bring up a host with these app settings; its process id."""
        if self._process.stdin is None:
            raise RuntimeError("the nursery has no standard input")
        async with self._one_at_a_time:
            order = {"environment": dict(environment), "log": str(log)}
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            await self._process.stdin.drain()
            return await self._born.get()

    def kill(self, pid: int) -> None:
        """Kill a host, as the kernel would; one that has ended already stays so."""
        if not self._event(pid).is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def until_dead(self, pid: int) -> None:
        """Wait until a host has ended."""
        await self._event(pid).wait()

    def _event(self, pid: int) -> asyncio.Event:
        return self._ended.setdefault(pid, asyncio.Event())

    async def _listen(self) -> None:
        if self._process.stdout is None:
            raise RuntimeError("the nursery has no standard output")
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if "born" in told:
                self._ended.pop(told["born"], None)  # process ids come again
                self._born.put_nowait(told["born"])
            else:
                self._event(told["dead"]).set()
        raise RuntimeError("the nursery ended")
