"""Writes the samples of the present version: `python -m tests.integration.upgrade.write_samples tests/samples/v1`.

Run once, when a version of the message, the record or the plan is new; a sample is never written again. It is what a
worker leaves in storage that was stopped in the middle of a layer and will be tried again.
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from devtools.azurite import running_azurite
from devtools.emulator.faults import Answer, FaultRule
from importcore.api.http_api import submit
from importcore.caller import Caller
from importcore.state.notice import Channel
from importcore.state.notice_message import NoticeMessage
from tests.integration.upgrade.stage import RECEIVER, SOURCE, TARGET, UpgradeStage

_REQUEST = {"source": f"{SOURCE}/app:1", "target": f"{TARGET}/copy:1", "callbackUrl": f"https://{RECEIVER}/done?k=hush"}


async def write(folder: Path) -> None:
    """Run an import until the target refuses the second chunk, and keep what is in storage then."""
    async with running_azurite() as azurite:
        with TemporaryDirectory() as target:
            stage = await UpgradeStage(azurite.connection_string, Path(target)).set_up()
            refusal = Answer(status=503, headers={"Retry-After": "60"})
            stage.target.faults.add(FaultRule(method="PATCH", skip=1, times=None, action=refusal))
            worker = stage.worker()
            answer = await submit(worker, Caller.by_key(), json.dumps(_REQUEST).encode(), None)
            import_id = json.loads(answer.body)["id"]
            async with stage.queue() as queue, stage.table() as table:
                first = await queue.receive_message(visibility_timeout=600)
                assert first is not None
                await worker.importer.run(first.content.encode(), first.id)
                await queue.delete_message(first)
                while (waiting := await queue.receive_message()) is None:
                    await asyncio.sleep(1)
                entity = await table.get_entity("imports", import_id)
            plan = await worker.plans.read(import_id) or b""
            await worker.aclose()
            [upload] = stage.target.store.uploads()
            (folder / "message.json").write_text(waiting.content)
            (folder / "record.json").write_text(json.dumps(dict(entity), indent=1))
            (folder / "plan.json").write_bytes(plan)
            (folder / "notice.json").write_text(NoticeMessage(import_id, Channel.CALLBACK).encode())
            kept = {"uuid": upload.info.uuid, "started_at": upload.info.started_at, "offset": upload.offset}
            (folder / "upload.json").write_text(json.dumps({"repository": upload.info.repository, **kept}))


if __name__ == "__main__":
    written = Path(sys.argv[1])
    written.mkdir(parents=True)
    asyncio.run(write(written))
