"""Manifests and descriptors: what each kind refers to, and what is refused with which words."""

import hashlib
import json
from typing import Any

import pytest

from importcore.content import MANIFEST_BYTES_AT_MOST, Manifest
from importcore.descriptors import (
    ACCEPT,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_ARTIFACT,
    OCI_INDEX,
    OCI_MANIFEST,
    ORAS_ARTIFACT,
    SCHEMA_1,
    Descriptor,
    digest_of,
    hasher_for,
)
from importcore.errors import ContentError, DigestMismatchError, Side, TransloadError, UnsupportedContentError

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
BUILD_CACHE = "application/vnd.buildkit.cacheconfig.v0"


def descriptor(number: int, media_type: str = LAYER, **more: object) -> dict[str, Any]:
    """A descriptor of made-up content; `number` makes its digest."""
    return {"mediaType": media_type, "digest": f"sha256:{number:064x}", "size": number, **more}


def raw(body: object) -> bytes:
    """The bytes of a manifest, with blanks that a second serialisation would lose."""
    return b"\n " + json.dumps(body, indent=3).encode() + b"\n"


IMAGE = {"schemaVersion": 2, "config": descriptor(1), "layers": [descriptor(2), descriptor(3)]}
INDEX = {"schemaVersion": 2, "manifests": [descriptor(1, OCI_MANIFEST), descriptor(2, DOCKER_MANIFEST)]}
ARTIFACT = {"blobs": [descriptor(1), descriptor(2)]}


@pytest.mark.parametrize(
    ("media_type", "body", "children", "blobs"),
    [
        (OCI_MANIFEST, IMAGE, [], [1, 2, 3]),
        (DOCKER_MANIFEST, IMAGE, [], [1, 2, 3]),
        (OCI_INDEX, INDEX, [1, 2], []),
        (DOCKER_LIST, INDEX, [1, 2], []),
        (OCI_ARTIFACT, ARTIFACT, [], [1, 2]),
        (ORAS_ARTIFACT, ARTIFACT, [], [1, 2]),
        (OCI_ARTIFACT, {}, [], []),
        (OCI_INDEX, {"manifests": None}, [], []),
        (OCI_MANIFEST, {"config": descriptor(1), "layers": None}, [], [1]),
    ],
)
def test_each_kind_of_manifest_refers_to_its_own_parts(
    media_type: str, body: dict[str, Any], children: list[int], blobs: list[int]
) -> None:
    """An index has children, an image config and layers, an artifact blobs; null means none."""
    manifest = Manifest.parse(raw({**body, "mediaType": media_type}))

    assert manifest.media_type == media_type
    assert [child.size for child in manifest.children] == children
    assert [blob.size for blob in manifest.blobs] == blobs


def test_the_bytes_stay_as_they_came() -> None:
    """The digest is over what was received, blanks and all."""
    received = raw({**IMAGE, "mediaType": OCI_MANIFEST})

    manifest = Manifest.parse(received)

    assert manifest.raw == received
    assert manifest.size == len(received)
    assert manifest.digest == "sha256:" + hashlib.sha256(received).hexdigest()


def test_an_index_may_hold_an_index() -> None:
    """Nesting is a child like any other; the planner walks it."""
    manifest = Manifest.parse(raw({"mediaType": OCI_INDEX, "manifests": [descriptor(1, DOCKER_LIST)]}))

    assert [child.media_type for child in manifest.children] == [DOCKER_LIST]


def test_a_build_cache_lists_blobs_in_an_index() -> None:
    """What is no manifest in an index is copied as a blob, each entry once in its own list."""
    entries = [descriptor(1), descriptor(2, OCI_MANIFEST), descriptor(3, BUILD_CACHE)]

    manifest = Manifest.parse(raw({"mediaType": OCI_INDEX, "manifests": entries}))

    assert [child.size for child in manifest.children] == [2]
    assert [blob.size for blob in manifest.blobs] == [1, 3]


