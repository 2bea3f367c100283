"""Odd shapes from outside: lists that are none, plans that are damaged, links in every spelling."""

import json
from typing import Any

import httpx
import pytest

from devtools.sample_images import artifact, digest, image
from importcore.content import MANIFEST_BYTES_AT_MOST, Manifest, Referrer, referrers_tag
from importcore.descriptors import OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST
from importcore.errors import ContentError, InvalidRequestError, Side, TransloadError
from importcore.phases.attach import Attach
from importcore.phases.plan import Plan
from importcore.phases.planning import make_plan
from importcore.phases.platforms import select_platforms
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.registry.listing import list_referrers, list_repositories, list_tags
from importcore.request.model import Mode, read_import_request
from tests.unit.registry.scripted import client_of
from tests.unit.registry.scripted_content import ContentScript, read

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("value", [5, True, 1.5, {"a": 1}, "abc"])
@pytest.mark.parametrize("which", ["tags", "repositories", "manifests"])
async def test_a_list_that_is_none_is_an_error_of_the_tree(which: str, value: object) -> None:
    """A list that is none is an error of the tree."""
    client, _ = client_of(lambda _: httpx.Response(200, json={which: value}))
    with pytest.raises(ContentError):
        await _listed(client, which)


async def _listed(client: RegistryClient, which: str) -> object:
    """Ask for one of the three lists."""
    if which == "tags":
        return await list_tags(client, "a")
    if which == "repositories":
        return await list_repositories(client)
    return await list_referrers(client, "a", DIGEST)


@pytest.mark.parametrize("body", [{"mediaType": OCI_INDEX}, {"mediaType": OCI_INDEX, "manifests": None}])
def test_an_index_without_entries_offers_no_platform(body: dict[str, Any]) -> None:
    """An index without entries offers no platform."""
    with pytest.raises(TransloadError):
        select_platforms(Manifest.parse(json.dumps(body).encode()), ("linux/amd64",))


def test_half_a_character_in_an_index_is_an_error_of_the_tree_or_kept() -> None:
    """Half a character in an index is an error of the tree or kept."""
    entries = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": "sha256:" + c * 64,
            "size": 1,
            "platform": {"os": "linux", "architecture": a},
        }
        for c, a in (("0", "amd64"), ("1", "arm64"))
    ]
    raw = json.dumps({"mediaType": OCI_INDEX, "manifests": entries, "annotations": {"a": "\ud800"}}).encode()
    try:
        smaller = select_platforms(Manifest.parse(raw), ("linux/amd64",))
    except TransloadError:
        return
    assert json.loads(smaller.raw)["annotations"] == {"a": "\ud800"}


@pytest.mark.parametrize("number", ["1e400", "1e-400", "1.10", "-0", "1E2"])
def test_numbers_of_a_smaller_index_stay_as_they_were(number: str) -> None:
    """Numbers of a smaller index stay as they were."""
    entries = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": "sha256:" + c * 64,
            "size": 1,
            "platform": {"os": "linux", "architecture": a},
        }
        for c, a in (("0", "amd64"), ("1", "arm64"))
    ]
    raw = json.dumps({"mediaType": OCI_INDEX, "manifests": entries, "x": "NUMBER"}).replace('"NUMBER"', number).encode()
    try:
        smaller = select_platforms(Manifest.parse(raw), ("linux/amd64",))
    except TransloadError:
        return
    assert b"Infinity" not in smaller.raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"v": 1}',
        b'{"v": 1, "manifests": []}',
        b'{"v": 1, "manifests": [[]]}',
        b'{"v": 1, "manifests": 5}',
        b'{"v": 1, "manifests": [["a", "b", "%"]]}',
    ],
)
def test_what_is_no_plan_is_an_error_of_the_tree(raw: bytes) -> None:
    """What is no plan is an error of the tree."""
    with pytest.raises(ContentError):
        Plan.decode(raw)


