"""For tests: delivers queue messages to a worker in process, as the Functions host does, and survives its death."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from devtools.rehearsal import Died
from importcore.errors import TransloadError
from importcore.wiring import Services

_POLL_SECONDS = 0.1


Trigger = Callable[[Services, bytes, str], Awaitable[None]]


async def run_import(worker: Services, body: bytes, message_id: str) -> None:
    """What the trigger of the import queue does."""
    await worker.importer.run(body, message_id)


async def send_notice(worker: Services, body: bytes, message_id: str) -> None:  # noqa: ARG001 (the trigger's form)
    """What the trigger of the notice queue does."""
    await worker.notices.deliver(body)


class LocalQueue:
    """The queue trigger of one queue.

    A message that a worker took and died of comes back after `visibility` seconds (the host's first lease is ten
    minutes; here it is short, so that stale messages are seen to come back).
    """

    def __init__(self, client: QueueClient, visibility: float = 5.0, trigger: Trigger = run_import) -> None:
        self._client = client
        self._trigger = trigger
        self._visibility = visibility
        self.refused: list[TransloadError] = []

    async def work_off(self, born: Callable[[], Services], on_death: Callable[[], Awaitable[None]]) -> None:
        """Deliver until the queue is empty, invisible messages included; a worker that died is replaced."""
        worker = born()
        try:
            while await self._waiting():
                message = await self._client.receive_message(visibility_timeout=int(self._visibility))
                if message is None:
                    await asyncio.sleep(_POLL_SECONDS)
                    continue
                try:
                    await self._trigger(worker, base64.b64decode(message.content), message.id)
                except Died:
                    await worker.aclose()  # what a killed process holds is closed by the kernel
                    await on_death()
                    worker = born()
                except TransloadError as error:
                    self.refused.append(error)
                else:
                    await self._delete(message)
        finally:
            await worker.aclose()

    async def _waiting(self) -> int:
        return (await self._client.get_queue_properties()).approximate_message_count or 0

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await self._client.delete_message(message)
        except ResourceNotFoundError:
            return
