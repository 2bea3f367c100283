"""The life of one queue message in the trigger: decode, poison, renew, delete.

The rules are those of the storage extension's QueueProcessor and QueueListener (azure-sdk-for-net,
Microsoft.Azure.WebJobs.Extensions.Storage.Queues). A process that dies does nothing of this: the message comes back
when its visibility runs out, with a dequeue count one higher.
"""

import asyncio
import base64
import binascii
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.functions.queue import QueueMessage as FunctionMessage
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from devtools.functions_host.host_json import QueuesSection
from devtools.functions_host.indexing import IndexedFunction
from devtools.functions_host.invocation import Invoker

POISON_SUFFIX = "-poison"
_LONGEST_QUEUE_NAME = 63
_LOG = logging.getLogger("host.queues")


def poison_queue_name(queue: str) -> str | None:
    """Name the poison queue of a queue; None for a poison queue itself, and where the name would be too long."""
    if queue.endswith(POISON_SUFFIX) or len(queue) + len(POISON_SUFFIX) > _LONGEST_QUEUE_NAME:
        return None
    return queue + POISON_SUFFIX


@dataclass(slots=True)
class Receipt:
    """The pop receipt with which a message can be changed next; every renewal gives a new one."""

    message_id: str
    pop_receipt: str


class QueueProcessor:
    """Processes the messages of one queue by one function."""

    def __init__(
        self,
        function: IndexedFunction,
        queue: QueueClient,
        poison_queue: QueueClient | None,
        section: QueuesSection,
        *,
        invoker: Invoker,
        first_visibility: float,
    ) -> None:
        """Make a processor.

        Args:
            function: What a message is given to.
            queue: Its queue; the client must not decode messages.
            poison_queue: Where messages go that failed too often; None leaves them invisible instead.
            section: host.json's numbers.
            invoker: What runs the function.
            first_visibility: How long a fetched message stays invisible, in seconds; renewed at half of it.
        """
        self._function = function
        self._queue = queue
        self._poison_queue = poison_queue
        self._section = section
        self._invoker = invoker
        self._first_visibility = first_visibility

    async def process(self, message: QueueMessage) -> None:
        """Take one fetched message to its end: deleted, released for another try, or poisoned."""
        receipt = Receipt(message.id, message.pop_receipt or "")
        try:
            await self._process(message, receipt)
        except AzureError:
            _LOG.exception("Message %s of '%s' is left to its visibility", message.id, self._queue.queue_name)

    async def _process(self, message: QueueMessage, receipt: Receipt) -> None:
        try:
            body = self._decoded(message.content)
        except (binascii.Error, ValueError):
            _LOG.error("Message %s of '%s' is not base64", message.id, self._queue.queue_name)
            await self._poison(message, receipt)
            return
        if self._poison_queue is not None and (message.dequeue_count or 0) > self._section.max_dequeue_count:
            await self._poison(message, receipt)
            return
        if await self._succeeds(message, body, receipt):
            await self._delete(receipt)
        elif self._poison_queue is None:
            # a queue without a poison queue: left invisible, so that a fast failure cannot spin
            return
        elif (message.dequeue_count or 0) >= self._section.max_dequeue_count:
            await self._poison(message, receipt)
        else:
            await self._release(receipt)

    async def _succeeds(self, message: QueueMessage, body: bytes, receipt: Receipt) -> bool:
        value = FunctionMessage(  # type: ignore[no-untyped-call]  # the class that the worker hands out
            id=message.id,
            body=body,
            dequeue_count=message.dequeue_count,
            expiration_time=message.expires_on,
            insertion_time=message.inserted_on,
            time_next_visible=message.next_visible_on,
            pop_receipt=message.pop_receipt,
        )
        async with self._renewed(receipt):
            try:
                await self._invoker.invoke(self._function, value)
            except Exception:  # noqa: BLE001 (whatever a user function raises is a failed attempt; the invoker logged it)
                return False
        return True

    @asynccontextmanager
    async def _renewed(self, receipt: Receipt) -> AsyncIterator[None]:
        renewal = asyncio.create_task(self._renew(receipt))
        try:
            yield
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal

    async def _renew(self, receipt: Receipt) -> None:
        while True:
            await asyncio.sleep(self._first_visibility / 2)
            try:
                await self._change_visibility(receipt, self._first_visibility)
            except AzureError as error:
                _LOG.warning("The visibility of message %s was not renewed: %s", receipt.message_id, error)

    async def _change_visibility(self, receipt: Receipt, seconds: float) -> None:
        changed = await self._queue.update_message(
            receipt.message_id, receipt.pop_receipt, visibility_timeout=round(seconds)
        )
        receipt.pop_receipt = changed.pop_receipt or ""

    async def _release(self, receipt: Receipt) -> None:
        with _lost_to_others():
            await self._change_visibility(receipt, self._section.visibility_timeout)

    async def _poison(self, message: QueueMessage, receipt: Receipt) -> None:
        if self._poison_queue is None:
            return
        _LOG.warning("Message %s moves to '%s'", message.id, self._poison_queue.queue_name)
        try:
            await self._poison_queue.send_message(message.content)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                await self._poison_queue.create_queue()
            await self._poison_queue.send_message(message.content)
        await self._delete(receipt)

    async def _delete(self, receipt: Receipt) -> None:
        with _lost_to_others():
            await self._queue.delete_message(receipt.message_id, receipt.pop_receipt)

    def _decoded(self, content: str) -> bytes:
        if self._section.message_encoding == "none":
            return content.encode()
        return base64.b64decode(content, validate=True)


@contextlib.contextmanager
def _lost_to_others() -> Iterator[None]:
    """Pass over a message that somebody else changed or deleted: the extension ignores it, too."""
    try:
        yield
    except HttpResponseError as error:
        if error.error_code not in {"PopReceiptMismatch", "MessageNotFound"}:  # type: ignore[attr-defined]
            raise
        _LOG.debug("A message was changed by somebody else: %s", error)