async def _attached(standing: bytes, media_type: str) -> ContentScript:
    """Attach an SBOM where something stands under the fallback tag; gives what the target holds then."""
    subject = image([b"x"])
    sbom = artifact(b"sbom", subject=subject)
    plan = Plan((read(subject),), (read(sbom),), (Referrer(sbom.root, subject.root, "t"),))
    script = ContentScript(referrers_api=False)
    m = Manifest.parse(standing, content_type=media_type)
    script.shelves["app"].manifests[m.digest] = media_type, standing
    script.shelves["app"].tags[referrers_tag(subject.root)] = m.digest
    client, _ = client_of(script, side=Side.TARGET)
    await Attach(plan, client, Mode.NO_FORCE).to(["app"])
    return script


async def test_a_fallback_tag_on_an_artifact_with_odd_manifests_is_left_alone() -> None:
    """What stands under the tag is no index, whatever it holds; without Force it stays."""
    standing = json.dumps({"mediaType": OCI_ARTIFACT, "manifests": [5]}).encode()
    script = await _attached(standing, OCI_ARTIFACT)
    assert list(script.shelves["app"].tags.values()) == [digest(standing)]


async def test_noforce_does_not_overwrite_a_tag_that_is_no_index() -> None:
    """Noforce does not overwrite a tag that is no index."""
    other = image([b"somebody's image under this tag"])
    media_type, raw = other.manifests[other.root]
    script = await _attached(raw, media_type)
    assert other.root in script.shelves["app"].tags.values()


async def test_fields_of_a_kept_index_stay() -> None:
    """Fields of a kept index stay."""
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"kept": "yes"}}
    script = await _attached(json.dumps(body).encode(), OCI_INDEX)
    [tag] = script.shelves["app"].tags.values()
    assert json.loads(script.shelves["app"].manifests[tag][1])["annotations"] == {"kept": "yes"}


def test_a_backup_tag_that_would_be_too_long_is_refused_at_once() -> None:
    """A backup tag that would be too long is refused at once."""
    body = {"source": "a", "targetTags": ["b:" + "t" * 128], "mode": "Force", "backupTag": "{tag}-{digest8}"}
    with pytest.raises(TransloadError):
        read_import_request(json.dumps(body).encode(), default_target="here.azurecr.io")


@pytest.mark.parametrize(
    "link", ['</x>; rel="NEXT"', '</x>; rel="last next"', '</x>; title="a,b"; rel="next"', '</x>; Rel="next"']
)
async def test_next_in_any_spelling(link: str) -> None:
    """Next in any spelling."""
    client, script = client_of(
        lambda r: httpx.Response(200, json={"tags": ["a"]}, headers={} if r.url.path == "/x" else {"Link": link})
    )
    await list_tags(client, "a")
    assert len(script.requests) == 2


async def test_nextpage_is_not_next() -> None:
    """Nextpage is not next."""
    client, script = client_of(
        lambda r: httpx.Response(
            200, json={"tags": ["a"]}, headers={} if r.url.path == "/x" else {"Link": "</x>; rel=nextpage"}
        )
    )
    await list_tags(client, "a")
    assert len(script.requests) == 1


@pytest.mark.parametrize("text", ["\ud800", "a\ud800", "here.azurecr.io/\ud800"])
@pytest.mark.parametrize("field", ["source", "target", "targetRegistry", "backupTag", "targetTags", "\ud800"])
def test_half_a_character_in_a_request(field: str, text: str) -> None:
    """Half a character in a request."""
    body = {"source": "a", "mode": "Force", field: [text] if field == "targetTags" else text}
    with pytest.raises(InvalidRequestError) as caught:
        read_import_request(json.dumps(body).encode(), default_target="here.azurecr.io")
    caught.value.message.encode()
    for p in caught.value.problems:
        (p.message + p.target).encode()


async def test_referrers_are_bounded_while_they_are_searched() -> None:
    """Referrers are bounded while they are searched."""
    root = image([b"x"])
    script = ContentScript()
    script.push(root, "1")
    for n in range(40):
        raw = (
            json.dumps({"mediaType": OCI_ARTIFACT, "n": n, "subject": root.descriptor()})
            .encode()
            .ljust(MANIFEST_BYTES_AT_MOST)
        )
        script.shelves["app"].manifests[digest(raw)] = OCI_ARTIFACT, raw
    client, _ = client_of(script)
    with pytest.raises(TransloadError):
        await make_plan(client, Reference.parse("registry.example/app:1"))
    assert len([a for a in script.asked if a.startswith("GET app/manifests/")]) <= 1 + 17 + 8
