"""What the timer does: imports whose message is gone go back into the queue, and what is old goes away."""

import asyncio
import logging

import pytest
from azure.data.tables.aio import TableClient
from azure.storage.blob.aio import ContainerClient

from devtools.harbour import IMAGE, Harbour
from importcore.state.record import Status
from importcore.upkeep.backlog import Backlog, measure_backlog
from importcore.upkeep.retention import Removed

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = {"TRANSLOAD_ORPHAN_SECONDS": "1", "TRANSLOAD_LEASE_SECONDS": "1"}
FORGETFUL = {"TRANSLOAD_RETENTION_DAYS": "0"}


async def orphaned(harbour: Harbour) -> str:
    """Submit an import and lose its message; its id, when it has been silent for long enough."""
    import_id = await harbour.submitted()
    await harbour.take()
    await asyncio.sleep(2.1)
    return import_id


async def test_an_import_whose_message_is_gone_is_put_back(storage: str) -> None:
    """Nobody had begun it; the timer finds it, and it ends like any other."""
    async with Harbour.opened(storage, settings=AT_ONCE) as harbour:
        import_id = await orphaned(harbour)
        assert await harbour.ship.app.services.orphans.put_back() == 1
        await harbour.ship.app.work_off()
        record = await harbour.record(import_id)
        assert (record["status"], record["attempts"]) == ("Succeeded", 1)
        assert harbour.events(record) == ["Queued", "PutBack", "Started", "Planned", "Succeeded"]
        assert await harbour.tags() == {"1": IMAGE.root}


async def test_a_running_import_whose_lease_message_is_gone_is_put_back(storage: str) -> None:
    """Its worker died and then its message was lost, too: the next run knows of the death and goes on."""
    async with Harbour.opened(storage, settings=AT_ONCE) as harbour:
        import_id = await harbour.submitted()
        services = harbour.ship.app.services
        body, message_id = await harbour.take()
        assert await harbour.claimed(body, message_id) is not None
        await harbour.queue.clear_messages()
        await asyncio.sleep(2.1)
        assert await services.orphans.put_back() == 1
        await harbour.ship.app.work_off()
        record = await harbour.record(import_id)
        assert (record["status"], record["attempts"], record["resumptions"]) == ("Succeeded", 2, 1)
        assert harbour.events(record)[1:4] == ["Started", "PutBack", "TakenOver"]


async def test_no_import_is_an_orphan_that_gives_signs_of_life(storage: str) -> None:
    """One that was accepted just now, and one that sleeps for long, have messages that nobody can see."""
    async with Harbour.opened(storage, settings=AT_ONCE | {"TRANSLOAD_ORPHAN_SECONDS": "60"}) as harbour:
        await harbour.submitted()
        await harbour.take()
        assert await harbour.ship.app.services.orphans.put_back() == 0
        assert await harbour.messages() == 0


async def test_nothing_is_put_back_while_messages_wait(storage: str) -> None:
    """A backlog can look like a lost message; then the timer waits for the next time."""
    async with Harbour.opened(storage, settings=AT_ONCE) as harbour:
        await harbour.submitted()
        await asyncio.sleep(2.1)
        assert await harbour.ship.app.services.orphans.put_back() == 0
        assert await harbour.messages() == 1


async def test_a_message_that_was_not_lost_after_all_is_stale(storage: str) -> None:
    """The conclusion was wrong: the former message turns up again, and changes nothing."""
    async with Harbour.opened(storage, settings=AT_ONCE) as harbour:
        import_id = await harbour.submitted()
        former = await harbour.take()
        await asyncio.sleep(2.1)
        await harbour.ship.app.services.orphans.put_back()
        await harbour.ship.app.services.importer.run(*former)
        assert (await harbour.record(import_id))["status"] == "Queued"
        await harbour.ship.app.work_off()
        record = await harbour.record(import_id)
        assert (record["status"], record["attempts"]) == ("Succeeded", 1)


async def test_finished_records_go_when_their_time_is_over(storage: str) -> None:
    """The record, its key and a plan that was left behind go; an import that has not ended stays."""
    async with Harbour.opened(storage, settings=FORGETFUL) as harbour:
        services, names = harbour.ship.app.services, harbour.ship.app.names
        body = {"source": f"{harbour.ship.source}/app:1", "target": f"{harbour.ship.target}/copy:1"}
        done = await harbour.ship.app.submitted(body, key="one")
        await harbour.ship.app.work_off()
        await services.plans.write_once(done, b"left by a process that died")
        waiting = await harbour.submitted("copy:2")
        await services.plans.write_once(waiting, b"needed")
        await asyncio.sleep(0.01)
        assert await services.retention.remove_old() == Removed(records=1, keys=1, plans=1)
        found, _ = await services.records.newest()
        assert [record.id for record in found] == [waiting]
        async with TableClient.from_connection_string(storage, names.table) as table:
            assert [entity["RowKey"] async for entity in table.list_entities()] == [waiting]
        async with ContainerClient.from_connection_string(storage, names.plan_container) as plans:
            assert [name async for name in plans.list_blob_names()] == [f"{waiting}.json"]


async def test_records_are_kept_for_thirty_days(storage: str) -> None:
    """What ended just now is still there after the timer."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        await harbour.ship.app.work_off()
        assert await harbour.ship.app.services.retention.remove_old() == Removed()
        assert (await harbour.record(import_id))["status"] == "Succeeded"


async def test_children_stay_while_their_parent_counts_them(storage: str) -> None:
    """A parent that has not ended yet would miss a child that is gone."""
    async with Harbour.opened(storage, settings=FORGETFUL) as harbour:
        services = harbour.ship.app.services
        parent = await harbour.ship.app.submitted({"source": f"{harbour.ship.source}/app", "tags": {"include": ["*"]}})
        await harbour.deliver_once()
        await harbour.deliver_once()
        children = await services.records.children_of(parent)
        assert [child.status for child in children] == [Status.SUCCEEDED]
        assert (await services.retention.remove_old()).records == 0
        await harbour.ship.app.work_off()
        assert (await harbour.record(parent))["status"] == "Succeeded"
        await asyncio.sleep(0.01)
        assert (await services.retention.remove_old()).records == 2


async def test_the_timer_tells_how_long_the_oldest_import_has_waited(
    storage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that nobody takes grows old in the log, which the alert reads; what has ended does not."""
    async with Harbour.opened(storage) as harbour:
        services = harbour.ship.app.services
        await harbour.submitted()
        await asyncio.sleep(1.1)
        waiting = await measure_backlog(services.records)
        assert (waiting.imports, waiting.oldest_seconds >= 1) == (1, True)
        await harbour.ship.app.work_off()
        with caplog.at_level(logging.INFO, "transload"):
            await services.keep_up()
        assert str(Backlog(0, 0.0)) in caplog.messages
