"""Runs user functions: on the event loop or in the thread pool, under `functionTimeout`."""

import asyncio
import contextvars
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from devtools.functions_host.indexing import IndexedFunction

EXIT_AFTER_TIMEOUT = 124
"""Exit status of a process that ended because an invocation exceeded functionTimeout."""

_LOG = logging.getLogger("host")


def end_process() -> None:
    """End this process at once, as the host ends its worker: nothing is cleaned up, nothing is waited for."""
    os._exit(EXIT_AFTER_TIMEOUT)


class Invoker:
    """Runs the functions of one app and knows how many run."""

    def __init__(self, timeout: float | None, on_timeout: Callable[[], None] = end_process) -> None:
        """Make an invoker.

        Args:
            timeout: `functionTimeout` in seconds; None is no limit.
            on_timeout: What ends the process; called in a thread of its own, since the event loop may be blocked.
        """
        self._timeout = timeout
        self._on_timeout = on_timeout
        # PYTHON_THREADPOOL_THREAD_COUNT unset means the executor's own default, as in the Python worker
        threads = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
        self._threads = ThreadPoolExecutor(max_workers=int(threads) if threads else None)
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def invoke(self, function: IndexedFunction, value: object) -> object:
        """Call a function with its trigger's value.

        Returns:
            What the function returned.

        Raises:
            Exception: Whatever the function raised; it is logged here.
        """
        invocation = uuid.uuid4()
        began = time.monotonic()
        _LOG.debug("Executing '%s' (Id=%s)", function.name, invocation)
        watchdog = self._watch(function.name)
        self._running += 1
        self._idle.clear()
        try:
            result = await self._run(function, {function.argument: value})
        except Exception:
            _LOG.exception("Executed '%s' (Failed, Id=%s)", function.name, invocation)
            raise
        else:
            _LOG.debug("Executed '%s' (Succeeded, Id=%s, %.0f ms)", function.name, invocation, _since(began))
            return result
        finally:
            if watchdog is not None:
                watchdog.cancel()
            self._running -= 1
            if self._running == 0:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until no invocation runs."""
        await self._idle.wait()

    async def _run(self, function: IndexedFunction, arguments: dict[str, Any]) -> object:
        if function.is_async:
            return await function.code(**arguments)
        context = contextvars.copy_context()
        call = partial(context.run, function.code, **arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _watch(self, name: str) -> threading.Timer | None:
        if self._timeout is None:
            return None

        def expired() -> None:
            _LOG.error("Timeout value of %s s was exceeded by function '%s': the worker ends", self._timeout, name)
            self._on_timeout()

        watchdog = threading.Timer(self._timeout, expired)
        watchdog.daemon = True
        watchdog.start()
        return watchdog


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
