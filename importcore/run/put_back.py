"""Giving an import a new message, in place of one that is gone or that the host has given up.

The same two steps as a claim (see `claim.py`), so that at every moment exactly one message may act: the message is sent
first, invisible, and then the record names it, guarded by its ETag. A process that dies between the two leaves a
message that the record does not name, which is stale.
"""

from collections.abc import Callable
from dataclasses import replace

from importcore.sealing import Sealer
from importcore.state.checkpoint import Checkpoint
from importcore.state.message import Handover, ImportMessage
from importcore.state.record import ImportRecord, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords, RecordChangedError, StoredRecord

_UNTIL_NAMED_SECONDS = 30.0
"""How long the new message stays invisible at least: time enough to name it in the record."""


class PutBack:
    """Puts imports back into the queue."""

    def __init__(self, records: ImportRecords, queue: ImportQueue, sealer: Sealer) -> None:
        self._records = records
        self._queue = queue
        self._sealer = sealer

    async def now(
        self,
        stored: StoredRecord,
        checkpoint: Checkpoint,
        change: Callable[[ImportRecord], ImportRecord],
        *,
        after_seconds: float = 0.0,
    ) -> bool:
        """Put an import back.

        Args:
            stored: Its record as it was read.
            checkpoint: Where it shall go on.
            change: What else to write into the record.
            after_seconds: When the new message becomes visible.

        Returns:
            Whether that was done; not where somebody changed the record meanwhile, which proves that it lives.

        Raises:
            StorageUnavailableError: No answer. The record names either the former message or the new one.
        """
        record = stored.record
        handover = Handover.QUEUED if record.lease_id is None else Handover.HELD
        message = ImportMessage(record.id, handover, record.attempts, checkpoint)
        sent = await self._queue.send(message.encode(self._sealer), visible_in=max(after_seconds, _UNTIL_NAMED_SECONDS))
        named = replace(change(record), lease_id=sent.id, lease_receipt=sent.receipt, updated_at=now())
        try:
            await self._records.replace(stored, named)
        except RecordChangedError:
            await self._queue.delete(sent)
            return False
        if not after_seconds:
            await self._queue.wake(sent)
        return True
