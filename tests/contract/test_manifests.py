"""Manifests: exact bytes, by tag and by digest, parts before wholes (distribution spec, "Pushing manifests")."""

import json

import pytest

from devtools.raw_registry import (
    ACCEPT,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    RawRegistry,
    codes,
    descriptor,
    digest_of,
    image_manifest,
    index_of,
)


async def test_a_manifest_is_put_by_tag_and_found_by_digest(registry: RawRegistry) -> None:
    """PUT by tag tells the digest, and both ways lead to the same bytes."""
    manifest = await registry.push_image("v1")
    put = await registry.put_manifest(manifest, "v2")
    by_tag = await registry.http.get(registry.manifest_path("v1"), headers=ACCEPT)
    by_digest = await registry.http.get(registry.manifest_path(digest_of(manifest)), headers=ACCEPT)
    assert (put.status_code, put.headers["docker-content-digest"]) == (201, digest_of(manifest))
    assert registry.located(put).path == registry.manifest_path(digest_of(manifest))
    assert by_tag.content == by_digest.content == manifest
    assert by_tag.headers["content-type"] == OCI_MANIFEST


async def test_bytes_come_back_as_they_went(registry: RawRegistry) -> None:
    """Odd spacing, order and a trailing line are part of the digest and are kept."""
    odd = json.dumps(json.loads(await registry.push_image("v1")), indent=7).encode() + b"\n\n"
    put = await registry.put_manifest(odd, "odd")
    read = await registry.http.get(registry.manifest_path("odd"), headers=ACCEPT)
    assert put.headers["docker-content-digest"] == digest_of(odd)
    assert read.content == odd


async def test_head_and_get_agree(registry: RawRegistry) -> None:
    """HEAD tells length, type and digest without a body."""
    manifest = await registry.push_image("v1")
    head = await registry.http.head(registry.manifest_path("v1"), headers=ACCEPT)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(manifest))
    assert head.headers["content-type"] == OCI_MANIFEST
    assert head.headers["docker-content-digest"] == digest_of(manifest)


async def test_a_manifest_is_put_by_digest_without_a_tag(registry: RawRegistry) -> None:
    """PUT by digest stores it; under another digest than its own it is refused."""
    await registry.push_blob(b"{}")
    manifest = image_manifest(b"{}")
    put = await registry.put_manifest(manifest, digest_of(manifest))
    wrong = await registry.put_manifest(manifest, digest_of(b"something else"))
    assert put.status_code == 201
    assert (wrong.status_code, codes(wrong)) == (400, ["DIGEST_INVALID"])


async def test_a_tag_moves(registry: RawRegistry) -> None:
    """A second PUT moves the tag; the first manifest stays under its digest."""
    first = await registry.push_image("v1", layers=(b"one",))
    second = await registry.push_image("v1", layers=(b"two",))
    by_tag = await registry.http.get(registry.manifest_path("v1"), headers=ACCEPT)
    by_digest = await registry.http.get(registry.manifest_path(digest_of(first)), headers=ACCEPT)
    assert (by_tag.content, by_digest.content) == (second, first)


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
async def test_blobs_come_before_their_manifest(registry: RawRegistry, media_type: str) -> None:
    """A manifest whose config and layers are missing is 400 MANIFEST_BLOB_UNKNOWN, once for each."""
    manifest = image_manifest(b"no config", [b"no layer", b"nor this"], media_type)
    refused = await registry.put_manifest(manifest, "v1", media_type)
    assert refused.status_code == 400
    assert codes(refused) == ["MANIFEST_BLOB_UNKNOWN"] * 3


@pytest.mark.parametrize(("index_type", "child_type"), [(OCI_INDEX, OCI_MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)])
async def test_children_come_before_their_index(registry: RawRegistry, index_type: str, child_type: str) -> None:
    """An index is refused until the manifests that it lists are there."""
    await registry.push_blob(b"{}")
    child = image_manifest(b"{}", media_type=child_type)
    index = index_of([child], index_type, child_type)
    refused = await registry.put_manifest(index, "multi", index_type)
    await registry.put_manifest(child, digest_of(child), child_type)
    taken = await registry.put_manifest(index, "multi", index_type)
    read = await registry.http.get(registry.manifest_path("multi"), headers=ACCEPT)
    assert (refused.status_code, codes(refused)) == (400, ["MANIFEST_BLOB_UNKNOWN"])
    assert taken.status_code == 201
    assert (read.headers["content-type"], read.content) == (index_type, index)


