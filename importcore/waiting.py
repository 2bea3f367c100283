"""Waits for the end of an import on behalf of a caller, so that one request is enough (`Prefer: wait`).

Beside the path of an import: it reads the record and nothing else, so that an import never notices who waits for it,
who hung up, and that a process which waited is gone.
"""

import asyncio
import contextlib
import logging

from importcore.caller import Caller
from importcore.deadline import Deadline
from importcore.errors import StorageUnavailableError
from importcore.intake import Intake
from importcore.state.record import ImportRecord

_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.25, 1.5, 5.0
"""Seconds. A small image has arrived within seconds; whoever waits for 200 makes about 45 reads."""
_log = logging.getLogger("transload")


class Waiting:
    """Reads records with growing pauses until an import has ended, time is up, or the process is asked to end."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._stopped = asyncio.Event()

    async def for_end(self, record: ImportRecord, caller: Caller, deadline: Deadline) -> ImportRecord:
        """Give the record at the end of the import, or as it stood last.

        A read that storage does not answer is passed over: the import was accepted, whatever becomes of the waiting.

        Raises:
            ImportNotFoundError: The record is not there any more, or the caller may not see it any more.
        """
        pause = _FIRST_PAUSE
        while not record.status.is_final and not self._stopped.is_set() and deadline.remaining > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), min(pause, deadline.remaining))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
            try:
                record = await self._intake.get(record.id, caller)
            except StorageUnavailableError as error:
                _log.warning("import %s: %s; the caller still waits", record.id, error)
        return record

    def stop(self) -> None:
        """Let everybody who waits have their answer now: the platform is ending this process."""
        self._stopped.set()
