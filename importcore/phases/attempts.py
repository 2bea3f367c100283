"""How often one blob may be begun again, and how long to wait before (the second owner of retries).

A blob is restarted three times at most; it may stumble any number of times as long as it moves between, and five
times in a row without. What lasts longer is the queue's: the error goes up and the import waits there for nothing.
"""

import asyncio

from importcore.deadline import Deadline, OutOfTime
from importcore.errors import TransloadError
from importcore.jitter import jittered

_RESTARTS_AT_MOST = 3
_STUMBLES_AT_MOST = 5
_FIRST_WAIT = 0.2
_WAIT_AT_MOST = 5.0


class BlobAttempts:
    """Counts the troubles of one blob."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._restarts = 0
        self._stumbles = 0
        self._furthest = 0

    def restart(self, error: TransloadError) -> None:
        """The blob begins again from zero.

        Raises:
            TransloadError: `error`, when that happened too often.
        """
        self._restarts += 1
        self._furthest = 0
        if self._restarts > _RESTARTS_AT_MOST:
            raise error

    async def restart_after_pause(self, error: TransloadError) -> None:
        """The bytes were wrong; read them again a little later, as often as the blob may begin again.

        Raises:
            TransloadError: `error`, when that happened too often, or the slice is over.
            OutOfTime: The process must end.
        """
        self.restart(error)
        await self._pause(self._restarts, error)

    async def stumble(self, error: TransloadError, offset: int) -> None:
        """A request of the blob failed with the target at `offset`; wait before the next.

        Raises:
            TransloadError: `error`, when nothing moved for too long, the registry asks to wait longer than this, or
                the slice is over.
            OutOfTime: The process must end.
        """
        self._stumbles = 1 if offset > self._furthest else self._stumbles + 1
        self._furthest = max(self._furthest, offset)
        if self._stumbles > _STUMBLES_AT_MOST or (error.retry_after or 0.0) > _WAIT_AT_MOST:
            raise error
        await self._pause(self._stumbles, error)

    async def _pause(self, times: int, error: TransloadError) -> None:
        """Wait; where the slice ends over trouble, the trouble is what the record shall name."""
        longest = min(_WAIT_AT_MOST, _FIRST_WAIT * 2.0**times)
        pause = jittered(longest, error.retry_after)
        if pause < self._deadline.remaining:
            await asyncio.sleep(pause)
        elif self._deadline.stopped:
            raise OutOfTime
        else:
            raise error
