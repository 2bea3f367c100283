"""Two workers between the steps of one claim: whatever comes between, the record names a message that is there."""

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
from importcore.state.record import ImportRecord
from importcore.wiring import Services, build

LEASE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of the app, on an account that it shares with others."""

    account: ClockworkAccount
    services: Services

    @classmethod
    @asynccontextmanager
    async def on(
        cls, account: ClockworkAccount, before: Callable[[str, str], Awaitable[None]] | None = None
    ) -> AsyncIterator["Worker"]:
        """Start one; `before` is what others do right before one of its requests arrives."""
        environment = app_settings(CONNECTION_STRING, "target.test", {}, TRANSLOAD_LEASE_SECONDS=str(LEASE_SECONDS))
        services = build(environment, storage_options={"transport": ClockworkTransport(account, before=before)})
        try:
            yield cls(account, services)
        finally:
            await services.aclose()

    async def submitted(self) -> str:
        """Submit an import; its id."""
        body = json.dumps({"source": "docker.io/library/a:1", "target": "target.test/a:1"}).encode()
        request = read_import_request(body, default_target=None)
        return (await self.services.intake.submit(request, Caller.by_key())).id

    async def take_and_claim(self) -> RunningImport | None:
        """Do as the host and its function do: receive a message, claim, and where it was stale, delete it."""
        message = self.account.get(600)
        assert message is not None
        receipt = message.receipt
        run = await claimed(self.services, base64.b64decode(message.text), message.id)
        if run is None:
            self.account.delete(message.id, receipt)
        return run

    async def record(self, import_id: str) -> ImportRecord:
        """The record as it stands."""
        stored = await self.services.records.get(import_id)
        assert stored is not None
        return stored.record


@dataclass(slots=True)
class Nap:
    """Sleeps once, right before a record is written, for longer than the lease; others do something `meanwhile`."""

    account: ClockworkAccount
    meanwhile: Callable[[], Awaitable[None]] | None = None
    slept: bool = False

    async def __call__(self, method: str, path: str) -> None:
        """Called before each request."""
        if self.meanwhile is None or method != "PUT" or "/messages" in path:
            return
        others, self.meanwhile = self.meanwhile, None
        self.account.now += LEASE_SECONDS + 1
        self.slept = True
        await others()


async def test_a_lease_message_that_was_dropped_before_its_claim_is_not_named() -> None:
    """The claimer sleeps between its two steps; another takes its lease message meanwhile, finds it stale, drops it."""
    account = ClockworkAccount()
    nap = Nap(account)

    async def another_drops_the_lease_message() -> None:
        assert await other.take_and_claim() is None

    async with Worker.on(account) as other, Worker.on(account, nap) as sleeper:
        import_id = await other.submitted()
        assert await other.take_and_claim() is not None  # and dies
        account.now += LEASE_SECONDS + 1
        nap.meanwhile = another_drops_the_lease_message
        run = await sleeper.take_and_claim()

        assert nap.slept
        assert run is not None
        record = await other.record(import_id)
        assert record.lease_id in account.messages
        await run.beat()


async def test_a_lease_message_of_a_first_claim_can_be_claimed_itself() -> None:
    """Nobody had claimed the import before: whichever of the two messages is first may act, the other is stale."""
    account, taken = ClockworkAccount(), list[RunningImport]()
    nap = Nap(account)

    async def another_claims_with_the_lease_message() -> None:
        run = await other.take_and_claim()
        assert run is not None
        taken.append(run)

    async with Worker.on(account) as other, Worker.on(account, nap) as sleeper:
        import_id = await other.submitted()
        nap.meanwhile = another_claims_with_the_lease_message
        assert await sleeper.take_and_claim() is None
        assert (await other.record(import_id)).lease_id in account.messages
        await taken[0].beat()
