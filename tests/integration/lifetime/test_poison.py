"""Messages that the host gave up: what could not even begin goes back for a while; what nobody can read ends."""

import json
from typing import Any

import pytest

from devtools.harbour import IMAGE, Harbour
from importcore.sealing import Sealer
from importcore.state.checkpoint import Checkpoint, UploadState
from importcore.state.message import Handover, ImportMessage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def given_up(harbour: Harbour) -> bytes:
    """Take the next message away, visible or not yet, as the host does when it moves it to the poison queue."""
    service = harbour.ship.app.services
    (stored,) = [stored async for stored in service.records.open_imports()]
    if stored.record.lease_id and stored.record.lease_receipt:
        await harbour.queue.update_message(stored.record.lease_id, stored.record.lease_receipt, visibility_timeout=0)
    return (await harbour.take())[0]


async def wakened(harbour: Harbour) -> dict[str, Any]:
    """Make the import's message visible, work the queue off, and give the record."""
    (stored,) = [stored async for stored in harbour.ship.app.services.records.open_imports()]
    assert stored.record.lease_id
    await harbour.queue.update_message(stored.record.lease_id, stored.record.lease_receipt or "", visibility_timeout=0)
    await harbour.ship.app.work_off()
    return await harbour.record(stored.record.id)


async def test_an_import_that_no_run_could_claim_goes_back(storage: str) -> None:
    """Storage or the settings were out of order for a while; the import waits a minute and then succeeds."""
    async with Harbour.opened(storage) as harbour:
        await harbour.submitted()
        await harbour.ship.app.services.poison.take(await given_up(harbour))
        assert await harbour.messages() == 1
        assert await harbour.queue.receive_message() is None
        record = await wakened(harbour)
        assert record["status"] == "Succeeded"
        assert harbour.events(record) == ["Queued", "PutBack", "Started", "Planned", "Succeeded"]
        assert await harbour.tags() == {"1": IMAGE.root}


async def test_an_import_that_is_given_up_again_and_again_fails(storage: str) -> None:
    """The fourth time in a row it ends, with what to do."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        for _ in range(3):
            await harbour.ship.app.services.poison.take(await given_up(harbour))
        assert (await harbour.record(import_id))["status"] == "Queued"
        await harbour.ship.app.services.poison.take(await given_up(harbour))
        record = await harbour.record(import_id)
        assert (record["status"], record["error"]["code"]) == ("Failed", "message_given_up")
        assert "log" in record["error"]["action"]
        assert await harbour.messages() == 0
        assert await harbour.tags() == {}


async def test_a_poisoned_message_that_is_stale_changes_nothing(storage: str) -> None:
    """The import went on with another message meanwhile, and has ended or runs."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        body, message_id = await harbour.take()
        assert await harbour.claimed(body, message_id) is not None
        before = await harbour.record(import_id)
        await harbour.ship.app.services.poison.take(body)
        assert await harbour.record(import_id) == before


async def test_an_import_whose_message_cannot_be_read_fails_with_the_reason(storage: str) -> None:
    """A newer version wrote it: the record says so, at once."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        await harbour.ship.app.services.poison.take(json.dumps({"v": 99, "importId": import_id}).encode())
        record = await harbour.record(import_id)
        assert (record["status"], record["error"]["code"]) == ("Failed", "message_unreadable")
        assert "99" in record["error"]["message"]


async def test_a_message_that_names_no_import_is_only_logged(storage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever else stands in the poison queue ends no import."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        await harbour.ship.app.services.poison.take(b"no JSON at all")
        assert (await harbour.record(import_id))["status"] == "Queued"
        assert "names no import" in caplog.text


async def test_an_import_that_is_given_up_leaves_no_upload_open(storage: str) -> None:
    """What its checkpoint says is open at the target is canceled there."""
    async with Harbour.opened(storage) as harbour:
        import_id = await harbour.submitted()
        services = harbour.ship.app.services
        for _ in range(3):
            await services.poison.take(await given_up(harbour))
        digest = "sha256:" + "0" * 64
        session = await services.clients.target(harbour.ship.target).start_upload("copy", digest)
        assert len(harbour.ship.target_emulator.state()["uploads"]) == 1
        checkpoint = Checkpoint((UploadState(digest, "copy", session.location, 0),))
        message = ImportMessage(import_id, Handover.HELD, 0, checkpoint)
        await services.poison.take(message.encode(Sealer(services.settings.sealing_keys)).encode())
        assert (await harbour.record(import_id))["status"] == "Failed"
        assert harbour.ship.target_emulator.state()["uploads"] == []
