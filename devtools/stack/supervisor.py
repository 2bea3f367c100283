"""Keeps processes running: what dies is started again a second later, as Azure does with a worker."""

import asyncio
import contextlib
import sys
from collections.abc import Callable

from devtools.stack.child import Child, ChildError, ChildSpec

_RESTART_SECONDS = 1.0


class SupervisedProcess:
    """One process that is started again whenever it ends, until it is stopped."""

    def __init__(self, spec: ChildSpec, on_change: Callable[[], None]) -> None:
        """Supervise a process.

        Args:
            spec: How to run it.
            on_change: Called after every start and every death.
        """
        self._spec = spec
        self._on_change = on_change
        self._child: Child | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None between a death and the next start."""
        return self._child.pid if self._child else None

    async def start(self) -> dict[str, object]:
        """Start it for the first time.

        Returns:
            Its ready line; empty where it has none.

        Raises:
            ChildError: It did not get ready; it is not tried again.
        """
        child = self._child = await Child.start(self._spec)
        self._watch = asyncio.create_task(self._keep_running(child))
        self._on_change()
        return child.ready_line

    async def stop(self) -> None:
        """Stop it for good."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._child is not None:
            await self._child.stop()
            self._child = None

    async def _keep_running(self, child: Child) -> None:
        while True:
            pid, status = child.pid, await child.wait()
            await child.stop()
            self._child = None
            self._on_change()
            _say(f"{self._spec.name} (pid {pid}) ended with status {status}; it is started again")
            self._child = child = await self._started_again()
            _say(f"{self._spec.name} runs again as pid {child.pid}")
            self._on_change()

    async def _started_again(self) -> Child:
        while True:
            await asyncio.sleep(_RESTART_SECONDS)
            try:
                return await Child.start(self._spec)
            except ChildError as error:
                _say(str(error))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
