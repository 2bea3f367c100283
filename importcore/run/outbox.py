"""Posts the messages of notices that are due, so that whoever asked is told that an import has ended.

The record is the outbox: the write that ends an import makes its notices due. Whoever made that write posts their
messages before it deletes the import's own message; if it dies in between, that message comes back, and whoever
receives it posts them (`claim.py`). So a notice is posted at least once, and never before its import has ended.
"""

from importcore.state.notice_message import NoticeMessage
from importcore.state.record import ImportRecord
from importcore.storage.queue import ImportQueue


class Outbox:
    """Puts notices into their queue, which `notices/delivery.py` works off."""

    def __init__(self, queue: ImportQueue) -> None:
        """Take the queue of the notices."""
        self._queue = queue

    async def post(self, record: ImportRecord) -> None:
        """Post whatever is due and was not tried yet; a notice that was tried has its next message already.

        Raises:
            StorageUnavailableError: Nobody knows whether all was posted; the caller must come back.
        """
        for notice in record.due_notices:
            if not notice.attempts:
                await self._queue.send(NoticeMessage(record.id, notice.channel).encode())
