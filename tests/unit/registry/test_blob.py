"""Reading a blob: where a range really begins, and that it is exactly as long as its descriptor says."""

import httpx
import pytest

from importcore.descriptors import Descriptor
from importcore.errors import RegistryUnavailableError, Side, SizeMismatchError
from tests.unit.registry.scripted import broken_off, client_of, streamed

CONTENT = b"0123456789"
BLOB = Descriptor("application/octet-stream", "sha256:" + "0" * 64, len(CONTENT))


async def read(answer: httpx.Response, offset: int = 0) -> tuple[bytes, httpx.Request]:
    """What a blob's bytes are, from an offset, when this is the answer; and what was asked."""
    client, script = client_of(lambda _: answer)
    async with client.open_blob("a", BLOB, offset) as reader:
        body = b"".join([piece async for piece in reader])
    return body, script.requests[0]


async def test_a_whole_blob_is_read_without_a_range() -> None:
    """In pieces as they come, also empty ones."""
    body, request = await read(streamed(200, CONTENT[:3], b"", CONTENT[3:]))

    assert body == CONTENT
    assert "range" not in request.headers
    assert request.url.path == f"/v2/a/blobs/{BLOB.digest}"


@pytest.mark.parametrize(
    ("answer", "offset"),
    [
        (lambda: streamed(206, CONTENT[4:], Content_Range="bytes 4-9/10"), 4),
        (lambda: streamed(206, CONTENT[4:], Content_Range="bytes 4-9/*"), 4),
        (lambda: streamed(206, CONTENT[2:5], CONTENT[5:], Content_Range="bytes 2-9/10"), 4),
        (lambda: streamed(200, CONTENT), 4),
        (lambda: streamed(200, CONTENT[:2], CONTENT[2:6], CONTENT[6:], Content_Length="10"), 4),
        (lambda: streamed(200, *[bytes([byte]) for byte in CONTENT]), 9),
    ],
)
async def test_a_blob_is_read_from_an_offset_whatever_the_server_makes_of_it(answer: object, offset: int) -> None:
    """The range that was asked for, one that begins earlier, or the whole blob with 200."""
    body, request = await read(answer(), offset)  # type: ignore[operator]  # each row makes its answer anew

    assert body == CONTENT[offset:]
    assert request.headers["range"] == f"bytes={offset}-"


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 5-9/10",
        "bytes 0-9",
        "items 4-9/10",
        "",
        "bytes 4-9/10, bytes 0-1/10",
        "bytes -4-9/10",
        "bytes \u00b2-9/10",
        "bytes " + "1" * 5000 + "-9/10",
    ],
)
async def test_a_range_that_was_not_asked_for_is_refused(content_range: str) -> None:
    """It may be right the next time, so it is retried and not believed."""
    with pytest.raises(RegistryUnavailableError, match="range that was not asked for") as caught:
        await read(streamed(206, CONTENT[4:], Content_Range=content_range), 4)

    assert caught.value.retryable


@pytest.mark.parametrize(
    ("answer", "offset"),
    [
        (lambda: streamed(206, CONTENT[4:], Content_Range="bytes 4-9/11"), 4),
        (lambda: streamed(206, CONTENT[4:], Content_Range="bytes 4-9/" + "1" * 5000), 4),
        (lambda: streamed(200, CONTENT, Content_Length="11"), 0),
        (lambda: streamed(200, CONTENT, Content_Length="9"), 0),
        (lambda: streamed(200, CONTENT, b"x"), 0),
        (lambda: streamed(200, CONTENT + b"x"), 4),
        (lambda: streamed(206, CONTENT[4:], b"x", Content_Range="bytes 4-9/*"), 4),
    ],
)
async def test_a_blob_of_another_size_is_never_taken(answer: object, offset: int) -> None:
    """Said in a header or seen in the bytes; it will not change, so it is final."""
    with pytest.raises(SizeMismatchError) as caught:
        await read(answer(), offset)  # type: ignore[operator]  # each row makes its answer anew

    assert not caught.value.retryable
    assert (caught.value.origin, caught.value.step) == (Side.SOURCE, "read blob")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: streamed(200, CONTENT[:7]), "3 bytes early"),
        (lambda: streamed(200), "10 bytes early"),
        (lambda: broken_off(200, CONTENT[:7]), "reset"),
        (lambda: broken_off(200, CONTENT), "reset"),
    ],
)
async def test_a_broken_read_can_be_taken_up_again(answer: object, words: str) -> None:
    """The connection broke or ended early; the bytes until then were right."""
    with pytest.raises(RegistryUnavailableError, match=words) as caught:
        await read(answer())  # type: ignore[operator]  # each row makes its answer anew

    assert caught.value.retryable
    assert BLOB.digest in str(caught.value.reference)


async def test_a_blob_that_is_not_read_to_its_end_is_closed() -> None:
    """Else its connection would be lost."""
    answer = streamed(200, CONTENT)
    client, _ = client_of(lambda _: answer)

    async with client.open_blob("a", BLOB):
        pass

    assert answer.is_closed