async def test_an_index_of_nothing_and_an_image_without_layers_are_taken(registry: RawRegistry) -> None:
    """Empty lists are content too."""
    await registry.push_blob(b"{}")
    index = await registry.put_manifest(index_of([]), "empty", OCI_INDEX)
    image = await registry.put_manifest(image_manifest(b"{}"), "bare")
    assert (index.status_code, image.status_code) == (201, 201)


async def test_unknown_fields_and_inlined_data_are_kept(registry: RawRegistry) -> None:
    """Fields that no specification knows, and a descriptor's `data`, pass unharmed."""
    await registry.push_blob(b"{}")
    document = json.loads(image_manifest(b"{}", artifactType="application/vnd.example", extra={"a": [1]}))
    document["config"]["data"] = "e30="
    manifest = json.dumps(document).encode()
    put = await registry.put_manifest(manifest, "extra")
    read = await registry.http.get(registry.manifest_path("extra"), headers=ACCEPT)
    assert (put.status_code, read.content) == (201, manifest)


async def test_a_manifest_without_media_type_goes_by_its_content_type(registry: RawRegistry) -> None:
    """OCI 1.0 manifests need no `mediaType`."""
    await registry.push_blob(b"{}")
    document = json.loads(image_manifest(b"{}"))
    del document["mediaType"]
    manifest = json.dumps(document).encode()
    put = await registry.put_manifest(manifest, "plain")
    read = await registry.http.get(registry.manifest_path("plain"), headers=ACCEPT)
    assert (put.status_code, read.headers["content-type"]) == (201, OCI_MANIFEST)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"{", OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (b"", OCI_MANIFEST),
        (b'{"a": 1}', "application/json"),
        (b'{"a": 1}', "text/plain"),
    ],
)
async def test_what_is_no_manifest_is_refused(registry: RawRegistry, body: bytes, media_type: str) -> None:
    """Broken JSON and foreign types are 400 MANIFEST_INVALID."""
    refused = await registry.put_manifest(body, "v1", media_type)
    assert (refused.status_code, codes(refused)) == (400, ["MANIFEST_INVALID"])


async def test_the_content_type_must_agree_with_the_body(registry: RawRegistry) -> None:
    """An image sent as an index is refused; parameters of the Content-Type do not matter."""
    manifest = await registry.push_image("v1")
    as_index = await registry.put_manifest(manifest, "v2", OCI_INDEX)
    with_parameter = await registry.put_manifest(manifest, "v2", f"{OCI_MANIFEST}; charset=utf-8")
    assert (as_index.status_code, codes(as_index)) == (400, ["MANIFEST_INVALID"])
    assert with_parameter.status_code == 201


async def test_a_manifest_of_4_mib_is_taken(registry: RawRegistry) -> None:
    """The size that the specification asks registries to take is taken to the byte."""
    await registry.push_blob(b"{}")
    room = (4 << 20) - len(image_manifest(b"{}", annotations={"x": ""}))
    largest = image_manifest(b"{}", annotations={"x": "a" * room})
    put = await registry.put_manifest(largest, "large")
    assert (len(largest), put.status_code) == (4 << 20, 201)


async def test_a_manifest_above_4_mib_is_too_large(registry: RawRegistry) -> None:
    """One byte more is 413."""
    await registry.push_blob(b"{}")
    room = (4 << 20) + 1 - len(image_manifest(b"{}", annotations={"x": ""}))
    refused = await registry.put_manifest(image_manifest(b"{}", annotations={"x": "a" * room}), "large")
    assert refused.status_code == 413


