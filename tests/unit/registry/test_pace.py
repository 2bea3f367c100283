"""Paces: so many requests and bytes in so many seconds, on a clock that jumps over every wait."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from importcore.registry.pace import PacedTransport, Paces
from importcore.settings.model import HostSettings
from tests.unit.registry.scripted import URL, ScriptedTransport, streamed

MEBIBYTE = 1024 * 1024


def paced(script: ScriptedTransport, **host: float) -> httpx.AsyncClient:
    """A client of a host with these settings."""
    return httpx.AsyncClient(transport=PacedTransport(script, Paces.of(HostSettings.model_validate(host))))


def clock() -> float:
    """Seconds on the loop's clock."""
    return asyncio.get_running_loop().time()


async def test_requests_wait_for_their_turn() -> None:
    """Eleven at two in a second: the first at once, the last after five seconds."""
    script = ScriptedTransport(lambda _: streamed(200))
    http, began = paced(script, requestsPerSecond=2), clock()

    await asyncio.gather(*(http.get(URL) for _ in range(11)))

    assert clock() - began == pytest.approx(5, abs=0.5)
    assert len(script.requests) == 11


async def test_bytes_are_read_at_their_pace() -> None:
    """Ten times what may be read in a second takes ten seconds, over all connections together."""
    script = ScriptedTransport(lambda _: streamed(200, b"x" * MEBIBYTE))
    http, began = paced(script, bytesPerSecond=MEBIBYTE), clock()

    answers = await asyncio.gather(*(http.get(URL) for _ in range(10)))

    assert clock() - began == pytest.approx(10, abs=1)
    assert {len(answer.content) for answer in answers} == {MEBIBYTE}


async def test_bytes_are_written_at_their_pace() -> None:
    """Whole or streamed; what arrives is what was sent."""
    script = ScriptedTransport(lambda _: streamed(201))
    http, began = paced(script, bytesPerSecond=MEBIBYTE), clock()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"y" * 5 * MEBIBYTE

    await http.put(URL, content=b"x" * 5 * MEBIBYTE)
    await http.patch(URL, content=pieces(), headers={"Content-Length": str(5 * MEBIBYTE)})

    assert clock() - began == pytest.approx(10, abs=1)
    assert [request.content for request in script.requests] == [b"x" * 5 * MEBIBYTE, b"y" * 5 * MEBIBYTE]


async def test_reading_and_writing_do_not_wait_for_each_other() -> None:
    """A copy inside one registry goes at its full pace in both directions."""
    script = ScriptedTransport(lambda _: streamed(200, b"x" * 4 * MEBIBYTE))
    http, began = paced(script, bytesPerSecond=MEBIBYTE), clock()

    await asyncio.gather(http.get(URL), http.put(URL, content=b"x" * 4 * MEBIBYTE))

    assert clock() - began < 9


async def test_without_settings_nothing_waits() -> None:
    """And a request is passed on as it is."""
    script = ScriptedTransport(lambda _: streamed(200, b"x" * MEBIBYTE))
    http, began = paced(script), clock()

    await asyncio.gather(*(http.get(URL) for _ in range(50)))

    assert clock() - began < 1


async def test_a_request_with_a_paced_body_can_still_be_repeated() -> None:
    """Whoever repeats requests looks at the body, which must not have become a stream."""
    script = ScriptedTransport(lambda _: streamed(201))
    request = httpx.Request("PUT", URL, content=b"x")

    await PacedTransport(
        script, Paces.of(HostSettings.model_validate({"bytesPerSecond": 65_536}))
    ).handle_async_request(request)

    assert isinstance(request.stream, httpx.ByteStream)
