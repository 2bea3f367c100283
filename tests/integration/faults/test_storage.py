"""A storage account that throttles, and one whose answers get lost after the call had its effect."""

import json
import logging
from typing import Any

import httpx
import pytest
from azure.core.pipeline.transport import AioHttpTransport
from starlette.responses import Response

from devtools.serving import serving
from importcore.audit import LOGGER
from tests.integration.faults.voyage import IMAGE, Voyage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

BUSY = Response("<Error><Code>ServerBusy</Code></Error>", 503, {"x-ms-error-code": "ServerBusy", "Retry-After": "0"})


class _BusyStorage(AioHttpTransport):  # type: ignore[misc]  # the SDK loads it lazily, untyped
    """Sends every call to a place that is busy, and again to the account when the SDK tries again."""

    def __init__(self, busy: str) -> None:
        super().__init__()
        self._busy = busy
        self._refused: dict[int, Any] = {}
        self.calls: list[str] = []

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 (the SDK's)
        """Carry one request, each the second time."""
        if self._refused.pop(id(request), None) is not None:
            return await super().send(request, **options)
        self._refused[id(request)] = request  # kept, so that no other can have its id
        self.calls.append(f"{request.method} {httpx.URL(request.url).path}")
        url, request.url = request.url, self._busy
        try:
            return await super().send(request, **options)
        finally:
            request.url = url


async def require_an_ordinary_end(voyage: Voyage) -> None:
    """The import ends as if nothing had happened: in one run, with nothing told twice and no message left."""
    record = await voyage.ended()
    await voyage.require_landed(record)
    assert (record["attempts"], record["resumptions"]) == (1, 0)
    assert [event["event"] for event in record["history"]] == ["Queued", "Started", "Planned", "Succeeded"]
    assert (await voyage.queue.get_queue_properties()).approximate_message_count == 0


async def test_every_call_to_storage_may_be_refused_once(storage: str) -> None:
    """Submitting, claiming, heartbeats, the plan, the end: each call is repeated, and nothing is done twice."""
    async with serving(BUSY) as port:
        busy = _BusyStorage(f"http://127.0.0.1:{port}/")
        async with Voyage.begun(storage, storage_options={"transport": busy}) as voyage:
            await require_an_ordinary_end(voyage)
            assert voyage.bytes_sent() == IMAGE.size
            assert {call.partition(" ")[0] for call in busy.calls} >= {"POST", "PUT", "GET", "DELETE"}


class _UnheardStorage(_BusyStorage):
    """Carries every write of a record out, and loses the answer: the SDK tries again and is told of a change."""

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 (the SDK's)
        """Carry one request; of a record's write the answer comes from where it is busy."""
        if request.method != "PUT" or "RowKey" not in request.url or id(request) in self._refused:
            self._refused.pop(id(request), None)
            return await AioHttpTransport.send(self, request, **options)
        await AioHttpTransport.send(self, request, **options)
        return await super().send(request, **options)


async def test_a_write_whose_answer_is_lost_is_known_again(storage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each write of the record seems to be another's: none is done twice, no message is lost, none is unaudited."""
    caplog.set_level(logging.INFO, LOGGER)
    async with serving(BUSY) as port:
        unheard = _UnheardStorage(f"http://127.0.0.1:{port}/")
        async with Voyage.begun(storage, storage_options={"transport": unheard}) as voyage:
            await require_an_ordinary_end(voyage)
            assert len(unheard.calls) >= 3
            lines = [json.loads(record.message) for record in caplog.records if record.name == LOGGER]
            assert [line["event"] for line in lines] == ["Queued", "Started", "Planned", "Succeeded"]
