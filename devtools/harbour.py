"""For tests: an app, an image at its source, and its queue and table as an operator sees them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.storage.queue.aio import QueueClient

from devtools.claiming import claimed
from devtools.sample_images import SampleImage, image, layer
from devtools.ship import Ship
from importcore.run.running import RunningImport

IMAGE = image([layer(300_000)])


@dataclass(frozen=True, slots=True)
class Harbour:
    """A ship, and the queue as an operator sees it."""

    ship: Ship
    queue: QueueClient

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, storage: str, content: SampleImage = IMAGE, settings: Mapping[str, str] | None = None
    ) -> AsyncIterator["Harbour"]:
        """Start an app of its own, with an image at the source as `app:1`."""
        async with Ship.sails(storage, None, None, **(settings or {})) as ship:
            await ship.push(content, "1", "app")
            name = ship.app.names.queue
            async with QueueClient.from_connection_string(storage, name) as queue:
                yield cls(ship, queue)

    async def submitted(self, target: str = "copy:1") -> str:
        """Submit an import; its id."""
        body = {"source": f"{self.ship.source}/app:1", "target": f"{self.ship.target}/{target}"}
        return str(await self.ship.app.submitted(body))

    async def messages(self) -> int:
        """How many messages there are, invisible ones included."""
        return (await self.queue.get_queue_properties()).approximate_message_count or 0

    async def take(self) -> tuple[bytes, str]:
        """Take the next message away, as an accident would; body and id."""
        message = await self.queue.receive_message()
        if message is None:
            raise AssertionError("no message is visible")
        await self.queue.delete_message(message)
        return base64.b64decode(message.content), message.id

    async def deliver_once(self) -> None:
        """Deliver the next message, as the host does, and wait for it to become visible if need be."""
        while (message := await self.queue.receive_message(visibility_timeout=60)) is None:  # noqa: ASYNC110 (storage)
            await asyncio.sleep(0.1)
        await self.ship.app.services.importer.run(base64.b64decode(message.content), message.id)
        await self.queue.delete_message(message)

    async def claimed(self, body: bytes, message_id: str) -> RunningImport | None:
        """Claim an import and do nothing more, as a worker that dies at once."""
        return await claimed(self.ship.app.services, body, message_id)

    async def record(self, import_id: str) -> dict[str, Any]:
        """The record, as users see it."""
        return await self.ship.app.record(import_id)

    def events(self, record: dict[str, Any]) -> list[str]:
        """The names in a record's history."""
        return [event["event"] for event in record["history"]]

    async def tags(self) -> dict[str, str]:
        """The tags of the repository `copy` at the target."""
        repositories = self.ship.target_emulator.state()["repositories"]
        return dict(repositories["copy"]["tags"]) if "copy" in repositories else {}
