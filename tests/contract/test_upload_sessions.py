"""Upload sessions: what a client may count on while it pushes a blob (distribution spec, "Pushing blobs")."""

from collections.abc import AsyncIterator

import httpx

from devtools.raw_registry import RawRegistry, codes, digest_of, with_digest

CHUNK = {"Content-Type": "application/octet-stream"}


async def _uploaded(registry: RawRegistry, data: bytes) -> httpx.Response:
    """Start an upload and send the first chunk."""
    started = await registry.start_upload()
    return await registry.http.patch(registry.located(started), content=data, headers=CHUNK)


async def test_a_session_starts_with_a_location_and_an_empty_range(registry: RawRegistry) -> None:
    """POST answers 202, a Location with state in its query, and Range 0-0."""
    started = await registry.start_upload()
    assert started.status_code == 202
    assert started.headers["range"] == "0-0"
    assert started.headers["docker-upload-uuid"] in registry.located(started).path
    assert "_state" in registry.located(started).params


async def test_a_blob_goes_in_chunk_by_chunk(registry: RawRegistry) -> None:
    """Two chunks in order and an empty PUT make a blob of exactly these bytes."""
    data = b"first chunk, second chunk"
    started = await registry.start_upload()
    first = await registry.http.patch(
        registry.located(started), content=data[:13], headers={**CHUNK, "Content-Range": "0-12"}
    )
    second = await registry.http.patch(
        registry.located(first), content=data[13:], headers={**CHUNK, "Content-Range": f"13-{len(data) - 1}"}
    )
    finished = await registry.http.put(with_digest(registry.located(second), digest_of(data)))
    read = await registry.http.get(registry.blob_path(digest_of(data)))
    assert [first.status_code, second.status_code, finished.status_code] == [202, 202, 201]
    assert [first.headers["range"], second.headers["range"]] == ["0-12", f"0-{len(data) - 1}"]
    assert finished.headers["docker-content-digest"] == digest_of(data)
    assert registry.located(finished).path == registry.blob_path(digest_of(data))
    assert read.content == data