@pytest.mark.parametrize(
    ("body", "content_type", "found"),
    [
        ({**IMAGE, "mediaType": DOCKER_MANIFEST}, OCI_MANIFEST, DOCKER_MANIFEST),
        (IMAGE, DOCKER_MANIFEST, DOCKER_MANIFEST),
        (IMAGE, "Application/vnd.docker.distribution.manifest.v2+JSON; charset=utf-8", DOCKER_MANIFEST),
        (IMAGE, "application/json", OCI_MANIFEST),
        (IMAGE, "", OCI_MANIFEST),
        (INDEX, "text/plain", OCI_INDEX),
        ({**INDEX, "mediaType": ""}, "", OCI_INDEX),
        ({**INDEX, "mediaType": 7}, DOCKER_LIST, DOCKER_LIST),
    ],
)
def test_the_type_is_the_bodys_then_the_headers_then_the_structures(
    body: dict[str, Any], content_type: str, found: str
) -> None:
    """OCI 1.0 manifests may leave their type out; a server's header is less to be trusted than the body."""
    assert Manifest.parse(raw(body), content_type=content_type).media_type == found


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        *(({"mediaType": kind}, "") for kind in sorted(SCHEMA_1)),
        ({"schemaVersion": 1}, OCI_MANIFEST),
        ({"fsLayers": []}, "application/json"),
        ({}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ],
)
def test_schema_1_is_recognised_and_refused_with_a_way_out(body: dict[str, Any], content_type: str) -> None:
    """However it shows itself, the error says what to do about it."""
    with pytest.raises(UnsupportedContentError, match="schema 1") as caught:
        Manifest.parse(raw(body), content_type=content_type)

    assert "current client" in caught.value.action


@pytest.mark.parametrize("body", [{}, {"mediaType": "application/vnd.example\u0007+json"}, {"config": descriptor(1)}])
def test_an_unknown_type_is_refused_by_name(body: dict[str, Any]) -> None:
    """What nobody knows cannot be imported whole, so it is not imported at all."""
    with pytest.raises(UnsupportedContentError, match="unknown") as caught:
        Manifest.parse(raw(body), content_type="text/html")

    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("entry", "kind", "words"),
    [
        (5, ContentError, "not a JSON object"),
        ({}, ContentError, "lacks"),
        (descriptor(1, digest=None), ContentError, "lacks"),
        (descriptor(1, mediaType=[]), ContentError, "lacks"),
        (descriptor(1, digest="sha384:" + "a" * 96), UnsupportedContentError, "neither sha256 nor sha512"),
        (descriptor(1, digest="sha256:" + "A" * 64), UnsupportedContentError, "neither sha256 nor sha512"),
        (descriptor(1, size="1"), ContentError, "size"),
        (descriptor(1, size=True), ContentError, "size"),
        (descriptor(1, size=1.0), ContentError, "size"),
        (descriptor(1, size=-1), ContentError, "size"),
        (descriptor(1, urls="https://example.com"), ContentError, "urls"),
        (descriptor(1, urls=[1]), ContentError, "urls"),
    ],
)
def test_a_malformed_descriptor_is_named(entry: object, kind: type[TransloadError], words: str) -> None:
    """The error tells what is wrong with it and which manifest it stands in."""
    body = raw({"mediaType": OCI_MANIFEST, "config": descriptor(9), "layers": [entry]})

    with pytest.raises(kind, match=words) as caught:
        Manifest.parse(body)

    assert caught.value.reference == digest_of(body)


def test_a_descriptor_keeps_its_platform_and_whether_it_is_foreign() -> None:
    """What an entry of an index is for; where a foreign layer lies, nobody asks."""
    read = Descriptor.from_json(
        descriptor(
            1,
            platform={"os": "linux", "architecture": "arm64", "variant": "v8", "os.version": "1"},
            urls=["https://example.com/layer"],
        )
    )

    assert read.platform == "linux/arm64/v8"
    assert read.is_foreign
    assert Descriptor.from_json(descriptor(1, platform={"os": 1, "architecture": "amd64"})).platform == "amd64"
    assert not Descriptor.from_json(descriptor(1, urls=None)).is_foreign


