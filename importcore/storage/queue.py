"""The import queue: sending messages, and holding the lease message of a running import.

Queue storage REST: Put Message answers the id and pop receipt of what was put; Update Message takes a receipt, makes
the message invisible for a time and answers a new receipt, and refuses an old one. That refusal is the fence: whoever
holds the latest receipt owns the import.
"""

import math
from dataclasses import dataclass, field

from azure.core.exceptions import HttpResponseError
from azure.storage.queue.aio import QueueClient

from importcore.errors import LeaseLostError
from importcore.storage.faults import error_code, storage_step

_NEVER_EXPIRES = -1
_LOST = frozenset({"PopReceiptMismatch", "MessageNotFound"})
INVISIBLE_AT_MOST = 6 * 24 * 3600.0
"""Queue storage allows seven days; a message that sleeps longer would be refused."""


@dataclass(frozen=True, slots=True)
class LeaseHandle:
    """A message in the queue and the receipt that allows to change it."""

    id: str
    receipt: str = field(repr=False)


class ImportQueue:
    """The queue `imports`. Bodies are text; the client encodes them in base64, as the Functions host expects."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    async def send(self, body: str, *, visible_in: float = 0.0) -> LeaseHandle:
        """Put a message that becomes visible after `visible_in` seconds.

        Raises:
            StorageUnavailableError: It was not put, or nobody knows whether it was.
        """
        with storage_step("send a queue message"):
            sent = await self._client.send_message(
                body, visibility_timeout=_whole(visible_in), time_to_live=_NEVER_EXPIRES
            )
        return LeaseHandle(sent.id, str(sent.pop_receipt))

    async def update(self, lease: LeaseHandle, body: str, *, visible_in: float) -> LeaseHandle:
        """Rewrite a message and set when it becomes visible.

        Raises:
            LeaseLostError: Somebody else received it since; this process owns nothing any more.
            StorageUnavailableError: No answer.
        """
        with storage_step("renew the lease message"):
            try:
                updated = await self._client.update_message(
                    lease.id, lease.receipt, content=body, visibility_timeout=_whole(visible_in)
                )
            except HttpResponseError as error:
                if error_code(error) in _LOST:
                    raise LeaseLostError("another run took this import over") from error
                raise
        return LeaseHandle(lease.id, str(updated.pop_receipt))

    async def wake(self, lease: LeaseHandle) -> None:
        """Make a waiting message visible now, as it is; it is no error when somebody has it already.

        Raises:
            StorageUnavailableError: No answer.
        """
        with storage_step("wake a queue message"):
            try:
                await self._client.update_message(lease.id, lease.receipt, visibility_timeout=0)
            except HttpResponseError as error:
                if error_code(error) not in _LOST:
                    raise

    async def delete(self, lease: LeaseHandle) -> None:
        """Delete a message; it is no error when it is gone or another's already.

        Raises:
            StorageUnavailableError: No answer.
        """
        with storage_step("delete a queue message"):
            try:
                await self._client.delete_message(lease.id, lease.receipt)
            except HttpResponseError as error:
                if error_code(error) not in _LOST:
                    raise

    async def has_waiting(self) -> bool:
        """Tell whether a message is visible, waiting to be taken.

        Raises:
            StorageUnavailableError: No answer.
        """
        with storage_step("peek at the queue"):
            return bool(await self._client.peek_messages(max_messages=1))

    async def check(self) -> None:
        """Ask for the queue's properties, to know that it is there and may be used.

        Raises:
            StorageUnavailableError: It is not.
        """
        with storage_step("read the queue's properties"):
            await self._client.get_queue_properties()


def _whole(seconds: float) -> int:
    return math.ceil(min(max(seconds, 0.0), INVISIBLE_AT_MOST))
