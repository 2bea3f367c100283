"""An upload session: the latest Location whole, the acknowledged range, and what the end of it may be."""

from collections.abc import AsyncIterator

import httpx
import pytest

from importcore.errors import (
    DigestMismatchError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    UploadSessionLostError,
)
from importcore.registry.upload import UploadSession
from tests.unit.registry.scripted import ScriptedTransport, client_of, streamed

DIGEST = "sha256:" + "0" * 64
UPLOADS = "https://registry.example/v2/a/blobs/uploads/"


async def chunk(*pieces: bytes) -> AsyncIterator[bytes]:
    """The pieces of one chunk."""
    for piece in pieces:
        yield piece


async def opened(
    *answers: httpx.Response, location: str = "u1", **headers: str
) -> tuple[UploadSession, ScriptedTransport]:
    """A session that has just begun, in a registry that will answer these things next."""
    script = iter([streamed(202, Location=location, **headers), *answers])
    client, transport = client_of(lambda _: next(script), side=Side.TARGET)
    return await client.start_upload("a", DIGEST), transport


@pytest.mark.parametrize(
    ("location", "whole"),
    [
        ("/v2/a/blobs/uploads/u1?_state=x%2By%3D", f"{UPLOADS}u1?_state=x%2By%3D"),
        ("u1", f"{UPLOADS}u1"),
        ("https://registry.example/other/u1", "https://registry.example/other/u1"),
        ("https://storage.example/u1?sig=s", "https://storage.example/u1?sig=s"),
        ("//storage.example/u1", "https://storage.example/u1"),
    ],
)
async def test_a_location_may_be_relative_or_absolute(location: str, whole: str) -> None:
    """RFC 9110, 10.2.2: against the URL that was asked."""
    session, _ = await opened(location=location)

    assert session.location == whole
    assert (session.offset, session.chunk_at_least) == (0, 0)


async def test_a_session_without_a_location_is_none() -> None:
    """There would be nowhere to send to."""
    client, _ = client_of(lambda _: streamed(202), side=Side.TARGET)

    with pytest.raises(RegistryUnavailableError, match="without a Location"):
        await client.start_upload("a", DIGEST)


@pytest.mark.parametrize(
    ("said", "least"), [("65536", 65536), ("", 0), ("-1", 0), ("many", 0), ("\u00b2", 0), ("1" * 5000, 0)]
)
async def test_the_smallest_chunk_is_what_the_registry_says(said: str, least: int) -> None:
    """Spec: `OCI-Chunk-Min-Length`."""
    session, _ = await opened(OCI_Chunk_Min_Length=said)

    assert session.chunk_at_least == least


async def test_chunks_follow_each_other_to_the_latest_location() -> None:
    """Each with its length and its range, in the one form that every registry takes."""
    session, script = await opened(
        streamed(202, Location="u2", Range="0-4"), streamed(202, Location="https://storage.example/u3", Range="0-9")
    )

    await session.append(chunk(b"01", b"234"), 5)
    await session.append(chunk(b"56789"), 5)

    first, second = script.requests[1:]
    assert (str(first.url), first.content) == (f"{UPLOADS}u1", b"01234")
    assert (str(second.url), second.content) == (f"{UPLOADS}u2", b"56789")
    assert [request.headers["content-range"] for request in (first, second)] == ["0-4", "5-9"]
    assert [request.headers["content-length"] for request in (first, second)] == ["5", "5"]
    assert "transfer-encoding" not in first.headers
    assert (session.offset, session.location) == (10, "https://storage.example/u3")


@pytest.mark.parametrize(
    ("said", "length", "offset"),
    [
        ("0-4", 5, 5),
        ("bytes=0-4", 5, 5),
        (" 0-4 ", 5, 5),
        ("0-2", 5, 3),
        ("0-0", 5, 0),
        ("0-0", 1, 1),
        ("", 5, 5),
        ("5-9", 5, 5),
        ("nonsense", 5, 5),
    ],
)
async def test_the_offset_is_what_the_registry_acknowledged(said: str, length: int, offset: int) -> None:
    """Not what was sent; a registry that does not say took it all."""
    session, _ = await opened(streamed(202, Range=said))

    await session.append(chunk(b"x" * length), length)

    assert session.offset == offset


@pytest.mark.parametrize(
    ("said", "offset"),
    [("0-4", 5), ("0-0", 0), ("", 0), ("bytes=0-1023", 1024), ("0-\u00b2", 0), ("0-" + "1" * 5000, 0)],
)
async def test_the_status_says_where_to_go_on(said: str, offset: int) -> None:
    """After an answer that never came; nothing said means nothing there."""
    session, script = await opened(streamed(204, Location="u2", Range=said))

    await session.status()

    assert (session.offset, session.location) == (offset, f"{UPLOADS}u2")
    assert (script.requests[-1].method, str(script.requests[-1].url)) == ("GET", f"{UPLOADS}u1")


