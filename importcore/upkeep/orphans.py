"""Imports whose message is gone: found by a timer, and put back into the queue.

An import lives as long as its message does, and the queue does not lose messages. People do (a queue that was cleared,
or restored from elsewhere), and so does a process that dies between creating a record and sending its first message.
Such a record would stay `Queued` or `Running` for ever.

A message cannot be looked up while it is invisible, so its absence is concluded: nothing visible waits in the queue,
and the import has given no sign of life for longer than any message of its own can be invisible (the lease time, the
time until which it said that it would sleep, and the ten minutes for which the Functions host hides a message that it
has taken). A wrong conclusion costs one message and nothing else: the record names the new message, so that a former
one which still turns up is stale (see `run/put_back.py`).
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from importcore.run.put_back import PutBack
from importcore.state.checkpoint import Checkpoint
from importcore.state.record import ImportRecord, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords

_log = logging.getLogger("transload")


class Orphans:
    """Finds imports without a message and gives them a new one."""

    def __init__(
        self, records: ImportRecords, queue: ImportQueue, put_back: PutBack, *, silence_seconds: float
    ) -> None:
        """Take what it needs; an import is an orphan only after `silence_seconds` without a sign of life."""
        self._records = records
        self._queue = queue
        self._put_back = put_back
        self._silence = timedelta(seconds=silence_seconds)

    async def put_back(self) -> int:
        """Put every orphan back.

        Returns:
            How many there were. None is looked for while messages wait to be taken: one of them may be the missing
            one, and a second for each import would only lengthen the queue.

        Raises:
            StorageUnavailableError: No answer; the next timer goes on.
        """
        if await self._queue.has_waiting():
            return 0
        before = now() - self._silence
        found = 0
        async for stored in self._records.open_imports():
            if last_sign_of_life(stored.record) < before and await self._put_back.now(stored, Checkpoint(), _told):
                _log.warning("import %s had no message in the queue any more; it was put back", stored.record.id)
                found += 1
        return found


def _told(record: ImportRecord) -> ImportRecord:
    return replace(record, waiting_until=None).noting("PutBack", "its message was gone from the queue")


def last_sign_of_life(record: ImportRecord) -> datetime:
    """Tell when an import was last heard of; in the future where it has said until when it sleeps."""
    signs = (record.created_at, record.updated_at, record.waiting_until)
    return max(sign for sign in signs if sign is not None)
