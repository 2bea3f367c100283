"""Fires one timer function on its schedule.

The real host makes a timer a singleton by a blob lease and catches up on occurrences that were missed; this one does
neither: run timers in one process, and `past_due` is always False.
"""

import asyncio
import logging
from datetime import UTC, datetime

from azure.functions.timer import TimerRequest

from devtools.functions_host.indexing import IndexedFunction, TimerTrigger
from devtools.functions_host.invocation import Invoker
from devtools.functions_host.ncrontab import Schedule

_LOG = logging.getLogger("host.timers")


class TimerListener:
    """Calls one function whenever its schedule says so; never twice at a time."""

    def __init__(self, function: IndexedFunction, trigger: TimerTrigger, invoker: Invoker) -> None:
        """Make a listener.

        Raises:
            ScheduleError: The schedule cannot be read.
        """
        self._function = function
        self._run_on_startup = trigger.run_on_startup
        self._schedule = Schedule.parse(trigger.schedule)
        self._invoker = invoker

    async def listen(self, stop: asyncio.Event) -> None:
        """Fire until `stop` is set."""
        stopping = asyncio.create_task(stop.wait())
        try:
            if self._run_on_startup:
                await self._fire()
            while not stop.is_set():
                now = datetime.now(UTC)
                pause = (self._schedule.next_after(now) - now).total_seconds()
                done, _ = await asyncio.wait({stopping}, timeout=pause)
                if not done:
                    await self._fire()
        finally:
            stopping.cancel()

    async def _fire(self) -> None:
        try:
            await self._invoker.invoke(self._function, TimerRequest(past_due=False))
        except Exception:  # noqa: BLE001 (the next occurrence comes anyway; the invoker logged it)
            _LOG.debug("'%s' waits for its next occurrence", self._function.name)
