"""Runs that die one after the other: counted, and at last the import's end rather than its fate."""

import asyncio
import base64

import pytest

from devtools.harbour import Harbour
from importcore.run.ending import DEATHS_AT_MOST

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]


async def test_an_import_that_kills_every_run_ends(storage: str) -> None:
    """Its image is more than the process can bear, say: it does not go round for ever."""
    async with Harbour.opened(storage, settings={"TRANSLOAD_LEASE_SECONDS": "1"}) as harbour:
        import_id = await harbour.submitted()
        for _ in range(DEATHS_AT_MOST + 1):
            while (message := await harbour.queue.receive_message(visibility_timeout=60)) is None:
                await asyncio.sleep(0.1)
            assert await harbour.claimed(base64.b64decode(message.content), message.id) is not None
            await harbour.queue.delete_message(message)
        await harbour.deliver_once()
        record = await harbour.record(import_id)
        assert (record["status"], record["error"]["code"]) == ("Failed", "no_progress")
        assert f"{DEATHS_AT_MOST + 1} runs in a row died" in record["error"]["message"]
        assert await harbour.tags() == {}
        assert await harbour.messages() == 0