@pytest.mark.parametrize("media_type", [None, OCI_INDEX, OCI_MANIFEST])
@pytest.mark.parametrize("part", ["config", "layers"])
def test_what_is_an_index_and_an_image_at_once_is_refused(media_type: str | None, part: str) -> None:
    """Two readers could see two images in it (CVE-2021-41190)."""
    body = {"manifests": [descriptor(1, OCI_MANIFEST)], part: IMAGE[part]}

    with pytest.raises(ContentError, match="at once"):
        Manifest.parse(raw({"mediaType": media_type, **body}), content_type=OCI_INDEX)


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
@pytest.mark.parametrize("part", ["config", "layers"])
def test_an_index_with_an_images_parts_is_refused_also_without_entries(media_type: str, part: str) -> None:
    """A reader that goes by the structure would see an image whose layers were never brought."""
    with pytest.raises(ContentError, match="at once"):
        Manifest.parse(raw({"mediaType": media_type, part: IMAGE[part]}))


@pytest.mark.parametrize("body", [IMAGE, INDEX])
def test_what_has_layers_of_schema_1_beside_its_own_is_refused(body: dict[str, Any]) -> None:
    """Its declared type says one thing, its structure another."""
    media_type = OCI_INDEX if body is INDEX else OCI_MANIFEST
    with pytest.raises(ContentError, match="schema 1"):
        Manifest.parse(raw({**body, "mediaType": media_type, "fsLayers": [{"blobSum": "sha256:" + "0" * 64}]}))


@pytest.mark.parametrize("kind", ["a" * 256, "\ud800", "t/\u00e4", "t/\n", 5, [], ""])
def test_a_text_that_can_be_no_artifact_type_is_none(kind: object) -> None:
    """Half a character could not be written into the record, and a long one not beside five hundred others."""
    body = {**IMAGE, "mediaType": OCI_MANIFEST, "artifactType": kind, "config": descriptor(1, "")}

    assert Manifest.parse(raw(body)).artifact_type is None
    assert Descriptor.from_json(descriptor(1, artifactType=kind)).artifact_type is None
    assert Descriptor.from_json(descriptor(1, artifactType="a" * 255)).artifact_type == "a" * 255


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_bytes_are_verified_with_the_algorithm_of_the_digest_that_names_them(algorithm: str) -> None:
    """A manifest that was asked for by a sha512 digest keeps it."""
    body = raw({**IMAGE, "mediaType": OCI_MANIFEST})
    expected = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    hasher = hasher_for(expected)
    hasher.update(body)

    assert Manifest.parse(body, expected=expected).digest == expected
    assert f"{algorithm}:{hasher.hexdigest()}" == expected == digest_of(body, like=expected)


def test_other_bytes_than_those_asked_for_are_the_sources_fault() -> None:
    """A digest mismatch stops the import before anything else is read."""
    with pytest.raises(DigestMismatchError) as caught:
        Manifest.parse(b"not even JSON", expected="sha256:" + "0" * 64)

    assert caught.value.origin is Side.SOURCE
    assert not caught.value.retryable


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\xfd", b"{", b"[]", b"null", b"7", b"[" * 100_000])
def test_what_is_no_json_object_is_no_manifest(body: bytes) -> None:
    """Not even when it is nested so deep that a parser gives up."""
    with pytest.raises(ContentError, match="JSON"):
        Manifest.parse(body)


def test_a_manifest_larger_than_registries_take_is_refused() -> None:
    """4 MiB is the limit on both sides."""
    fitting = raw({"mediaType": OCI_INDEX}).ljust(MANIFEST_BYTES_AT_MOST)

    assert Manifest.parse(fitting).size == MANIFEST_BYTES_AT_MOST
    with pytest.raises(UnsupportedContentError, match="larger than"):
        Manifest.parse(fitting + b" ")


def test_old_kinds_are_accepted_last() -> None:
    """A registry that converts must be offered every version 2 type before schema 1 and anything."""
    named = ACCEPT.split(", ")

    assert named[:2] == [OCI_INDEX, OCI_MANIFEST]
    assert set(named[-3:]) == {*SCHEMA_1, "*/*"}
