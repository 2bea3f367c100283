"""Lists: tags, repositories, referrers, and the front door (distribution spec, "Content Discovery")."""

import json

import pytest

from devtools.raw_registry import (
    OCI_INDEX,
    OCI_MANIFEST,
    RawRegistry,
    codes,
    descriptor,
    digest_of,
    image_manifest,
)

TAGS = ["v1", "a", "v10", "B"]


async def test_the_front_door_answers(registry: RawRegistry) -> None:
    """GET /v2/ is 200 for who may come in, and tells the API's version."""
    answer = await registry.http.get("/v2/")
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


async def test_a_name_outside_the_grammar_leads_nowhere(registry: RawRegistry) -> None:
    """Upper case letters in a repository's name are 404 on every path."""
    answers = [
        await registry.http.get("/v2/Upper/tags/list"),
        await registry.http.get("/v2/Upper/manifests/v1"),
        await registry.http.post("/v2/Upper/blobs/uploads/"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_all_tags_are_listed(registry: RawRegistry) -> None:
    """The list names the repository and every tag, whatever points where."""
    for tag in TAGS:
        await registry.push_image(tag)
    listed = await registry.http.get(f"/v2/{registry.repository}/tags/list")
    assert listed.json()["name"] == registry.repository
    assert sorted(listed.json()["tags"]) == sorted(TAGS)


async def test_tags_come_in_lexical_order(registry: RawRegistry) -> None:
    """The order is that of the characters' codes: upper case first."""
    for tag in TAGS:
        await registry.push_image(tag)
    listed = await registry.http.get(f"/v2/{registry.repository}/tags/list")
    assert listed.json()["tags"] == ["B", "a", "v1", "v10"]


async def test_tags_come_in_pages(registry: RawRegistry) -> None:
    """Following the Link headers shows each tag once, and the last page has none."""
    for tag in TAGS:
        await registry.push_image(tag)
    url, pages = f"/v2/{registry.repository}/tags/list?n=3", []
    while url:
        page = await registry.http.get(url)
        pages.append(page.json()["tags"])
        url = page.links.get("next", {}).get("url", "")
    assert pages == [["B", "a", "v1"], ["v10"]]


async def test_a_page_of_no_number_is_refused(registry: RawRegistry) -> None:
    """`n` must be a number: 400 PAGINATION_NUMBER_INVALID."""
    await registry.push_image("v1")
    refused = await registry.http.get(f"/v2/{registry.repository}/tags/list?n=-1")
    assert (refused.status_code, codes(refused)) == (400, ["PAGINATION_NUMBER_INVALID"])


@pytest.mark.parametrize("holds_a_blob", [False, True])
async def test_a_repository_without_manifests_is_unknown(registry: RawRegistry, *, holds_a_blob: bool) -> None:
    """Nothing pushed, or only a blob: 404 NAME_UNKNOWN."""
    if holds_a_blob:
        await registry.push_blob(b"alone")
    listed = await registry.http.get(f"/v2/{registry.repository}/tags/list")
    assert (listed.status_code, codes(listed)) == (404, ["NAME_UNKNOWN"])


async def test_a_push_creates_its_repository(registry: RawRegistry) -> None:
    """The catalog names what was pushed to, and nothing else."""
    before = await registry.http.get("/v2/_catalog?n=1000")
    await registry.push_image("v1")
    after = await registry.http.get("/v2/_catalog?n=1000")
    assert registry.repository not in before.json()["repositories"]
    assert registry.repository in after.json()["repositories"]


async def _push_referrer(registry: RawRegistry, subject: bytes, artifact_type: str) -> bytes:
    """Push an artifact that refers to a manifest."""
    await registry.push_blob(b"{}")
    manifest = image_manifest(
        b"{}",
        artifactType=artifact_type,
        subject=descriptor(subject, OCI_MANIFEST),
        annotations={"org.example": artifact_type},
    )
    (await registry.put_manifest(manifest, digest_of(manifest))).raise_for_status()
    return manifest


async def test_a_manifest_may_refer_to_what_is_not_there(registry: RawRegistry) -> None:
    """A subject that does not exist is no reason to refuse."""
    await registry.push_blob(b"{}")
    manifest = image_manifest(b"{}", subject=descriptor(b"not there", OCI_MANIFEST))
    put = await registry.put_manifest(manifest, "signature")
    assert put.status_code == 201


async def test_a_subject_is_acknowledged(registry: RawRegistry) -> None:
    """OCI-Subject tells the client that the registry keeps the list of referrers."""
    await registry.push_blob(b"{}")
    manifest = image_manifest(b"{}", subject=descriptor(b"not there", OCI_MANIFEST))
    put = await registry.put_manifest(manifest, "signature")
    assert put.headers.get("oci-subject") == digest_of(b"not there")


async def test_referrers_are_listed_and_filtered(registry: RawRegistry) -> None:
    """The list is an index of descriptors with type and annotations; a filter is applied and said to be."""
    subject = await registry.push_image("v1")
    signature = await _push_referrer(registry, subject, "application/vnd.example.signature")
    bill = await _push_referrer(registry, subject, "application/vnd.example.sbom")
    path = f"/v2/{registry.repository}/referrers/{digest_of(subject)}"
    everything = await registry.http.get(path)
    filtered = await registry.http.get(path, params={"artifactType": "application/vnd.example.sbom"})
    assert everything.headers["content-type"] == OCI_INDEX
    assert {entry["digest"] for entry in everything.json()["manifests"]} == {digest_of(signature), digest_of(bill)}
    assert filtered.headers["oci-filters-applied"] == "artifactType"
    expected = descriptor(
        bill,
        OCI_MANIFEST,
        artifactType="application/vnd.example.sbom",
        annotations=json.loads(bill)["annotations"],
    )
    assert filtered.json()["manifests"] == [expected]


async def test_a_digest_that_nobody_refers_to_has_an_empty_list(registry: RawRegistry) -> None:
    """Unknown digests have no referrers, which is no error."""
    answer = await registry.http.get(f"/v2/{registry.repository}/referrers/{digest_of(b'nobody')}")
    assert (answer.status_code, answer.json()["manifests"]) == (200, [])
