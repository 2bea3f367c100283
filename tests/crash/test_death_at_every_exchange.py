"""The heart of the promise: whatever exchange a worker dies at, the import ends with the same bytes at the target.

Every exchange of an import, with a registry or with storage, is once the last of a worker: it has its effect, and the
worker never learns of it. What the outside then looks like is what it looks like before the next exchange, so these
moments are all there are. The queue brings the import back; a fresh worker goes on.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from azure.storage.queue.aio import QueueClient

from devtools.emulator import Emulator, create_emulator
from devtools.local_queue import LocalQueue
from devtools.registry_content import Found, RegistryContent
from devtools.rehearsal import Died, Moment, Mortality, app_settings, open_host, worker
from devtools.sample_images import SampleImage, image, layer, multi_platform
from devtools.storage_setup import make_storage
from importcore.caller import Caller
from importcore.request.model import read_import_request
from importcore.state.record import ImportRecord, Status
from importcore.storage.names import StorageNames
from importcore.wiring import Services

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

SOURCE, TARGET = "source.test", "target.test"
CHUNK = 64 * 1024
LEASE_SECONDS = 3
AT_ONCE = 40


@dataclass(frozen=True, slots=True)
class Scene:
    """What is imported, and into which repositories."""

    image: SampleImage
    targets: tuple[str, ...] = ("copy/app:1",)


SCENES = {
    "small image": Scene(image([layer(2_000)])),
    "index": Scene(multi_platform([1_000], ["linux/amd64", "linux/arm64"])),
    "layer of several chunks": Scene(image([layer(3 * CHUNK + 100)])),
    "two repositories, mounted": Scene(image([layer(1_500)]), ("copy/app:1", "other/app:2")),
}


class Stage:
    """One import from submission to the end, with a worker that may die on the way."""

    def __init__(self, scene: Scene, storage: str) -> None:
        self.scene = scene
        self.source, self.target = create_emulator(), create_emulator()
        self._storage = storage
        self._names = StorageNames(*[f"crash{uuid4().hex[:16]}"] * 3)
        hosts = {SOURCE: open_host(), TARGET: open_host()}
        more = {"TRANSLOAD_LEASE_SECONDS": str(LEASE_SECONDS), "TRANSLOAD_CHUNK_BYTES": str(CHUNK)}
        self._settings = app_settings(storage, TARGET, hosts, TRANSLOAD_PARALLEL_TRANSFERS="1", **more)

    def worker(self, mortality: Mortality | None = None) -> Services:
        """A worker process."""
        return worker(self._settings, {SOURCE: self.source.app, TARGET: self.target.app}, mortality, self._names)

    async def play(self, mortality: Mortality) -> ImportRecord:
        """Submit (again, with the same key, if the worker dies of it), and work the queue off."""
        await make_storage(self._storage, self._names)
        await push(self.source, "app", self.scene.image)

        def born() -> Services:
            return self.worker(None if mortality.dead else mortality)

        import_id = await self._submit(born)
        async with QueueClient.from_connection_string(self._storage, self._names.queue) as client:
            await LocalQueue(client).work_off(born, on_death=self.require_content_behind_tags)
        witness = self.worker()
        record = await witness.intake.get(import_id, Caller.by_key())
        await witness.aclose()
        return record

    async def _submit(self, born: Callable[[], Services]) -> str:
        body = {"source": f"{SOURCE}/app:1", "targetRegistry": TARGET, "targetTags": list(self.scene.targets)}
        request = read_import_request(json.dumps(body).encode(), default_target=None)
        while True:
            services = born()
            try:
                return (await services.intake.submit(request, Caller.by_key(), idempotency_key="the-only-one")).id
            except Died:
                continue
            finally:
                await services.aclose()

    async def require_content_behind_tags(self) -> None:
        """A tag that is visible has everything behind it; reading it raises otherwise."""
        for target in self.scene.targets:
            repository, _, tag = target.partition(":")
            if await tag_digest(self.target, repository, tag):
                await read(self.target, repository, tag)

    def bytes_received(self) -> int:
        """Bytes of blobs that the target was sent."""
        return sum(entry.request_bytes for entry in self.target.journal.select(path="/blobs/uploads/"))


async def push(emulator: Emulator, repository: str, content: SampleImage, tag: str = "1") -> None:
    """Put an image into an emulated registry."""
    async with client_of(emulator) as http:
        await RegistryContent(http, repository).push(content, tag)


async def read(emulator: Emulator, repository: str, tag: str) -> Found:
    """Read an image back with every byte."""
    async with client_of(emulator) as http:
        return await RegistryContent(http, repository).read(tag)


async def tag_digest(emulator: Emulator, repository: str, tag: str) -> str | None:
    """What a tag stands on."""
    async with client_of(emulator) as http:
        return await RegistryContent(http, repository).tag_digest(tag)


def client_of(emulator: Emulator) -> httpx.AsyncClient:
    """A client of an emulated registry that is no part of the product."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(emulator.app), base_url="http://registry.test")


async def exchanges_of(scene: Scene, storage: str) -> list[str]:
    """All exchanges of an import that nothing disturbs."""
    mortality = Mortality()
    record = await Stage(scene, storage).play(mortality)
    assert record.status is Status.SUCCEEDED
    return mortality.seen


@pytest.mark.parametrize("name", SCENES)
async def test_an_import_survives_death_at_every_exchange(storage: str, name: str) -> None:
    """Wherever the worker dies, the import succeeds, the bytes are the source's, and little is sent twice."""
    scene = SCENES[name]
    seen = await exchanges_of(scene, storage)
    assert len(seen) > 20
    at_once = asyncio.Semaphore(AT_ONCE)

    async def die_at(number: int) -> tuple[bool, str | None]:
        async with at_once:
            mortality = Mortality(number, Moment.AFTER)
            stage = Stage(scene, storage)
            record = await stage.play(mortality)
            return mortality.dead, await what_is_wrong(stage, record)

    ends = await asyncio.gather(*map(die_at, range(len(seen))))
    told = zip(seen, ends, strict=True)
    assert [f"{exchange}: {problem}" for exchange, (_, problem) in told if problem] == []
    # Heartbeats come by the clock: an import that meets fewer of them ends before the last exchanges are reached.
    assert sum(died for died, _ in ends) > 0.9 * len(seen)


async def what_is_wrong(stage: Stage, record: ImportRecord) -> str | None:
    """Name the first broken promise; None when all were kept."""
    if record.status is not Status.SUCCEEDED:
        return f"ended {record.status}: {record.error}"
    original = await read(stage.source, "app", "1")
    for target in stage.scene.targets:
        if await read(stage.target, *target.split(":")) != original:
            return f"{target} differs from the source"
    most = stage.scene.image.size + CHUNK
    if stage.bytes_received() > most:
        return f"the target was sent {stage.bytes_received()} bytes, at most {most} were needed"
    if len(stage.target.store.uploads()) > 1:
        return "more upload sessions were left open than the one that the worker died over"
    return None