async def test_an_unknown_manifest_is_404(registry: RawRegistry) -> None:
    """By tag, by digest and in an unknown repository: MANIFEST_UNKNOWN."""
    await registry.push_image("v1")
    answers = [
        await registry.http.get(registry.manifest_path("v9"), headers=ACCEPT),
        await registry.http.get(registry.manifest_path(digest_of(b"nothing")), headers=ACCEPT),
        await registry.http.get(registry.manifest_path("v1", registry.neighbour), headers=ACCEPT),
    ]
    head = await registry.http.head(registry.manifest_path("v9"), headers=ACCEPT)
    assert [(answer.status_code, codes(answer)) for answer in answers] == [(404, ["MANIFEST_UNKNOWN"])] * 3
    assert (head.status_code, head.content) == (404, b"")


async def test_an_oci_manifest_wants_an_accept_header_that_names_it(registry: RawRegistry) -> None:
    """`*/*` alone is answered 404 MANIFEST_UNKNOWN."""
    await registry.push_image("v1")
    read = await registry.http.get(registry.manifest_path("v1"), headers={"Accept": "*/*"})
    assert (read.status_code, codes(read)) == (404, ["MANIFEST_UNKNOWN"])


async def test_an_unchanged_manifest_is_not_sent_again(registry: RawRegistry) -> None:
    """The digest is the ETag, and If-None-Match works."""
    manifest = await registry.push_image("v1")
    unchanged = {**ACCEPT, "If-None-Match": f'"{digest_of(manifest)}"'}
    answer = await registry.http.get(registry.manifest_path("v1"), headers=unchanged)
    assert answer.status_code == 304


async def test_a_malformed_digest_of_a_manifest_is_refused(registry: RawRegistry) -> None:
    """A reference that looks like a digest and is none is 400 DIGEST_INVALID."""
    read = await registry.http.get(registry.manifest_path("sha256:zz"), headers=ACCEPT)
    assert (read.status_code, codes(read)) == (400, ["DIGEST_INVALID"])


async def test_a_deleted_manifest_takes_its_tags_along(registry: RawRegistry) -> None:
    """DELETE by digest answers 202 once and 404 then, and the tag leads nowhere."""
    manifest = await registry.push_image("v1")
    deleted = await registry.http.delete(registry.manifest_path(digest_of(manifest)))
    again = await registry.http.delete(registry.manifest_path(digest_of(manifest)))
    by_tag = await registry.http.get(registry.manifest_path("v1"), headers=ACCEPT)
    assert deleted.status_code == 202
    assert (again.status_code, codes(again)) == (404, ["MANIFEST_UNKNOWN"])
    assert by_tag.status_code == 404


async def test_a_tag_alone_can_be_deleted(registry: RawRegistry) -> None:
    """DELETE by tag takes the tag and leaves the manifest."""
    manifest = await registry.push_image("v1")
    deleted = await registry.http.delete(registry.manifest_path("v1"))
    by_tag = await registry.http.get(registry.manifest_path("v1"), headers=ACCEPT)
    by_digest = await registry.http.get(registry.manifest_path(digest_of(manifest)), headers=ACCEPT)
    assert [deleted.status_code, by_tag.status_code, by_digest.status_code] == [202, 404, 200]


async def test_a_manifest_can_be_put_under_its_sha512(registry: RawRegistry) -> None:
    """The digest's algorithm is the client's choice."""
    await registry.push_blob(b"{}")
    manifest = image_manifest(b"{}")
    put = await registry.put_manifest(manifest, digest_of(manifest, "sha512"))
    read = await registry.http.get(registry.manifest_path(digest_of(manifest, "sha512")), headers=ACCEPT)
    assert (put.status_code, read.content) == (201, manifest)


async def test_a_foreign_layer_need_not_exist(registry: RawRegistry) -> None:
    """A layer with `urls` is somebody else's to deliver."""
    await registry.push_blob(b"{}")
    foreign = descriptor(
        b"elsewhere",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        urls=["https://example.com/layer"],
    )
    document = {**json.loads(image_manifest(b"{}")), "layers": [foreign]}
    taken = await registry.put_manifest(json.dumps(document).encode(), "foreign")
    assert taken.status_code == 201


async def test_a_method_that_a_path_does_not_know_is_405(registry: RawRegistry) -> None:
    """POST on a manifest is refused with the methods that are allowed."""
    refused = await registry.http.post(registry.manifest_path("v1"))
    assert refused.status_code == 405
    assert "allow" in refused.headers