@pytest.mark.parametrize("status", [400, 404, 405, 416])
async def test_a_session_whose_status_is_unknown_is_lost(status: int) -> None:
    """Also where the registry cannot be asked at all: the blob starts again."""
    session, _ = await opened(streamed(status, b'{"errors": [{"code": "X"}]}'))

    with pytest.raises(UploadSessionLostError) as caught:
        await session.status()

    assert (caught.value.status, caught.value.answers) == (status, ("X",))


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_a_status_that_could_not_be_asked_is_not_lost(status: int) -> None:
    """It may still be there."""
    session, _ = await opened(*[streamed(status) for _ in range(4)])

    with pytest.raises(RegistryError) as caught:
        await session.status()

    assert not isinstance(caught.value, UploadSessionLostError)


async def test_a_session_of_an_earlier_run_is_taken_up_where_it_was() -> None:
    """With the Location of the checkpoint, whole."""
    client, script = client_of(lambda _: streamed(204, Range="0-99"), side=Side.TARGET)
    session = client.resume_upload("a", DIGEST, "https://registry.example/u?_state=x%3D", 50)

    await session.status()

    assert session.offset == 100
    assert str(script.requests[0].url) == "https://registry.example/u?_state=x%3D"


async def test_the_end_names_the_digest_behind_what_the_location_has() -> None:
    """It stays to the letter: what is in it is signed, or the registry's own spelling."""
    session, script = await opened(streamed(201, Docker_Content_Digest=DIGEST), location="u1?_state=a%20b/c~d&b=&flag")

    await session.finish(b"whole blob")

    request = script.requests[-1]
    assert request.method == "PUT"
    assert request.url.query == f"_state=a%20b/c~d&b=&flag&digest={DIGEST}".encode()
    assert (request.content, request.headers["content-length"]) == (b"whole blob", "10")


async def test_the_end_of_a_chunked_upload_has_no_body() -> None:
    """All was sent before."""
    session, script = await opened(streamed(201))

    await session.finish()

    assert (script.requests[-1].content, script.requests[-1].headers["content-length"]) == (b"", "0")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: streamed(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "no"}]}'),
        lambda: streamed(201, Docker_Content_Digest="sha256:" + "1" * 64),
    ],
)
async def test_another_digest_at_the_target_is_a_mismatch(answer: object) -> None:
    """Refused by the registry, or stored under another name."""
    session, _ = await opened(answer())  # type: ignore[operator]  # each row makes its answer anew

    with pytest.raises(DigestMismatchError) as caught:
        await session.finish()

    assert (caught.value.origin, caught.value.step) == (Side.TARGET, "finish upload")
    assert caught.value.reference == f"a@{DIGEST}"


async def test_a_registry_may_store_under_another_algorithm() -> None:
    """A sha512 of the same bytes says nothing about the sha256."""
    session, script = await opened(streamed(201, Docker_Content_Digest="sha512:" + "1" * 128))

    await session.finish()

    assert script.requests[-1].method == "PUT"


@pytest.mark.parametrize("code", ["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"])
@pytest.mark.parametrize("step", ["append", "finish"])
async def test_a_lost_session_is_told_as_such(code: str, step: str) -> None:
    """Whether a chunk or the end found it out."""
    session, _ = await opened(streamed(404, b'{"errors": [{"code": "%s"}]}' % code.encode()))

    with pytest.raises(UploadSessionLostError):
        await (session.append(chunk(b"x"), 1) if step == "append" else session.finish())


async def test_a_registry_that_acknowledges_more_than_was_sent_is_not_believed() -> None:
    """The offset stays where it was; the status will say what is there."""
    session, _ = await opened(streamed(202, Range="0-9", Location="u2"))

    with pytest.raises(RegistryUnavailableError, match="acknowledged 10 bytes, 5 were sent") as caught:
        await session.append(chunk(b"01234"), 5)

    assert caught.value.retryable
    assert session.offset == 0


@pytest.mark.parametrize("status", [204, 202, 404, 405, 500, 401])
async def test_giving_a_session_up_never_fails(status: int) -> None:
    """A registry that refuses forgets it by itself."""
    session, script = await opened(*[streamed(status) for _ in range(4)])

    await session.cancel()

    assert (script.requests[-1].method, str(script.requests[-1].url)) == ("DELETE", f"{UPLOADS}u1")


@pytest.mark.parametrize("busy", [404, 416])
async def test_a_session_that_is_busy_with_a_broken_chunk_is_given_up_a_little_later(busy: int) -> None:
    """The registry knows it, and refuses to delete it while the end of the chunk's body is not seen."""
    asked = [streamed(204, Location="u2") for _ in range(2)]
    session, script = await opened(asked[0], streamed(busy), asked[1], streamed(204))

    await session.cancel()

    assert [request.method for request in script.requests] == ["POST", "GET", "DELETE", "GET", "DELETE"]