async def test_a_blob_goes_in_as_a_stream_of_unknown_length(registry: RawRegistry) -> None:
    """A PATCH in transfer coding chunked, without any range, is taken whole."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"some"
        yield b" stream"

    started = await registry.start_upload()
    sent = await registry.http.patch(registry.located(started), content=pieces(), headers=CHUNK)
    finished = await registry.http.put(with_digest(registry.located(sent), digest_of(b"some stream")))
    assert (sent.status_code, sent.headers["range"]) == (202, "0-10")
    assert finished.status_code == 201


async def test_the_closing_put_may_bring_the_last_chunk(registry: RawRegistry) -> None:
    """A PUT with a body appends it before the digest is verified."""
    sent = await _uploaded(registry, b"head ")
    finished = await registry.http.put(
        with_digest(registry.located(sent), digest_of(b"head tail")), content=b"tail", headers=CHUNK
    )
    assert finished.status_code == 201


async def test_the_closing_put_may_bring_the_whole_blob(registry: RawRegistry) -> None:
    """POST and one PUT suffice."""
    digest = await registry.push_blob(b"whole")
    read = await registry.http.get(registry.blob_path(digest))
    assert read.content == b"whole"


async def test_the_empty_blob_is_a_blob(registry: RawRegistry) -> None:
    """A blob of no bytes is stored, found and read."""
    digest = await registry.push_blob(b"")
    read = await registry.http.get(registry.blob_path(digest))
    assert (read.status_code, read.headers["content-length"], read.content) == (200, "0", b"")


async def test_the_status_tells_how_far_it_is(registry: RawRegistry) -> None:
    """GET answers 204 with the range and with a Location that goes on."""
    sent = await _uploaded(registry, b"hello")
    status = await registry.http.get(registry.located(sent))
    more = await registry.http.patch(registry.located(status), content=b" world", headers=CHUNK)
    assert (status.status_code, status.headers["range"]) == (204, "0-4")
    assert more.headers["range"] == "0-10"


async def test_one_byte_looks_like_none(registry: RawRegistry) -> None:
    """After one byte the range is 0-0, as before it."""
    sent = await _uploaded(registry, b"x")
    assert sent.headers["range"] == "0-0"


async def test_a_chunk_under_a_stale_location_changes_nothing(registry: RawRegistry) -> None:
    """The Location from before a chunk is refused, and the session stands where it was."""
    started = await registry.start_upload()
    sent = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    stale = await registry.http.patch(registry.located(started), content=b"again", headers=CHUNK)
    status = await registry.http.get(registry.located(sent))
    assert stale.status_code in {404, 416}
    assert status.headers["range"] == "0-4"


async def test_a_stale_chunk_is_out_of_range(registry: RawRegistry) -> None:
    """The refusal of a stale Location is 416 RANGE_INVALID."""
    started = await registry.start_upload()
    await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    stale = await registry.http.patch(registry.located(started), content=b"again", headers=CHUNK)
    assert (stale.status_code, codes(stale)) == (416, ["RANGE_INVALID"])


async def test_the_status_answers_under_a_stale_location(registry: RawRegistry) -> None:
    """Asking for the status needs no valid state, and gives a Location that goes on."""
    started = await registry.start_upload()
    await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    more = await registry.http.patch(registry.located(status), content=b"!", headers=CHUNK)
    assert (status.status_code, status.headers["range"]) == (204, "0-4")
    assert more.headers["range"] == "0-5"


async def test_a_location_without_its_state_is_refused(registry: RawRegistry) -> None:
    """A URL that a client built itself is no Location: 404 BLOB_UPLOAD_INVALID."""
    started = await registry.start_upload()
    bare = registry.located(started).copy_with(query=None)
    refused = await registry.http.patch(bare, content=b"hello", headers=CHUNK)
    assert (refused.status_code, codes(refused)) == (404, ["BLOB_UPLOAD_INVALID"])


async def test_a_state_with_a_wrong_signature_is_refused(registry: RawRegistry) -> None:
    """A state that another registry signed, or nobody, is 404 BLOB_UPLOAD_INVALID."""
    started = await registry.start_upload()
    location = registry.located(started)
    forged = location.copy_set_param("_state", "A" * len(location.params["_state"]))
    refused = await registry.http.patch(forged, content=b"hello", headers=CHUNK)
    assert (refused.status_code, codes(refused)) == (404, ["BLOB_UPLOAD_INVALID"])


async def test_a_chunk_at_the_wrong_offset_is_refused(registry: RawRegistry) -> None:
    """A Content-Range that does not begin where the session stands is 416, and the session stays."""
    sent = await _uploaded(registry, b"hello")
    refused = await registry.http.patch(
        registry.located(sent), content=b"gap", headers={**CHUNK, "Content-Range": "9-11"}
    )
    status = await registry.http.get(registry.located(sent))
    assert (refused.status_code, codes(refused)) == (416, ["RANGE_INVALID"])
    assert status.headers["range"] == "0-4"


async def test_a_content_range_of_another_form_is_refused(registry: RawRegistry) -> None:
    """`bytes a-b/*`, the form of responses, is an error here."""
    started = await registry.start_upload()
    refused = await registry.http.patch(
        registry.located(started), content=b"hello", headers={**CHUNK, "Content-Range": "bytes 0-4/*"}
    )
    assert refused.is_error


async def test_a_content_range_of_another_length_is_refused(registry: RawRegistry) -> None:
    """A range that the body does not fill is 400 SIZE_INVALID."""
    started = await registry.start_upload()
    refused = await registry.http.patch(
        registry.located(started), content=b"hello", headers={**CHUNK, "Content-Range": "0-9"}
    )
    assert (refused.status_code, codes(refused)) == (400, ["SIZE_INVALID"])


async def test_a_chunk_of_another_content_type_is_refused(registry: RawRegistry) -> None:
    """Chunks are application/octet-stream."""
    started = await registry.start_upload()
    refused = await registry.http.patch(
        registry.located(started), content=b"hello", headers={"Content-Type": "text/plain"}
    )
    assert refused.status_code == 500


async def test_a_wrong_digest_makes_no_blob(registry: RawRegistry) -> None:
    """The closing PUT answers 400 DIGEST_INVALID, and there is no blob under either digest."""
    sent = await _uploaded(registry, b"these bytes")
    refused = await registry.http.put(with_digest(registry.located(sent), digest_of(b"other bytes")))
    looked = [
        await registry.http.head(registry.blob_path(digest_of(data))) for data in (b"these bytes", b"other bytes")
    ]
    assert (refused.status_code, codes(refused)) == (400, ["DIGEST_INVALID"])
    assert [answer.status_code for answer in looked] == [404, 404]


async def test_a_wrong_digest_ends_the_session(registry: RawRegistry) -> None:
    """After the refused PUT the session is unknown."""
    sent = await _uploaded(registry, b"these bytes")
    await registry.http.put(with_digest(registry.located(sent), digest_of(b"other bytes")))
    status = await registry.http.get(registry.located(sent))
    assert (status.status_code, codes(status)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


async def test_a_missing_or_malformed_digest_leaves_the_session(registry: RawRegistry) -> None:
    """Without a digest that can be read the answer is 400 DIGEST_INVALID, and the client may try again."""
    sent = await _uploaded(registry, b"bytes")
    location = registry.located(sent)
    missing = await registry.http.put(location)
    malformed = await registry.http.put(with_digest(location, "sha256:short"))
    finished = await registry.http.put(with_digest(location, digest_of(b"bytes")))
    assert (missing.status_code, codes(missing)) == (400, ["DIGEST_INVALID"])
    assert (malformed.status_code, codes(malformed)) == (400, ["DIGEST_INVALID"])
    assert finished.status_code == 201


async def test_a_finished_session_is_unknown(registry: RawRegistry) -> None:
    """After the closing PUT the session answers 404 BLOB_UPLOAD_UNKNOWN to everything."""
    sent = await _uploaded(registry, b"bytes")
    location = registry.located(sent)
    await registry.http.put(with_digest(location, digest_of(b"bytes")))
    answers = [
        await registry.http.get(location),
        await registry.http.patch(location, content=b"more", headers=CHUNK),
        await registry.http.put(with_digest(location, digest_of(b"bytes"))),
        await registry.http.delete(location),
    ]
    assert [(answer.status_code, codes(answer)) for answer in answers] == [(404, ["BLOB_UPLOAD_UNKNOWN"])] * 4


async def test_a_cancelled_session_is_unknown(registry: RawRegistry) -> None:
    """DELETE answers 204, and then the session is gone."""
    sent = await _uploaded(registry, b"bytes")
    cancelled = await registry.http.delete(registry.located(sent))
    status = await registry.http.get(registry.located(sent))
    assert cancelled.status_code == 204
    assert (status.status_code, codes(status)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


async def test_a_session_belongs_to_its_repository(registry: RawRegistry) -> None:
    """The same session under another repository's path is 404."""
    started = await registry.start_upload()
    location = registry.located(started)
    elsewhere = location.copy_with(path=location.path.replace(registry.repository, registry.neighbour))
    refused = await registry.http.patch(elsewhere, content=b"hello", headers=CHUNK)
    assert (refused.status_code, codes(refused)) == (404, ["BLOB_UPLOAD_INVALID"])


async def test_a_post_with_a_body_opens_a_session_all_the_same(registry: RawRegistry) -> None:
    """`POST ?digest=` is answered 202: the registry does not take blobs this way, and did not keep the body."""
    started = await registry.http.post(
        f"/v2/{registry.repository}/blobs/uploads/", params={"digest": digest_of(b"mono")}, content=b"mono"
    )
    finished = await registry.http.put(with_digest(registry.located(started), digest_of(b"mono")), content=b"mono")
    assert (started.status_code, started.headers["range"]) == (202, "0-0")
    assert finished.status_code == 201
