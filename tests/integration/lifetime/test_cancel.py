"""A user cancels an import: before anybody began it, in the middle, and while it sleeps."""

import asyncio
import json

import pytest

from devtools.emulator.faults import Answer, FaultRule
from devtools.harbour import Harbour
from devtools.sample_images import image, layer
from importcore.api.http_api import answered, cancel
from importcore.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHUNK = 64 * 1024
LARGE = image([layer(8 * CHUNK)])


async def canceled(harbour: Harbour, import_id: str) -> int:
    """Ask it to stop; the answer's status."""
    return (await answered(lambda: cancel(harbour.ship.app.services, Caller.by_key(), import_id))).status


async def test_a_queued_import_ends_at_once(storage: str) -> None:
    """Nobody had begun it: it is over when the answer comes, and its message is dropped when it comes up."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        assert await canceled(harbour, import_id) == 202
        assert (await harbour.record(import_id))["status"] == "Canceled"
        await harbour.ship.app.work_off()
        record = await harbour.record(import_id)
        assert harbour.events(record) == ["Queued", "CancelRequested", "Canceled"]
        assert harbour.ship.source_emulator.journal.select(method="GET") == []
        assert await canceled(harbour, import_id) == 409


async def test_a_sleeping_import_is_woken_to_stop(storage: str) -> None:
    """It would sleep for an hour because the source is busy; it stops now, and cancels its open upload."""
    settings = {"TRANSLOAD_CHUNK_BYTES": str(CHUNK)}
    async with Harbour.opened(storage, LARGE, settings=settings) as harbour:
        busy = Answer(status=429, headers={"Retry-After": "3600"})
        harbour.ship.target_emulator.faults.add(FaultRule(method="PATCH", skip=2, action=busy))
        import_id = await harbour.submitted()
        await harbour.deliver_once()
        record = await harbour.record(import_id)
        assert (record["status"], record["error"]["code"]) == ("Running", "rate_limited")
        assert record["waitingUntil"]
        assert len(harbour.ship.target_emulator.state()["uploads"]) == 1
        assert await canceled(harbour, import_id) == 202
        await harbour.ship.app.work_off()
        record = await harbour.record(import_id)
        assert (record["status"], harbour.events(record)[-1]) == ("Canceled", "Canceled")
        assert harbour.ship.target_emulator.state()["uploads"] == []
        assert await harbour.tags() == {}


async def test_a_running_import_stops_within_a_heartbeat(storage: str) -> None:
    """The target is slow; the import learns of the wish at its next heartbeat and leaves nothing behind."""
    settings = {"TRANSLOAD_CHUNK_BYTES": str(CHUNK), "TRANSLOAD_LEASE_SECONDS": "3"}
    async with Harbour.opened(storage, LARGE, settings=settings) as harbour:
        slow = json.loads('{"kind": "throttle", "bytes_per_second": 65536}')
        harbour.ship.target_emulator.faults.add(FaultRule(method="PATCH", times=None, action=slow))
        import_id = await harbour.submitted()
        run = asyncio.create_task(harbour.deliver_once())
        while not (await harbour.record(import_id))["progress"]["bytesDone"]:
            await asyncio.sleep(0.05)
        assert await canceled(harbour, import_id) == 202
        await run
        record = await harbour.record(import_id)
        assert record["status"] == "Canceled"
        assert record["progress"]["bytesDone"] < LARGE.size
        assert harbour.ship.target_emulator.state()["uploads"] == []
        assert await harbour.tags() == {}
        assert await harbour.messages() == 0


async def test_canceling_a_selection_cancels_its_sleeping_children(storage: str) -> None:
    """The parent asks each child to stop; one that sleeps for an hour ends now."""
    async with Harbour.opened(storage) as harbour:
        busy = Answer(status=429, headers={"Retry-After": "3600"})
        harbour.ship.target_emulator.faults.add(FaultRule(method="POST", times=None, action=busy))
        parent = await harbour.ship.app.submitted({"source": f"{harbour.ship.source}/app", "tags": {"include": ["*"]}})
        await harbour.deliver_once()
        await harbour.deliver_once()
        services = harbour.ship.app.services
        (child,) = await services.records.children_of(parent)
        assert child.waiting_until is not None
        assert await canceled(harbour, parent) == 202
        await harbour.ship.app.work_off()
        assert (await harbour.record(parent))["status"] == "Canceled"
        assert (await harbour.record(child.id))["status"] == "Canceled"
