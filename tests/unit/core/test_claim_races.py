"""Two workers between the steps of one claim: whatever comes between, the record names a message that is there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from devtools.clockwork import ClockworkAccount
from importcore.run.running import RunningImport
from tests.unit.core.lease_worker import LEASE_SECONDS, Worker


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
