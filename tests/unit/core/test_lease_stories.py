"""One story for each mechanism of the lease, so that none can be lost without one of them ending otherwise.

`test_lease_states.py` tries everything in every order, and may by chance not come upon the one order that matters.
"""

import pytest

from devtools.clockwork import ClockworkAccount
from importcore.errors import LeaseLostError
from importcore.state.message import Handover
from importcore.state.record import ImportRecord, Status
from tests.unit.core.lease_worker import HOST_SECONDS, LEASE_SECONDS, Worker, upload_at


def _succeeded(record: ImportRecord) -> ImportRecord:
    return record.finished(Status.SUCCEEDED)


async def test_a_sleeper_whose_message_is_in_another_hand_is_refused() -> None:
    """Its record still says that it owns the import; the pop receipt, which is the fence, does not."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        sleeper = await worker.begun()
        account.now += LEASE_SECONDS + 1
        message = worker.received()
        before = await worker.record(sleeper.record.id)

        with pytest.raises(LeaseLostError):
            await sleeper.note(upload_at(7), at_once=True)
        with pytest.raises(LeaseLostError):
            await sleeper.hand_over(Handover.CONTINUE, 0, lambda record: record)

        assert await worker.record(sleeper.record.id) == before
        run = await worker.claimed(message)
        assert run is not None
        assert run.uploads == ()


async def test_a_run_that_was_replaced_neither_changes_nor_ends_the_import() -> None:
    """It read the record before the other claimed: the ETag is old, and what it reads anew names the other."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        replaced = await worker.begun()
        account.now += LEASE_SECONDS + 1
        owner = await worker.take_and_claim()
        assert owner is not None
        before = await worker.record(replaced.record.id)

        with pytest.raises(LeaseLostError):
            await replaced.change(lambda record: record)
        with pytest.raises(LeaseLostError):
            await replaced.finish(_succeeded)

        assert await worker.record(replaced.record.id) == before
        await owner.beat()
        await owner.finish(_succeeded)
        assert (await worker.record(replaced.record.id)).status is Status.SUCCEEDED


async def test_a_message_that_the_record_does_not_name_claims_nothing() -> None:
    """The one that the host received first comes back, because its process died before it was deleted."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        owner = await worker.begun()
        account.now += HOST_SECONDS - 1
        await owner.beat()
        account.now += 1
        before = await worker.record(owner.record.id)

        assert await worker.take_and_claim() is None

        after = await worker.record(owner.record.id)
        assert (after.lease_id, after.attempts, after.status) == (before.lease_id, before.attempts, Status.RUNNING)
        await owner.beat()


async def test_an_import_that_has_ended_is_not_claimed() -> None:
    """A sleeper ends it, as it may, while its message is in another hand: that one finds it ended."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        sleeper = await worker.begun()
        account.now += LEASE_SECONDS + 1
        message = worker.received()
        await sleeper.finish(_succeeded)

        assert await worker.claimed(message) is None

        assert (await worker.record(sleeper.record.id)).status is Status.SUCCEEDED
        assert message.id not in account.messages


async def test_what_a_heartbeat_kept_survives_a_death() -> None:
    """Whoever takes over goes on from the last checkpoint, and the death is counted."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        dying = await worker.begun()
        await dying.note(upload_at(7), at_once=True)
        account.now += LEASE_SECONDS + 1

        run = await worker.take_and_claim()

        assert run is not None
        assert run.uploads == (upload_at(7),)
        assert (await worker.record(dying.record.id)).deaths == 1


@pytest.mark.parametrize("handover", [Handover.CONTINUE, Handover.RETRY])
async def test_what_was_noted_survives_a_hand_over(handover: Handover) -> None:
    """Also what no heartbeat had kept yet; nobody died."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        first = await worker.begun()
        await first.note(upload_at(7))
        await first.hand_over(handover, 0, lambda record: record)

        run = await worker.take_and_claim()

        assert run is not None
        assert run.uploads == (upload_at(7),)
        assert (await worker.record(first.record.id)).deaths == 0


async def test_a_claim_whose_answer_was_lost_is_a_claim() -> None:
    """The write of the record is repeated and refused, because it had its effect: it is known again."""
    account, lost = ClockworkAccount(), list[str]()

    def first_write(method: str) -> bool:
        if method == "PUT" and not lost:
            lost.append(method)
            return True
        return False

    async with Worker.on(account, loses=first_write) as worker:
        run = await worker.begun()

        assert lost
        assert (await worker.record(run.record.id)).lease_id in account.messages
        await run.beat()
