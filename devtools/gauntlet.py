"""For tests: imports that real Functions hosts work on, and die of.

The host is the local Functions host with the real app in it, its storage is Azurite, its registries listen on real
sockets; every exchange passes a wire that can kill (`deadly_wire.py`). Hosts are born of one nursery; each import has
a storage account and repositories of its own, so that many can be played at once.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from azure.storage.queue.aio import QueueClient

from devtools.azurite import Azurite, AzuritePorts, running_azurite
from devtools.deadly_wire import DeadlyWire, Doom, StorageProxy
from devtools.emulator import Emulator, create_emulator
from devtools.nursery import Nursery
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import artifact, image, index, layer
from devtools.serving import serving
from devtools.storage_setup import make_storage
from importcore.caller import Caller
from importcore.request.model import read_import_request
from importcore.state.record import ImportRecord, Status
from importcore.storage.names import STORAGE_NAMES
from importcore.wiring import build

if TYPE_CHECKING:
    from starlette.types import ASGIApp

CHUNK = 64 * 1024
LEASE_SECONDS = 5
_ACCOUNTS = 400
IMAGE = index({"linux/amd64": image([layer(2 * CHUNK + 100), layer(500)])})
SIGNATURE = artifact(b"signature", artifact_type="application/vnd.example.signature", subject=IMAGE)
"""An index, a layer of several chunks, a small one, a referrer; into two repositories, so that blobs are mounted."""


@dataclass
class World:
    """Everything around the hosts."""

    azurite: Azurite
    proxies: AzuritePorts
    nursery: Nursery
    wire: DeadlyWire
    source: Emulator
    target: Emulator
    source_host: str
    target_host: str
    logs: Path
    accounts: list[str]

    @classmethod
    @asynccontextmanager
    async def made(cls, logs: Path) -> AsyncIterator["World"]:
        """Start everything but the hosts."""
        wire = DeadlyWire()
        source, target = create_emulator(), create_emulator()
        async with contextlib.AsyncExitStack() as stack:
            names = [f"case{number}" for number in range(_ACCOUNTS)]
            azurite = await stack.enter_async_context(running_azurite(accounts=names))
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60, limits=limits))
            services = (azurite.ports.blob, azurite.ports.queue, azurite.ports.table)
            proxied: list[ASGIApp] = [StorageProxy(f"http://127.0.0.1:{port}", http) for port in services]
            ports = [
                await stack.enter_async_context(serving(wire.before(app))) for app in (*proxied, source.app, target.app)
            ]
            nursery = await stack.enter_async_context(Nursery.opened())
            hosts = [f"127.0.0.1:{port}" for port in ports[3:]]
            proxies = AzuritePorts(*ports[:3])
            yield cls(azurite, proxies, nursery, wire, source, target, hosts[0], hosts[1], logs, names)


class Case:
    """One import, and the hosts that die of it."""

    def __init__(self, world: World, doom: Doom) -> None:
        self.world, self.doom = world, doom
        self.name = world.accounts.pop()
        self._connection = Azurite.at(world.azurite.ports, self.name).connection_string
        self.host = 0

    def _settings(self, connection: str) -> dict[str, str]:
        hosts = {self.world.source_host: open_host(), self.world.target_host: open_host()}
        more = {
            "TRANSLOAD_LEASE_SECONDS": str(LEASE_SECONDS),
            "TRANSLOAD_CHUNK_BYTES": str(CHUNK),
            "TRANSLOAD_PARALLEL_TRANSFERS": "1",
            "LOCALHOST_FIRST_VISIBILITY_SECONDS": "3",
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.500",
        }
        return app_settings(connection, self.world.target_host, hosts, **more)

    async def play(self) -> ImportRecord:
        """Submit the import and keep a host alive until it has ended and no message is left."""
        await make_storage(self._connection)
        async with self._content(self.world.source, "app") as content:
            await content.push(IMAGE, "1")
            await content.push(SIGNATURE, SIGNATURE.root)
        services = build(self._settings(self._connection))
        try:
            tags = [f"{self.name}/copy:1", f"{self.name}/other:2"]
            body = {"source": f"{self.world.source_host}/{self.name}/app:1", "targetTags": tags}
            request = read_import_request(json.dumps(body).encode(), default_target=self.world.target_host)
            import_id = (await services.intake.submit(request, Caller.by_key())).id
            self.world.wire.dooms[self.name] = self.doom
            self.doom.kill = lambda: self.world.nursery.kill(self.host)
            keeper = asyncio.create_task(self._keep_a_host_alive())
            try:
                async with QueueClient.from_connection_string(self._connection, STORAGE_NAMES.queue) as queue:
                    while (await queue.get_queue_properties()).approximate_message_count:  # noqa: ASYNC110 (storage)
                        await asyncio.sleep(0.2)
            finally:
                keeper.cancel()
                self.world.nursery.kill(self.host)
            return await services.intake.get(import_id, Caller.by_key())
        finally:
            await services.aclose()

    async def _keep_a_host_alive(self) -> None:
        settings = self._settings(Azurite.at(self.world.proxies, self.name).connection_string)
        while True:
            self.host = await self.world.nursery.birth(settings, self.world.logs / f"{self.name}.log")
            await self.world.nursery.until_dead(self.host)
            await self.require_content_behind_tags()

    async def require_content_behind_tags(self) -> None:
        """A tag that is visible has everything behind it, and its referrer; reading it raises otherwise."""
        for repository, tag in (("copy", "1"), ("other", "2")):
            async with self._content(self.world.target, repository) as content:
                if await content.tag_digest(tag):
                    await content.read(tag)
                    await content.read(SIGNATURE.root)

    @asynccontextmanager
    async def _content(self, registry: Emulator, repository: str) -> AsyncIterator[RegistryContent]:
        """A repository as a witness sees it, who does not pass the wire."""
        transport = httpx.ASGITransport(registry.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry.test") as http:
            yield RegistryContent(http, f"{self.name}/{repository}")

    async def what_is_wrong(self, record: ImportRecord) -> str | None:
        """Name the first broken promise; None when all were kept."""
        if record.status is not Status.SUCCEEDED:
            return f"ended {record.status}: {record.error}"
        for repository, tag in (("copy", "1"), ("other", "2")):
            async with self._content(self.world.target, repository) as content:
                found = await content.read(tag)
                signature = await content.read(SIGNATURE.root)
            if (found.root, set(found.blobs)) != (IMAGE.root, set(IMAGE.blobs)) or signature.root != SIGNATURE.root:
                return f"{repository} differs from the source"
        uploads = self.world.target.journal.select(path=f"/v2/{self.name}/")
        received = sum(entry.request_bytes for entry in uploads if "/blobs/uploads/" in entry.path)
        # A run that ends in the middle costs a chunk at most: it was killed or, on a slow machine, lost its lease.
        most = IMAGE.size + SIGNATURE.size + CHUNK * (record.attempts - 1)
        if received > most:
            return f"the target was sent {received} bytes in {record.attempts} runs, at most {most} were needed"
        return None
