"""One import between two emulated registries on real sockets, with Azurite behind it and faults in its way."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.storage.queue.aio import QueueClient

from devtools.app_in_process import AppInProcess
from devtools.emulator import Emulator, EmulatorConfig
from devtools.emulator.faults import Action, Answer, FaultRule
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import SampleImage, digest, image, layer
from devtools.testing import free_port, running_emulator
from importcore.registry.pool_transport import PoolTransport
from importcore.registry.registries import TransportFactory

CHUNK = 64 * 1024
LAYER = layer(4 * CHUNK)
NAME = digest(LAYER)
IMAGE = image([LAYER])
ENDED = {"Succeeded", "Failed", "Canceled"}
_RUNS_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class Voyage:
    """An app, its two registries, and its queue as an operator sees it."""

    app: AppInProcess
    queue: QueueClient
    source_host: str
    source: Emulator
    target_host: str
    target: Emulator

    @classmethod
    @asynccontextmanager
    async def begun(
        cls,
        storage: str,
        content: SampleImage = IMAGE,
        *,
        source: EmulatorConfig | None = None,
        target: EmulatorConfig | None = None,
        transport: TransportFactory = PoolTransport,
        storage_options: Mapping[str, Any] | None = None,
        hosts: tuple[str, ...] = (),
        **settings: str,
    ) -> AsyncIterator["Voyage"]:
        """Start it all, with `content` at the source as `app:1`; `hosts` are more registries of this machine."""
        async with running_emulator(source) as here, running_emulator(target) as there:
            await push(here[0], content)
            here[1].journal.clear()
            known = dict.fromkeys((here[0], there[0], *hosts), open_host())
            settings = {"TRANSLOAD_CHUNK_BYTES": str(CHUNK), "TRANSLOAD_IDLE_SECONDS": "1", **settings}
            wanted = app_settings(storage, there[0], known, **settings)
            async with (
                AppInProcess.started(wanted, transport, storage_options) as app,
                QueueClient.from_connection_string(storage, app.names.queue) as queue,
            ):
                yield cls(app, queue, *here, *there)

    async def submitted(self, source: str | None = None, target: str | None = None) -> str:
        """Submit `app:1` → `copy:1`, or at other hosts; the import's id."""
        body = {"source": f"{source or self.source_host}/app:1", "target": f"{target or self.target_host}/copy:1"}
        return await self.app.submitted(body)

    async def run_once(self, import_id: str) -> dict[str, Any]:
        """Deliver the import's message now, however long it would sleep; the record afterwards."""
        stored = await self.app.services.records.get(import_id)
        assert stored is not None
        if stored.record.lease_id:
            await self.queue.update_message(
                stored.record.lease_id, stored.record.lease_receipt or "", visibility_timeout=0
            )
        message = await self.queue.receive_message(visibility_timeout=60)
        assert message is not None, "an import that has not ended has a message"
        await self.app.services.importer.run(base64.b64decode(message.content), message.id)
        await self.queue.delete_message(message)
        return await self.app.record(import_id)

    async def ended(self, import_id: str | None = None) -> dict[str, Any]:
        """Run an import, awake, to its end; the record."""
        import_id = import_id or await self.submitted()
        for _ in range(_RUNS_AT_MOST):
            record = await self.run_once(import_id)
            if record["status"] in ENDED:
                return record
        raise AssertionError(f"the import does not end in {_RUNS_AT_MOST} runs")

    async def require_landed(self, record: dict[str, Any], content: SampleImage = IMAGE) -> None:
        """It succeeded, and the target serves the image byte for byte."""
        assert (record["status"], record["error"]) == ("Succeeded", None)
        async with RegistryContent.at(f"http://{self.target_host}", "copy") as target:
            found = await target.read("1")
        assert (found.root, set(found.blobs)) == (content.root, set(content.blobs))

    async def require_nothing_tagged(self, record: dict[str, Any], code: str) -> None:
        """It failed with this code, tagged nothing, left no upload open and no message behind."""
        assert (record["status"], record["error"]["code"]) == ("Failed", code)
        repositories = self.target.state()["repositories"]
        assert repositories.get("copy", {"tags": {}})["tags"] == {}
        assert self.target.state()["uploads"] == []
        assert (await self.queue.get_queue_properties()).approximate_message_count == 0

    def bytes_sent(self) -> int:
        """The bytes of blobs that the target has read, by its own journal."""
        return sum(entry.request_bytes for entry in self.target.journal.select(path="/blobs/uploads/"))


async def push(host: str, content: SampleImage = IMAGE) -> None:
    """Push an image to a registry as `app:1`."""
    async with RegistryContent.at(f"http://{host}", "app") as repository:
        await repository.push(content, "1")


def require_waiting(record: dict[str, Any], code: str) -> None:
    """It sleeps in the queue because of an error that may pass."""
    assert (record["status"], record["error"]["code"]) == ("Running", code)
    assert record["waitingUntil"]


def rule(action: Action, method: str, path: str = "", *, skip: int = 0, times: int | None = 1) -> FaultRule:
    """One line of a fault script."""
    return FaultRule(method=method, path=path, skip=skip, times=times, action=action)


def refusal(status: int, code: str = "UNKNOWN", **headers: str) -> Answer:
    """An answer with the spec's error body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"errors": [{"code": code, "message": "as scripted"}]})
    return Answer(status=status, headers={"Content-Type": "application/json", **named}, body=body)


def closed_host() -> str:
    """A host of this machine where nothing listens."""
    return f"127.0.0.1:{free_port()}"
