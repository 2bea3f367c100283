"""For tests of rules: two emulated registries that tell of their pushes, rules between them, and several workers.

A push is told to an app as a `PushEvent`, when the test says so; what an import pushes to the target is told as well,
where the test wants that. Storage is a real Azurite, or whatever `born` builds its workers on.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from azure.storage.queue.aio import QueueClient

from devtools.emulator import Emulator, create_emulator
from devtools.local_queue import LocalQueue
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host, worker
from devtools.sample_images import SampleImage
from devtools.storage_setup import make_storage
from importcore.caller import Caller
from importcore.hooks.push_event import PushEvent
from importcore.reception.taken import Taken
from importcore.state.record import ImportRecord
from importcore.storage.names import StorageNames
from importcore.wiring import Services

SOURCE, TARGET = "source.test", "target.test"
RULES = f"""
version: 1
rules:
- name: mirror
  on: {{registry: {SOURCE}}}
  to: {TARGET}/{{repository}}:{{tag}}
"""
_BEGINNING = datetime(2026, 1, 2, tzinfo=UTC)
_CALLER = Caller.by_hook("test")


@dataclass
class RuleStage:
    """One app, and the registries that it copies between.

    Attributes:
        storage: The connection string of a storage account.
        rules: The rules.
        settings: More app settings.
    """

    storage: str
    rules: str = RULES
    settings: Mapping[str, str] = field(default_factory=dict)
    registries: dict[str, Emulator] = field(default_factory=dict)
    clock: datetime = _BEGINNING

    def __post_init__(self) -> None:
        self.registries = {SOURCE: create_emulator(), TARGET: create_emulator()}
        name = f"rules{uuid4().hex[:16]}"
        self.names = StorageNames(name, name, name, f"{name}-n", f"{name}-e")

    async def set_up(self) -> "RuleStage":
        """Make the queues, the table and the container."""
        await make_storage(self.storage, self.names)
        return self

    @property
    def environment(self) -> dict[str, str]:
        """The app settings."""
        hosts = {host: open_host() for host in self.registries}
        given = {"TRANSLOAD_TARGET_REGISTRIES": ",".join(self.registries), "TRANSLOAD_RULES": self.rules}
        return app_settings(self.storage, TARGET, hosts, **{**given, **self.settings})

    def born(self) -> Services:
        """A worker process."""
        return worker(self.environment, self.apps, names=self.names)

    @property
    def apps(self) -> dict[str, Any]:
        """What answers for each registry."""
        return {host: emulator.app for host, emulator in self.registries.items()}

    # -- pushes and events -----------------------------------------------------------------------------------------

    async def push(self, content: SampleImage, tag: str = "1", repository: str = "app", to: str = SOURCE) -> PushEvent:
        """Somebody pushes; the event that the registry would send."""
        transport = httpx.ASGITransport(self.registries[to].app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{to}") as http:
            await RegistryContent(http, repository).push(content, tag)
        self.clock += timedelta(seconds=1)
        return PushEvent(to, repository, tag, content.root, self.clock)

    async def tell(self, *events: PushEvent, host: Services | None = None) -> list[Taken]:
        """Hand events to an app, all at once."""
        app = host or self.born()
        try:
            return list(await asyncio.gather(*(app.reception.take(event, caller=_CALLER) for event in events)))
        finally:
            if host is None:
                await app.aclose()

    # -- work and what came of it ----------------------------------------------------------------------------------

    async def work_off(self, hosts: int = 1, born: Callable[[], Services] | None = None) -> None:
        """Let so many hosts work until the queue is empty."""

        async def nobody_dies() -> None:
            raise AssertionError("a worker died that nobody killed")

        async with QueueClient.from_connection_string(self.storage, self.names.queue) as client:
            queues = [LocalQueue(client, 30.0) for _ in range(hosts)]
            await asyncio.gather(*(queue.work_off(born or self.born, nobody_dies) for queue in queues))
        refused = [error for queue in queues for error in queue.refused]
        if refused:
            raise AssertionError(f"a worker refused a message: {refused[0]}")

    async def take_events(self) -> int:
        """Let a host work the queue of events off; how many messages it took."""
        taken = 0
        app = self.born()
        async with QueueClient.from_connection_string(self.storage, self.names.event_queue) as client:
            while message := await client.receive_message():
                await app.event_messages.take(base64.b64decode(message.content))
                await client.delete_message(message)
                taken += 1
        await app.aclose()
        return taken

    async def messages(self) -> list[dict[str, Any]]:
        """The messages of the queue, as far as they can be seen."""
        async with QueueClient.from_connection_string(self.storage, self.names.queue) as client:
            return [json.loads(base64.b64decode(m.content)) for m in await client.peek_messages(max_messages=32)]

    async def records(self) -> Sequence[ImportRecord]:
        """All records, newest first."""
        app = self.born()
        try:
            return (await app.records.newest(top=5_000))[0]
        finally:
            await app.aclose()

    def tag(self, tag: str = "1", repository: str = "app", at: str = TARGET) -> str | None:
        """What a tag stands on."""
        found = self.registries[at].state()["repositories"].get(repository)
        return found["tags"].get(tag) if found else None

    def tag_puts(self, tag: str = "1", repository: str = "app", at: str = TARGET) -> int:
        """How often a tag was written."""
        return len(self.registries[at].journal.select("PUT", f"/v2/{repository}/manifests/{tag}"))
