"""For tests: the whole product in this process, on real sockets, with the real Azurite behind it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from azure.storage.queue.aio import QueueClient

from devtools.local_queue import LocalQueue, send_notice
from devtools.storage_setup import make_storage
from importcore.api.http_api import Answer, answered, get, submit
from importcore.caller import Caller
from importcore.registry.pool_transport import PoolTransport
from importcore.registry.registries import TransportFactory
from importcore.storage.names import StorageNames
from importcore.wiring import Services, build


class AppInProcess:
    """One app with a queue, table and container of its own."""

    def __init__(self, services: Services, settings: Mapping[str, str], names: StorageNames) -> None:
        self.services = services
        self._settings = settings
        self.names = names

    @classmethod
    @asynccontextmanager
    async def started(
        cls,
        settings: Mapping[str, str],
        transport: TransportFactory = PoolTransport,
        storage_options: Mapping[str, Any] | None = None,
    ) -> AsyncIterator["AppInProcess"]:
        """Start an app from app settings; the other two are those of `wiring.build`."""
        name = f"app{uuid4().hex[:16]}"
        names = StorageNames(name, name, name, f"{name}-notices", f"{name}-events")
        await make_storage(settings["AzureWebJobsStorage"], names)
        services = build(settings, transport, storage_options, names)
        try:
            yield cls(services, settings, names)
        finally:
            await services.aclose()

    def with_settings(self, **settings: str) -> "AppInProcess":
        """The same app, whose next workers are born with other settings; on the same queues and tables."""
        return AppInProcess(self.services, {**self._settings, **settings}, self.names)

    async def post(self, body: Mapping[str, Any], key: str | None = None) -> Answer:
        """`POST /api/imports`."""
        return await answered(lambda: submit(self.services, Caller.by_key(), json.dumps(body).encode(), key))

    async def submitted(self, body: Mapping[str, Any], key: str | None = None) -> str:
        """Submit an import; the id that was answered."""
        answer = await self.post(body, key)
        if answer.status != 202:  # noqa: PLR2004 (Accepted)
            raise AssertionError(f"the import was not accepted: {answer.body}")
        return str(json.loads(answer.body)["id"])

    async def record(self, import_id: str) -> dict[str, Any]:
        """`GET /api/imports/{id}`."""
        body: dict[str, Any] = json.loads((await get(self.services, Caller.by_key(), import_id)).body)
        return body

    async def work_off(self) -> None:
        """Deliver messages until the queue is empty."""
        async with self._queue(self.names.queue) as queue:
            await LocalQueue(queue).work_off(self._born, _nobody_dies)

    async def send_notices(self) -> None:
        """Deliver the messages of notices until their queue is empty."""
        async with self._queue(self.names.notice_queue) as queue:
            await LocalQueue(queue, trigger=send_notice).work_off(self._born, _nobody_dies)

    def _queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(self._settings["AzureWebJobsStorage"], name)

    def _born(self) -> Services:
        return build(self._settings, names=self.names)

    async def import_now(self, source: str, target: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of the body)
        """Submit an import, work it off, and give its record."""
        import_id = await self.submitted({"source": source, "target": target, **more})
        await self.work_off()
        return await self.record(import_id)


async def _nobody_dies() -> None:
    raise AssertionError("a worker died that nobody killed")
