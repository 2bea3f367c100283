"""The emulator's own manners: locks, the data endpoint, limits, the journal, the state, and content on disk."""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from devtools.emulator import Emulator, EmulatorConfig, create_emulator
from devtools.raw_registry import (
    ACCEPT,
    OCI_MANIFEST,
    RawRegistry,
    codes,
    descriptor,
    digest_of,
    image_manifest,
    with_digest,
)

CHUNK = {"Content-Type": "application/octet-stream"}
Connect = Callable[[Emulator], RawRegistry]


async def test_a_locked_tag_neither_moves_nor_goes(registry: RawRegistry) -> None:
    """PUT and DELETE are 405 REGISTRY_DISALLOWED_OPERATION until the tag is writable again."""
    first = await registry.push_image("v1", layers=(b"one",))
    second = await registry.push_image("v2", layers=(b"two",))
    attributes = f"/acr/v1/{registry.repository}/_tags/v1"
    locked = await registry.http.patch(attributes, json={"writeEnabled": False})
    refused = [
        await registry.put_manifest(second, "v1"),
        await registry.http.delete(registry.manifest_path("v1")),
        await registry.http.delete(registry.manifest_path(digest_of(first))),
    ]
    await registry.http.patch(attributes, json={"writeEnabled": True})
    moved = await registry.put_manifest(second, "v1")
    assert locked.json()["tag"]["changeableAttributes"]["writeEnabled"] is False
    assert [(answer.status_code, codes(answer)) for answer in refused] == [(405, ["REGISTRY_DISALLOWED_OPERATION"])] * 3
    assert moved.status_code == 201


async def test_a_deleted_subject_takes_its_referrers_along(registry: RawRegistry) -> None:
    """The signature goes with the image, and the signature's own referrer with it."""
    image = await registry.push_image("v1")
    signature = image_manifest(b"{}", subject=descriptor(image, OCI_MANIFEST))
    stamp = image_manifest(b"{}", subject=descriptor(signature, OCI_MANIFEST))
    for manifest in (signature, stamp):
        await registry.put_manifest(manifest, digest_of(manifest))
    await registry.http.delete(registry.manifest_path(digest_of(image)))
    left = [
        await registry.http.get(registry.manifest_path(digest_of(manifest)), headers=ACCEPT)
        for manifest in (image, signature, stamp)
    ]
    assert [answer.status_code for answer in left] == [404, 404, 404]


async def test_a_registry_without_referrers_says_404(connect: Connect) -> None:
    """With the API switched off, clients must fall back to the tag schema: 404 and no OCI-Subject."""
    registry = connect(create_emulator(EmulatorConfig(referrers=False)))
    await registry.push_blob(b"{}")
    manifest = image_manifest(b"{}", subject=descriptor(b"image", OCI_MANIFEST))
    put = await registry.put_manifest(manifest, "signature")
    listed = await registry.http.get(f"/v2/{registry.repository}/referrers/{digest_of(b'image')}")
    assert "oci-subject" not in put.headers
    assert listed.status_code == 404


async def test_a_blob_is_fetched_from_the_data_endpoint(connect: Connect) -> None:
    """GET redirects to a signed URL on another origin, which serves whole and part; HEAD does not."""
    registry = connect(create_emulator(EmulatorConfig(data_url="http://data.example")))
    digest = await registry.push_blob(b"hello world")
    head = await registry.http.head(registry.blob_path(digest))
    redirect = await registry.http.get(registry.blob_path(digest))
    url = redirect.headers["location"]
    whole = await registry.http.get(url)
    part = await registry.http.get(url, headers={"Range": "bytes=6-"})
    assert (head.status_code, redirect.status_code) == (200, 307)
    assert urlsplit(url).netloc == "data.example"
    assert int(parse_qs(urlsplit(url).query)["se"][0]) > time.time()
    assert whole.content == b"hello world"
    assert (part.status_code, part.headers["content-range"], part.content) == (206, "bytes 6-10/11", b"world")


async def test_the_data_endpoint_refuses_the_registrys_token(connect: Connect) -> None:
    """A request that carries Authorization is 400 InvalidAuthenticationInfo, in XML."""
    registry = connect(create_emulator(EmulatorConfig(data_url="http://data.example")))
    digest = await registry.push_blob(b"hello world")
    redirect = await registry.http.get(registry.blob_path(digest))
    refused = await registry.http.get(redirect.headers["location"], headers={"Authorization": "Bearer token"})
    assert (refused.status_code, refused.headers["x-ms-error-code"]) == (400, "InvalidAuthenticationInfo")
    assert "<Code>InvalidAuthenticationInfo</Code>" in refused.text


@pytest.mark.parametrize("life", [-1, 300])
async def test_a_data_url_is_good_for_one_blob_and_one_time(connect: Connect, life: float) -> None:
    """An expired URL, or one whose digest was exchanged, is 403."""
    registry = connect(create_emulator(EmulatorConfig(data_url="http://data.example", data_url_seconds=life)))
    digest, other = await registry.push_blob(b"hello"), await registry.push_blob(b"other")
    url = (await registry.http.get(registry.blob_path(digest))).headers["location"]
    same = await registry.http.get(url)
    exchanged = await registry.http.get(url.replace(digest, other))
    assert (same.status_code, exchanged.status_code) == (200 if life > 0 else 403, 403)


