"""For tests: a host process under observation, and the other end of its queue."""

import asyncio
import base64
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from azure.storage.queue.aio import QueueServiceClient

from devtools.stack.child import Child

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ObservedQueue:
    """A queue of one test, as somebody else than the host sees it."""

    service: QueueServiceClient
    name: str

    async def send(self, body: str, *, encoded: bool = True) -> str:
        """Send a message; its id."""
        text = base64.b64encode(body.encode()).decode() if encoded else body
        return str((await self.service.get_queue_client(self.name).send_message(text)).id)

    async def length(self) -> int:
        """Count messages, invisible ones included."""
        properties = await self.service.get_queue_client(self.name).get_queue_properties()
        return properties.approximate_message_count or 0

    async def poisoned(self) -> list[str]:
        """Read what stands in the poison queue, undecoded; nothing where there is none."""
        names = [queue.name async for queue in self.service.list_queues(name_starts_with=f"{self.name}-poison")]
        if not names:
            return []
        return [m.content for m in await self.service.get_queue_client(names[0]).peek_messages(max_messages=32)]

    async def is_empty(self) -> bool:
        """Tell whether no message is left, not even an invisible one."""
        return await self.length() == 0

    async def until_empty(self) -> None:
        """Wait until no message is left."""
        while not await self.is_empty():  # noqa: ASYNC110 (another process)
            await asyncio.sleep(_POLL_SECONDS)

    async def until_poisoned(self) -> list[str]:
        """Wait until a message stands in the poison queue and none in this one."""
        while not (found := await self.poisoned()) or not await self.is_empty():  # noqa: ASYNC110 (another process)
            await asyncio.sleep(_POLL_SECONDS)
        return found


@dataclass(frozen=True, slots=True)
class ObservedHost:
    """A host process, and what its app wrote down: one JSON object on each line of `notes`."""

    child: Child
    notes: Path

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.child.ready_line["url"])

    def happened(self, **expected: object) -> list[dict[str, Any]]:
        """Give the events that hold all these values, in order."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [event for event in events if expected.items() <= event.items()]

    async def until(self, times: int = 1, **expected: object) -> list[dict[str, Any]]:
        """Wait until such an event was written down so many times."""
        while len(found := self.happened(**expected)) < times:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(_POLL_SECONDS)
        return found


class StartHost(Protocol):
    """Starts a host on an app."""

    def __call__(self, *arguments: str, **settings: str) -> AbstractAsyncContextManager[ObservedHost]:
        """Start it with more arguments on its command line, and with more app settings."""
