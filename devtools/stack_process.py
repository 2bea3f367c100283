"""For tests: the local stack as a user starts it, `python -m devtools up` in a process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0


class StackFailedError(Exception):
    """The local stack did not start."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: what it printed when it was ready (see `devtools/stack`)."""

    ready: Mapping[str, Any]

    @property
    def api(self) -> str:
        """The address of the HTTP API."""
        return str(self.ready["api"])

    @property
    def source(self) -> str:
        """The registry to import from, `host:port`."""
        return str(self.ready["source"])

    @property
    def target(self) -> str:
        """The registry to import into, `host:port`."""
        return str(self.ready["target"])

    @property
    def worker(self) -> int:
        """The process id of the first worker."""
        return int(self.ready["processes"]["workers"][0])

    @property
    def identity(self) -> Mapping[str, str]:
        """The managed identity endpoint, as the environment variables that azure-identity reads."""
        identity = self.ready["identity"]
        return {"IDENTITY_ENDPOINT": identity["endpoint"], "IDENTITY_HEADER": identity["header"]}


@asynccontextmanager
async def running_stack(*options: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Stack]:
    """Start the stack, and stop it at the end.

    Raises:
        StackFailedError: It ended, or was not ready in time; its own words are on stderr.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "devtools", "up", *options),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    if process.stdout is None:
        raise StackFailedError("the stack has no standard output")
    try:
        async with asyncio.timeout(_READY_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise StackFailedError(f"the stack ended with code {await process.wait()}")
        yield Stack(json.loads(line))
    except TimeoutError as error:
        raise StackFailedError(f"the stack was not ready within {_READY_SECONDS:.0f} s") from error
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
