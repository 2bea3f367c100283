"""For the stories of the lease: a worker as the Functions host runs it, on a storage account whose clock is turned."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from devtools.claiming import claimed
from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.caller import Caller
from importcore.request.model import read_import_request
from importcore.run.running import RunningImport
from importcore.state.checkpoint import UploadState
from importcore.state.record import ImportRecord
from importcore.wiring import Services, build

LEASE_SECONDS = 60
HOST_SECONDS = 600
"""For so long the Functions host hides what it receives."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message in the hand of a host."""

    id: str
    receipt: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of the app, on an account that it shares with others."""

    account: ClockworkAccount
    services: Services

    @classmethod
    @asynccontextmanager
    async def on(
        cls,
        account: ClockworkAccount,
        before: Callable[[str, str], Awaitable[None]] | None = None,
        loses: Callable[[str], bool] = lambda _: False,
    ) -> AsyncIterator["Worker"]:
        """Start one; `before` is what others do right before one of its requests arrives, `loses` loses answers."""
        environment = app_settings(CONNECTION_STRING, "target.test", {}, TRANSLOAD_LEASE_SECONDS=str(LEASE_SECONDS))
        transport = ClockworkTransport(account, loses, before)
        services = build(environment, storage_options={"transport": transport})
        try:
            yield cls(account, services)
        finally:
            await services.aclose()

    async def submitted(self) -> str:
        """Submit an import; its id."""
        body = json.dumps({"source": "docker.io/library/a:1", "target": "target.test/a:1"}).encode()
        request = read_import_request(body, default_target=None)
        return (await self.services.intake.submit(request, Caller.by_key())).id

    async def begun(self) -> RunningImport:
        """Submit an import, take its message and claim it."""
        await self.submitted()
        run = await self.take_and_claim()
        assert run is not None
        return run

    def received(self) -> Received:
        """Do as the host: receive the message that waits, which hides it for ten minutes."""
        message = self.account.get(HOST_SECONDS)
        assert message is not None
        return Received(message.id, message.receipt, base64.b64decode(message.text))

    async def claimed(self, message: Received) -> RunningImport | None:
        """Do as the function that got this message: claim; and as the host, where it was stale: delete it."""
        run = await claimed(self.services, message.body, message.id)
        if run is None:
            self.account.delete(message.id, message.receipt)
        return run

    async def take_and_claim(self) -> RunningImport | None:
        """Receive a message and claim."""
        return await self.claimed(self.received())

    async def record(self, import_id: str) -> ImportRecord:
        """The record as it stands."""
        stored = await self.services.records.get(import_id)
        assert stored is not None
        return stored.record


def upload_at(offset: int) -> UploadState:
    """An upload that the target has acknowledged up to here."""
    return UploadState(digest="sha256:" + "0" * 64, repository="a", location="https://t/u", offset=offset)
