"""For tests: an app in this process and receivers of its notices, between emulated registries, on the real Azurite."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from azure.storage.queue.aio import QueueClient

from devtools.emulator import create_emulator
from devtools.local_queue import LocalQueue, send_notice
from devtools.receiver import Receiver
from devtools.registry_content import RegistryContent
from devtools.rehearsal import Mortality, app_settings, open_host, worker
from devtools.sample_images import image, layer
from devtools.storage_setup import make_storage
from importcore.api.http_api import Answer, answered, cancel, get, submit
from importcore.caller import Caller
from importcore.state.record import ImportRecord
from importcore.storage.names import StorageNames
from importcore.wiring import Services

SOURCE, TARGET, RECEIVER, SINK = "source.test", "target.test", "receiver.example", "sink.example"
CALLBACK_URL = f"https://{RECEIVER}/hook/p4th?token=hush"
KEY = b"k" * 32
_VISIBILITY = 2.0
_CALLER = Caller.by_key()


@dataclass
class NoticeStage:
    """One app with its queues and table, an image `app:1` at the source, and two receivers.

    Attributes:
        storage: The connection string of an Azurite.
        settings: More app settings.
        more: What else answers in the network, by host.
        receiver: Answers at `CALLBACK_URL`.
        sink: Answers at `https://sink.example`.
    """

    storage: str
    settings: Mapping[str, str] = field(default_factory=dict)
    receiver: Receiver = field(default_factory=Receiver)
    sink: Receiver = field(default_factory=Receiver)
    more: Mapping[str, Any] = field(default_factory=dict)

    async def set_up(self) -> "NoticeStage":
        """Make the queues and the image."""
        name = f"notices{uuid4().hex[:16]}"
        self.names = StorageNames(name, name, name, f"{name}-n", f"{name}-e")
        await make_storage(self.storage, self.names)
        self._source, self._target = create_emulator(), create_emulator()
        transport = httpx.ASGITransport(self._source.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry.test") as http:
            for tag in ("1", "2"):
                await RegistryContent(http, "app").push(image([layer(1_000)]), tag)
        return self

    def worker(self, mortality: Mortality | None = None) -> Services:
        """A worker process, which may die."""
        apps = {
            SOURCE: self._source.app,
            TARGET: self._target.app,
            RECEIVER: self.receiver,
            SINK: self.sink,
            **self.more,
        }
        given = {
            "TRANSLOAD_LEASE_SECONDS": "2",
            "TRANSLOAD_CALLBACK_KEYS": "k1:" + base64.b64encode(KEY).decode(),
            "TRANSLOAD_NOTICE_RETRY_SECONDS": "1",
        }
        hosts = {SOURCE: open_host(), TARGET: open_host()}
        settings = app_settings(self.storage, TARGET, hosts, **{**given, **self.settings})
        return worker(settings, apps, mortality, self.names)

    async def post(self, **body: Any) -> Answer:  # noqa: ANN401 (fields of the body)
        """`POST /api/imports`; of `app:1` to `copy:1`, where the body does not say otherwise."""
        whole = {"source": f"{SOURCE}/app:1", "target": f"{TARGET}/copy:1", **body}
        sent = json.dumps({name: value for name, value in whole.items() if value is not None}).encode()
        return await self._call(lambda on: submit(on, _CALLER, sent, None))

    async def submitted(self, **body: Any) -> str:  # noqa: ANN401 (fields of the body)
        """Submit; the id."""
        answer = await self.post(**body)
        if answer.status != 202:  # noqa: PLR2004 (Accepted)
            raise AssertionError(f"the import was not accepted: {answer.body}")
        return str(json.loads(answer.body)["id"])

    async def canceled(self, import_id: str) -> None:
        """`POST /api/imports/{id}/cancel`."""
        await self._call(lambda on: cancel(on, _CALLER, import_id))

    async def lose_messages(self) -> None:
        """Empty the queue of the imports, as if the messages had never been sent."""
        async with QueueClient.from_connection_string(self.storage, self.names.queue) as client:
            await client.clear_messages()

    async def run_imports(self, mortality: Mortality | None = None) -> None:
        """Work the queue of the imports off; a worker that died is replaced by one that does not."""
        async with QueueClient.from_connection_string(self.storage, self.names.queue) as client:
            await LocalQueue(client, _VISIBILITY).work_off(lambda: self._born(mortality), _nothing)

    async def send_notices(self, mortality: Mortality | None = None) -> None:
        """Work the queue of the notices off, invisible messages included."""
        async with QueueClient.from_connection_string(self.storage, self.names.notice_queue) as client:
            await LocalQueue(client, _VISIBILITY, send_notice).work_off(lambda: self._born(mortality), _nothing)

    async def ended(self, **body: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of the body)
        """Submit an import, work everything off, and give its record as users see it."""
        import_id = await self.submitted(**body)
        await self.run_imports()
        await self.send_notices()
        return await self.shown(import_id)

    async def shown(self, import_id: str) -> dict[str, Any]:
        """The record, as users see it."""
        value: dict[str, Any] = json.loads((await self._call(lambda on: get(on, _CALLER, import_id))).body)
        return value

    async def kept(self, import_id: str) -> ImportRecord:
        """The record, as it is kept."""
        services = self.worker()
        try:
            return await services.intake.get(import_id, _CALLER)
        finally:
            await services.aclose()

    def _born(self, mortality: Mortality | None) -> Services:
        return self.worker(None if mortality is None or mortality.dead else mortality)

    async def _call(self, operation: Any) -> Answer:  # noqa: ANN401 (an operation of the API)
        services = self.worker()
        try:
            return await answered(lambda: operation(services))
        finally:
            await services.aclose()


async def _nothing() -> None:
    """Nothing is looked at when a worker dies."""
