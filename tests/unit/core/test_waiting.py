"""One request that waits for the end of an import: how long, how often it looks, and what cannot disturb the import."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from azure.core.exceptions import ServiceRequestError

from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.api.http_api import Answer, answered, cancel, get, submit
from importcore.caller import Caller
from importcore.wiring import _let_go_on_sigterm, build

CALLER = Caller.by_key()
BODY = json.dumps({"source": "docker.io/library/a:1", "target": "target.test/a:1"}).encode()


class Desk:
    """An app whose storage is in memory, and whose imports nobody works on."""

    def __init__(self) -> None:
        self.reads = 0
        self.broken_reads = 0
        transport = ClockworkTransport(ClockworkAccount(), before=self._before)
        self.app = build(app_settings(CONNECTION_STRING, "target.test", {}), storage_options={"transport": transport})

    async def _before(self, method: str, path: str) -> None:
        if method != "GET" or "RowKey" not in path:
            return
        self.reads += 1
        if self.broken_reads:
            self.broken_reads -= 1
            raise ServiceRequestError("nobody answers")

    async def post(self, prefer: str, key: str = "k") -> Answer:
        """`POST /api/imports`; with the same key it is the same import."""
        return await answered(lambda: submit(self.app, CALLER, BODY, key, prefer))

    async def cancel_after(self, seconds: float) -> None:
        """Cancel the import when the clock has gone on."""
        await asyncio.sleep(seconds)
        record = json.loads((await self.post("wait=0")).body)
        assert (await answered(lambda: cancel(self.app, CALLER, record["id"]))).status == 202


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """An app of its own."""
    desk = Desk()
    yield desk
    await desk.app.aclose()


async def test_who_waits_is_answered_when_the_import_ends(desk: Desk) -> None:
    """The status tells how; the same request sent again is answered so at once, with or without a body to start."""
    ending = asyncio.create_task(desk.cancel_after(30))

    answer = await desk.post("wait=60")

    assert (answer.status, json.loads(answer.body)["status"]) == (409, "Canceled")
    assert answer.headers == {"Preference-Applied": "wait=60"}
    await ending
    again = await desk.post("wait=60")
    read = await get(desk.app, CALLER, json.loads(answer.body)["id"], "wait=60")
    assert [(each.status, each.headers) for each in (again, read)] == [(409, answer.headers)] * 2


@pytest.mark.parametrize(("after", "status"), [(199, 409), (201, 202)])
async def test_nobody_waits_longer_than_200_seconds(desk: Desk, after: float, status: int) -> None:
    """A longer wish is bounded; who comes away without an end is told where to ask again."""
    ending = asyncio.create_task(desk.cancel_after(after))

    answer = await desk.post("wait=600")

    assert (answer.status, answer.headers["Preference-Applied"]) == (status, "wait=200")
    location = f"/api/imports/{json.loads(answer.body)['id']}"
    assert (answer.headers.get("Location"), "Retry-After" in answer.headers) == (
        (location, True) if status == 202 else (None, False)
    )
    await ending


async def test_waiting_looks_seldom(desk: Desk) -> None:
    """Often at first, because small images take seconds, then every five seconds."""
    await desk.post("wait=0")
    before = desk.reads

    await desk.post("wait=200")

    assert 40 <= desk.reads - before <= 55


async def test_storage_that_does_not_answer_ends_no_waiting(desk: Desk) -> None:
    """The import was accepted: a read that fails is no reason to say anything else."""
    waiting = asyncio.create_task(desk.post("wait=100"))
    await asyncio.sleep(1)
    desk.broken_reads = 6  # two reads, each tried three times
    ending = asyncio.create_task(desk.cancel_after(60))

    answer = await waiting

    assert (answer.status, desk.broken_reads) == (409, 0)
    await ending


async def test_a_process_that_must_end_lets_its_callers_go(desk: Desk) -> None:
    """SIGTERM: they learn that the import goes on, instead of losing their connection after 200 seconds."""
    _let_go_on_sigterm(desk.app)
    ending = asyncio.create_task(desk.cancel_after(100))
    waiting = asyncio.create_task(desk.post("wait=200"))
    await asyncio.sleep(1)

    os.kill(os.getpid(), signal.SIGTERM)
    answer = await waiting

    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    ending.cancel()
    assert answer.status == 202
