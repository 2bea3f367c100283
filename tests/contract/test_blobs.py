"""Blobs: looking, reading, reading in part, mounting, deleting (distribution spec, "Pulling blobs")."""

import pytest

from devtools.raw_registry import RawRegistry, codes, digest_of, with_digest

DATA = b"hello world"


async def test_head_and_get_agree(registry: RawRegistry) -> None:
    """HEAD tells the length, type and digest that GET then delivers."""
    digest = await registry.push_blob(DATA)
    head = await registry.http.head(registry.blob_path(digest))
    read = await registry.http.get(registry.blob_path(digest))
    assert (head.status_code, read.status_code) == (200, 200)
    assert head.headers["content-length"] == read.headers["content-length"] == str(len(DATA))
    assert head.headers["content-type"] == read.headers["content-type"] == "application/octet-stream"
    assert head.headers["docker-content-digest"] == read.headers["docker-content-digest"] == digest
    assert (head.content, read.content) == (b"", DATA)


@pytest.mark.parametrize(
    ("asked", "told", "body"),
    [
        ("bytes=2-", "bytes 2-10/11", b"llo world"),
        ("bytes=2-4", "bytes 2-4/11", b"llo"),
        ("bytes=0-100", "bytes 0-10/11", DATA),
        ("bytes=-3", "bytes 8-10/11", b"rld"),
    ],
)
async def test_a_part_is_read_by_range(registry: RawRegistry, asked: str, told: str, body: bytes) -> None:
    """A range is answered 206 with exactly these bytes."""
    digest = await registry.push_blob(DATA)
    part = await registry.http.get(registry.blob_path(digest), headers={"Range": asked})
    assert (part.status_code, part.headers["content-range"], part.content) == (206, told, body)


@pytest.mark.parametrize("asked", ["bytes=11-", "bytes=20-30", "bytes=5-2", "bytes=x"])
async def test_a_range_outside_is_not_satisfiable(registry: RawRegistry, asked: str) -> None:
    """A range that no byte lies in is 416; the body may be anything."""
    digest = await registry.push_blob(DATA)
    async with registry.http.stream("GET", registry.blob_path(digest), headers={"Range": asked}) as answer:
        assert answer.status_code == 416


async def test_an_unchanged_blob_is_not_sent_again(registry: RawRegistry) -> None:
    """The digest is the ETag, and If-None-Match works."""
    digest = await registry.push_blob(DATA)
    answer = await registry.http.get(registry.blob_path(digest), headers={"If-None-Match": f'"{digest}"'})
    assert answer.status_code == 304


async def test_an_unknown_blob_is_404(registry: RawRegistry) -> None:
    """GET says BLOB_UNKNOWN, and HEAD has no body."""
    await registry.push_blob(DATA)
    read = await registry.http.get(registry.blob_path(digest_of(b"nowhere")))
    head = await registry.http.head(registry.blob_path(digest_of(b"nowhere")))
    assert (read.status_code, codes(read)) == (404, ["BLOB_UNKNOWN"])
    assert read.headers["content-type"] == "application/json; charset=utf-8"
    assert (head.status_code, head.content) == (404, b"")


async def test_a_blob_of_another_repository_is_unknown(registry: RawRegistry) -> None:
    """What one repository holds is not to be seen through another."""
    digest = await registry.push_blob(DATA)
    read = await registry.http.get(registry.blob_path(digest, registry.neighbour))
    assert (read.status_code, codes(read)) == (404, ["BLOB_UNKNOWN"])


async def test_a_malformed_digest_is_refused(registry: RawRegistry) -> None:
    """A digest that cannot be one is 400 DIGEST_INVALID."""
    read = await registry.http.get(registry.blob_path("sha256:zz"))
    assert (read.status_code, codes(read)) == (400, ["DIGEST_INVALID"])


async def test_a_blob_is_mounted_from_a_neighbour(registry: RawRegistry) -> None:
    """A mount answers 201 with the blob's place, and the blob is there."""
    digest = await registry.push_blob(DATA)
    mounted = await registry.start_upload(f"?mount={digest}&from={registry.repository}", registry.neighbour)
    read = await registry.http.get(registry.blob_path(digest, registry.neighbour))
    assert mounted.status_code == 201
    assert registry.located(mounted).path == registry.blob_path(digest, registry.neighbour)
    assert mounted.headers["docker-content-digest"] == digest
    assert read.content == DATA


@pytest.mark.parametrize("query", ["?mount={digest}&from={neighbour}", "?mount={digest}", "?mount=junk&from={own}"])
async def test_a_mount_that_fails_is_an_upload(registry: RawRegistry, query: str) -> None:
    """Where the blob is not in the source, or the request is not understood, 202 opens an ordinary session."""
    absent = b"absent"
    filled = query.format(digest=digest_of(absent), neighbour=registry.neighbour, own=registry.repository)
    started = await registry.start_upload(filled)
    finished = await registry.http.put(with_digest(registry.located(started), digest_of(absent)), content=absent)
    assert (started.status_code, finished.status_code) == (202, 201)


async def test_a_deleted_blob_is_gone_from_its_repository_only(registry: RawRegistry) -> None:
    """DELETE answers 202 once and 404 then; a repository that it was mounted to keeps it."""
    digest = await registry.push_blob(DATA)
    await registry.start_upload(f"?mount={digest}&from={registry.repository}", registry.neighbour)
    deleted = await registry.http.delete(registry.blob_path(digest))
    again = await registry.http.delete(registry.blob_path(digest))
    own = await registry.http.get(registry.blob_path(digest))
    mounted = await registry.http.get(registry.blob_path(digest, registry.neighbour))
    assert [deleted.status_code, again.status_code, own.status_code] == [202, 404, 404]
    assert mounted.content == DATA


async def test_a_blob_can_be_put_under_its_sha512(registry: RawRegistry) -> None:
    """The digest's algorithm is the client's choice, and the blob is found under it."""
    started = await registry.start_upload()
    digest = digest_of(DATA, "sha512")
    finished = await registry.http.put(with_digest(registry.located(started), digest), content=DATA)
    read = await registry.http.get(registry.blob_path(digest))
    assert (finished.status_code, read.content) == (201, DATA)


async def test_a_blob_keeps_the_sha512_it_was_put_under(registry: RawRegistry) -> None:
    """The answer names the digest that the client chose."""
    started = await registry.start_upload()
    digest = digest_of(DATA, "sha512")
    finished = await registry.http.put(with_digest(registry.located(started), digest), content=DATA)
    assert finished.headers["docker-content-digest"] == digest