async def test_a_chunk_can_be_too_large(connect: Connect) -> None:
    """Above the limit a body is 413 and changes nothing; the least size of chunks is announced."""
    registry = connect(create_emulator(EmulatorConfig(largest_chunk=4, chunk_at_least=2)))
    started = await registry.start_upload()
    refused = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    taken = await registry.http.patch(registry.located(started), content=b"hell", headers=CHUNK)
    assert started.headers["oci-chunk-min-length"] == "2"
    assert (refused.status_code, taken.status_code, taken.headers["range"]) == (413, 202, "0-3")


async def test_every_answer_has_another_location(registry: RawRegistry) -> None:
    """Even a status that changes nothing gives a new one, so that an old one in use is found out."""
    started = await registry.start_upload()
    answers = [started, *[await registry.http.get(registry.located(started)) for _ in range(2)]]
    assert len({answer.headers["location"] for answer in answers}) == 3
    assert all("_nouploadcache=false&_state=" in answer.headers["location"] for answer in answers)


async def test_the_journal_keeps_no_secrets(registry: RawRegistry, emulator: Emulator) -> None:
    """Names of query parameters and the kind of credentials are written down, their values are not."""
    await registry.http.get("/v2/a/tags/list?n=5&last=hidden", headers={"Authorization": "Bearer hidden"})
    entry = emulator.journal.select(path="/tags/list")[0]
    assert (entry.method, entry.path, entry.query) == ("GET", "/v2/a/tags/list", ("n", "last"))
    assert (entry.authorization, entry.status) == ("Bearer", 404)
    assert "hidden" not in (await registry.http.get("/_emulator/journal")).text


async def test_the_journal_counts_bytes(registry: RawRegistry, emulator: Emulator) -> None:
    """Both bodies are counted, and ranges are noted."""
    digest = await registry.push_blob(b"hello world")
    await registry.http.get(registry.blob_path(digest), headers={"Range": "bytes=6-"})
    put, read = emulator.journal.select("PUT")[0], emulator.journal.select("GET", digest)[0]
    assert (put.request_bytes, put.response_bytes) == (11, 0)
    assert (read.response_bytes, read.range, read.status) == (5, "bytes=6-", 206)


async def test_the_state_shows_what_is_there(registry: RawRegistry) -> None:
    """Repositories with tags, blobs with sizes, and open uploads with their offsets."""
    manifest = await registry.push_image("v1", layers=(b"layer",))
    started = await registry.start_upload()
    await registry.http.patch(registry.located(started), content=b"half", headers=CHUNK)
    state = (await registry.http.get("/_emulator/state")).json()
    repository = state["repositories"][registry.repository]
    assert repository["tags"] == {"v1": digest_of(manifest)}
    assert repository["manifests"] == {digest_of(manifest): OCI_MANIFEST}
    assert state["blobs"] == {digest_of(b"{}"): 2, digest_of(b"layer"): 5}
    assert [(upload["repository"], upload["offset"]) for upload in state["uploads"]] == [(registry.repository, 4)]


async def test_open_sessions_can_be_lost(registry: RawRegistry) -> None:
    """After DELETE /_emulator/uploads a session is 404 BLOB_UPLOAD_UNKNOWN, and a new one works."""
    started = await registry.start_upload()
    lost = await registry.http.delete("/_emulator/uploads")
    refused = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    await registry.push_blob(b"hello")
    assert lost.status_code == 204
    assert (refused.status_code, codes(refused)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


async def test_content_on_disk_outlives_the_process(tmp_path: Path, connect: Connect) -> None:
    """A new emulator on the same folder has the images, and goes on with an upload under the Location of the old."""
    before = connect(create_emulator(EmulatorConfig(data_dir=tmp_path)))
    manifest = await before.push_image("v1")
    started = await before.start_upload()
    half = await before.http.patch(before.located(started), content=b"hello ", headers=CHUNK)

    after = connect(create_emulator(EmulatorConfig(data_dir=tmp_path)))
    read = await after.http.get(after.manifest_path("v1"), headers=ACCEPT)
    rest = await after.http.patch(after.located(half), content=b"world", headers=CHUNK)
    finished = await after.http.put(with_digest(after.located(rest), digest_of(b"hello world")))
    blob = await after.http.get(after.blob_path(digest_of(b"hello world")))
    assert read.content == manifest
    assert (rest.headers["range"], finished.status_code, blob.content) == ("0-10", 201, b"hello world")


async def test_a_wrong_digest_leaves_nothing_on_disk(tmp_path: Path, connect: Connect) -> None:
    """The bytes of a refused upload are removed."""
    registry = connect(create_emulator(EmulatorConfig(data_dir=tmp_path)))
    started = await registry.start_upload()
    refused = await registry.http.put(with_digest(registry.located(started), digest_of(b"other")), content=b"this")
    assert refused.status_code == 400
    assert list((tmp_path / "uploads").iterdir()) == []
