"""Interrupted chunks: the client's connection breaks in the middle of a PATCH."""

import asyncio

import httpx

from devtools.raw_registry import RawRegistry, digest_of, with_digest

SENT = b"a" * 70_000
WHOLE = SENT + b"b" * 50_000


async def _break_off(registry: RawRegistry, location: httpx.URL) -> None:
    """Announce the whole, send a part, and hang up."""
    reader, writer = await asyncio.open_connection(location.host, location.port)
    authorization = registry.http.headers.get("Authorization")
    head = [
        f"PATCH {location.raw_path.decode()} HTTP/1.1",
        f"Host: {location.netloc.decode()}",
        "Content-Type: application/octet-stream",
        f"Content-Length: {len(WHOLE)}",
        *([f"Authorization: {authorization}"] if authorization else []),
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + SENT)
    await writer.drain()
    writer.write_eof()  # the registry sees the end of the stream after it has read what was sent
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def _status_when_settled(registry: RawRegistry, location: httpx.URL) -> httpx.Response:
    """Ask until the registry has noticed the break, which is not at once."""
    async with asyncio.timeout(10):
        while True:
            status = await registry.http.get(location)
            if status.status_code != 204 or status.headers["range"] != "0-0":
                return status
            await asyncio.sleep(0.01)


async def test_an_interrupted_chunk_is_resumed_under_the_old_location(registry: RawRegistry) -> None:
    """What arrived is kept; the status, asked under the Location from before, says where to go on."""
    started = await registry.start_upload()
    await _break_off(registry, registry.located(started))
    status = await _status_when_settled(registry, registry.located(started))
    assert (status.status_code, status.headers["range"]) == (204, f"0-{len(SENT) - 1}")
    more = await registry.http.patch(
        registry.located(status),
        content=WHOLE[len(SENT) :],
        headers={"Content-Type": "application/octet-stream", "Content-Range": f"{len(SENT)}-{len(WHOLE) - 1}"},
    )
    finished = await registry.http.put(with_digest(registry.located(more), digest_of(WHOLE)))
    assert (more.status_code, finished.status_code) == (202, 201)


async def test_after_an_interrupted_chunk_the_blob_can_start_again(registry: RawRegistry) -> None:
    """Whatever became of the old session, a new one takes the whole blob."""
    started = await registry.start_upload()
    await _break_off(registry, registry.located(started))
    await registry.push_blob(WHOLE)
    read = await registry.http.get(registry.blob_path(digest_of(WHOLE)))
    assert read.content == WHOLE
