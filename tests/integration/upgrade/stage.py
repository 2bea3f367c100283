"""Where the samples of a version are written and read again: an import that a fault stopped in the middle of its layer.

The registries have names of their own, so that a sample says the same wherever it is read; the target signs its upload
states with a key that is known, and its open upload is kept beside the sample.
"""

import base64
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from azure.data.tables.aio import TableClient
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from devtools.emulator import EmulatorConfig, create_emulator
from devtools.receiver import Receiver
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host, worker
from devtools.sample_images import image, layer
from devtools.storage_setup import make_storage
from importcore.storage.names import StorageNames
from importcore.wiring import Services

SOURCE, TARGET, RECEIVER = "source.test", "target.test", "receiver.example"
LAYER = layer(200_000, seed=1)
IMAGE = image([LAYER])
CHUNK = 64 * 1024
KEY = b"k" * 32
_BASE64: dict[str, Any] = {
    "message_encode_policy": TextBase64EncodePolicy(),
    "message_decode_policy": TextBase64DecodePolicy(),
}


class UpgradeStage:
    """A worker between two registries, with storage of its own."""

    def __init__(self, storage: str, target_folder: Path) -> None:
        """Take the connection string of an Azurite, and an empty folder for the target's content."""
        self._storage = storage
        target_folder.mkdir(parents=True, exist_ok=True)
        (target_folder / "secret.key").write_bytes(KEY)
        self.source = create_emulator()
        self.target = create_emulator(EmulatorConfig(data_dir=target_folder))
        self.receiver = Receiver()
        name = f"upgrade{uuid4().hex[:16]}"
        self.names = StorageNames(name, name, name, f"{name}-n", f"{name}-e")

    async def set_up(self) -> "UpgradeStage":
        """Make queue, table and container, and push the image to the source as `app:1`."""
        await make_storage(self._storage, self.names)
        transport = httpx.ASGITransport(self.source.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{SOURCE}") as http:
            await RegistryContent(http, "app").push(IMAGE, "1")
        self.source.journal.clear()
        return self

    def worker(self) -> Services:
        """Start a worker process of the present version."""
        settings = app_settings(
            self._storage,
            TARGET,
            {SOURCE: open_host(), TARGET: open_host()},
            TRANSLOAD_CHUNK_BYTES=str(CHUNK),
            TRANSLOAD_PARALLEL_TRANSFERS="1",
            TRANSLOAD_CALLBACK_KEYS="k1:" + base64.b64encode(KEY).decode(),
        )
        apps = {SOURCE: self.source.app, TARGET: self.target.app, RECEIVER: self.receiver}
        return worker(settings, apps, names=self.names)

    def queue(self) -> QueueClient:
        """Give the queue of the imports."""
        return QueueClient.from_connection_string(self._storage, self.names.queue, **_BASE64)

    def table(self) -> TableClient:
        """Give the table of the records."""
        return TableClient.from_connection_string(self._storage, self.names.table)

    async def put(self, message: str, entity: dict[str, Any], plan: bytes) -> tuple[bytes, str]:
        """Put what a version left into storage; the message's body and id, as the host delivers them.

        Storage gives the message a new id, which the record has to name in place of the old one.
        """
        async with self.queue() as queue, self.table() as table:
            sent = await queue.send_message(message, visibility_timeout=600)
            record = json.loads(entity["Record0"]) | {"lease_id": sent.id, "lease_receipt": sent.pop_receipt}
            await table.create_entity(entity | {"Record0": json.dumps(record)})
        worker = self.worker()
        try:
            await worker.plans.write_once(str(entity["RowKey"]), plan)
        finally:
            await worker.aclose()
        return message.encode(), str(sent.id)
