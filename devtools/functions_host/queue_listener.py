"""Polls one queue and keeps at most `batchSize + newBatchThreshold` of its messages in process.

As the storage extension's QueueListener does: a batch of `batchSize` is fetched when no more than `newBatchThreshold`
are in flight; a fetch that finds nothing is followed by a growing pause, up to `maxPollingInterval`. The trigger's
queue is not created: while it is missing, the listener looks again later.
"""

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from devtools.functions_host.host_json import QueuesSection
from devtools.functions_host.queue_processor import QueueProcessor

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage

_SHORTEST_PAUSE = 0.1
_LOG = logging.getLogger("host.queues")


class PollingBackoff:
    """The pause before the next poll: doubles from 100 ms, give or take a fifth, and starts again after a find."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._next = _SHORTEST_PAUSE

    def reset(self) -> None:
        """A message was found."""
        self._next = _SHORTEST_PAUSE

    def pause(self) -> float:
        """Give the next pause in seconds."""
        pause = min(self._next * random.uniform(0.8, 1.2), self._longest)  # noqa: S311 (spreads polls; no secret)
        self._next = min(self._next * 2, self._longest)
        return pause


class QueueListener:
    """Feeds one function from one queue until it is told to stop."""

    def __init__(
        self, queue: QueueClient, processor: QueueProcessor, section: QueuesSection, first_visibility: float
    ) -> None:
        self._queue = queue
        self._processor = processor
        self._section = section
        self._first_visibility = first_visibility
        self._backoff = PollingBackoff(section.max_polling_interval)
        self._in_flight: set[asyncio.Task[None]] = set()

    async def listen(self, stop: asyncio.Event) -> None:
        """Fetch and process until `stop` is set; then wait for the messages in process."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                if await self._fetch():
                    self._backoff.reset()
                    await self._until_refill(stopping)
                else:
                    await asyncio.wait({stopping}, timeout=self._backoff.pause())
        finally:
            stopping.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _until_refill(self, stopping: "asyncio.Task[bool]") -> None:
        while len(self._in_flight) > self._section.refill_at and not stopping.done():
            await asyncio.wait({*self._in_flight, stopping}, return_when=asyncio.FIRST_COMPLETED)

    async def _fetch(self) -> bool:
        messages: list[QueueMessage] = []
        batch = self._section.batch_size
        try:
            async for message in self._queue.receive_messages(
                messages_per_page=batch, max_messages=batch, visibility_timeout=round(self._first_visibility)
            ):
                messages.append(message)  # noqa: PERF401 (what was fetched before a failure must not be lost)
        except ResourceNotFoundError:
            _LOG.debug("There is no queue '%s' yet", self._queue.queue_name)
        except AzureError as error:
            _LOG.warning("Polling '%s' failed: %s", self._queue.queue_name, error)
        for message in messages:
            task = asyncio.create_task(self._processor.process(message))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        return bool(messages)
