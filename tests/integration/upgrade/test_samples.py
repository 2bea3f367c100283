"""What an older version left in storage goes on under this one; what a newer one left is read, or refused and why.

`tests/samples/v1` holds what a worker of version 1 left that was stopped in the middle of a layer: its message with the
checkpoint, record, plan, the open upload at the target, and the message of a notice. See docs/deploy.md on upgrades.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from devtools.emulator.store import UploadInfo
from importcore.state.message import UnreadableMessageError
from tests.integration.upgrade.stage import CHUNK, IMAGE, KEY, LAYER, UpgradeStage

pytestmark = pytest.mark.asyncio(loop_scope="session")

_SAMPLES = Path(__file__).parents[2] / "samples"
VERSIONS = sorted(folder.name for folder in _SAMPLES.glob("v*"))


def kept(version: str, name: str) -> Any:  # noqa: ANN401 (any JSON)
    """Read a sample."""
    return json.loads((_SAMPLES / version / name).read_text())


def with_more(value: dict[str, Any], *objects: str) -> dict[str, Any]:
    """Add to an object, and to some that are in it, a field that this version does not know."""
    more = {name: with_more(value[name]) for name in objects}
    return {**value, **more, "fromTheFuture": {"is": ["new"]}}


@pytest_asyncio.fixture(loop_scope="session")
async def stage(storage: str, tmp_path: Path) -> AsyncIterator[UpgradeStage]:
    """A worker of this version, and the target as the older one left it."""
    stage = await UpgradeStage(storage, tmp_path / "target").set_up()
    upload = kept("v1", "upload.json")
    info = UploadInfo(upload["uuid"], upload["repository"], upload["started_at"])
    stage.target.store.start_upload(info).append(LAYER[: upload["offset"]])
    yield stage
    stage.target.close()


async def ran(stage: UpgradeStage, body: bytes, message_id: str, import_id: str) -> dict[str, Any]:
    """Run the import's message and deliver its notice; the record as it is kept."""
    worker = stage.worker()
    try:
        await worker.importer.run(body, message_id)
        await worker.notices.deliver(json.dumps({**kept("v1", "notice.json"), "fromTheFuture": 1}).encode())
    finally:
        await worker.aclose()
    async with stage.table() as table:
        entity = await table.get_entity("imports", import_id)
    record: dict[str, Any] = json.loads(entity["Record0"])
    return record


def assert_ended_as_promised(stage: UpgradeStage, record: dict[str, Any]) -> None:
    """The image is there, the acknowledged chunk was not sent again, the source was not asked again for the plan."""
    events = [event["event"] for event in record["history"]]
    assert (record["status"], record["attempts"]) == ("Succeeded", 2), record["error"]
    assert events == ["Queued", "Started", "Planned", "Waiting", "Resumed", "Succeeded", "Notified"]
    assert stage.target.state()["repositories"]["copy"]["tags"] == {"1": IMAGE.root}
    pieces = [entry.range for entry in stage.target.journal if entry.method == "PATCH" and entry.status == 202]
    assert pieces[0] == f"{CHUNK}-{2 * CHUNK - 1}"
    assert [entry.path for entry in stage.source.journal if "/manifests/" in entry.path and entry.method == "GET"] == []
    [told] = stage.receiver.deliveries
    assert told.is_signed_with(KEY)
    assert told.event["id"] == record["id"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_import_of_an_older_version_goes_on(stage: UpgradeStage, version: str) -> None:
    """Upgrade in the middle of a layer: the next run takes message, checkpoint, plan and record as they are."""
    entity = kept(version, "record.json")
    message = (_SAMPLES / version / "message.json").read_text()
    plan = (_SAMPLES / version / "plan.json").read_bytes()
    body, message_id = await stage.put(message, entity, plan)
    assert_ended_as_promised(stage, await ran(stage, body, message_id, entity["RowKey"]))


async def test_what_a_newer_version_has_added_is_passed_over(stage: UpgradeStage) -> None:
    """Rollback: fields that this version does not know stop nothing, in message, checkpoint, plan and record."""
    entity = kept("v1", "record.json")
    record = with_more(json.loads(entity["Record0"]), "options", "progress", "asked_by")
    message = json.dumps(with_more(kept("v1", "message.json"), "checkpoint"))
    plan = json.dumps(with_more(kept("v1", "plan.json"))).encode()
    body, message_id = await stage.put(message, {**entity, "Record0": json.dumps(record), "Later": "yes"}, plan)
    ended = await ran(stage, body, message_id, entity["RowKey"])
    assert_ended_as_promised(stage, ended)
    assert "fromTheFuture" not in ended


@pytest.mark.parametrize("part", ["message", "checkpoint"])
async def test_a_message_of_another_version_fails_its_import_and_says_why(stage: UpgradeStage, part: str) -> None:
    """Rollback past a change of meaning: the host poisons the message, and the record tells what to do."""
    entity, value = kept("v1", "record.json"), kept("v1", "message.json")
    (value if part == "message" else value["checkpoint"])["v"] = 2
    body, message_id = await stage.put(json.dumps(value), entity, b"{}")
    worker = stage.worker()
    with pytest.raises(UnreadableMessageError, match="version"):
        await worker.importer.run(body, message_id)
    await worker.poison.take(body)
    stored = await worker.records.get(entity["RowKey"])
    await worker.aclose()
    assert stored
    assert stored.record.error
    assert (stored.record.status.value, stored.record.error.code) == ("Failed", "message_unreadable")
    assert "run that version until the queue is empty" in stored.record.error.action
