"""One process of the stack: started, known to be ready, stopped."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from devtools.stack.tether import tethered

_READY_SECONDS = 60.0
_LOG_TAIL_BYTES = 2000


class ChildError(RuntimeError):
    """A process ended before it was ready, or did not get ready in time; the message quotes its log."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to run a process.

    Attributes:
        name: What it is called in messages and files.
        command: Program and arguments.
        log: The file that gets its standard error, and its standard output after the ready line.
        environment: Its whole environment.
        folder: Its working directory.
        stop_seconds: How long it may take to end after SIGTERM, before it is killed.
        ready: Returns when it is ready; None waits for a line of JSON on its standard output instead.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    stop_seconds: float = 10.0
    ready: Callable[[], Awaitable[None]] | None = None


class Child:
    """A running process."""

    def __init__(self, spec: ChildSpec, process: asyncio.subprocess.Process) -> None:
        self._spec = spec
        self._process = process
        self._output: asyncio.Task[None] | None = None
        self.ready_line: dict[str, Any] = {}

    @classmethod
    async def start(cls, spec: ChildSpec) -> "Child":
        """Start a process and wait until it is ready.

        Raises:
            ChildError: It is not.
        """
        with spec.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *tethered(spec.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=dict(spec.environment),
                cwd=spec.folder,
                start_new_session=True,  # Ctrl-C is for the stack, which then stops each process in order
            )
        child = cls(spec, process)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await child._until_ready()
        except TimeoutError as error:
            await child.stop()
            raise ChildError(f"{spec.name} did not get ready in {_READY_SECONDS:g} s:\n{_tail(spec.log)}") from error
        except BaseException:
            await child.stop()
            raise
        return child

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's, too."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait until it has ended; its exit status, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL to its whole process group when that does not end it in time."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(self._spec.stop_seconds):
                    await self._process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                await self._process.wait()
        if self._output is not None:
            await self._output

    async def _until_ready(self) -> None:
        if self._process.stdout is None:
            raise ChildError(f"{self._spec.name} has no standard output")
        if self._spec.ready is None:
            await self._read_ready_line(self._process.stdout)
            self._output = asyncio.create_task(_copy(self._process.stdout, self._spec.log))
            return
        self._output = asyncio.create_task(_copy(self._process.stdout, self._spec.log))
        ready, ended = asyncio.ensure_future(self._spec.ready()), asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise ChildError(f"{self._spec.name} ended before it was ready:\n{_tail(self._spec.log)}")
        finally:
            ready.cancel()
            ended.cancel()

    async def _read_ready_line(self, output: asyncio.StreamReader) -> None:
        while line := await output.readline():
            with contextlib.suppress(json.JSONDecodeError):
                if isinstance(found := json.loads(line), dict):
                    self.ready_line = found
                    return
        await self._process.wait()
        raise ChildError(f"{self._spec.name} ended before it was ready:\n{_tail(self._spec.log)}")


async def _copy(output: asyncio.StreamReader, path: Path) -> None:
    log: BinaryIO
    with path.open("ab") as log:
        while piece := await output.read(65536):
            log.write(piece)
            log.flush()


def _tail(log: Path) -> str:
    return log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
