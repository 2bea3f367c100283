"""Verification after an import: everything is asked for once more, and the first thing that is wrong is named."""

import json
from collections.abc import Callable

import pytest

from devtools.sample_images import artifact, image, multi_platform
from importcore.content import Manifest, Referrer
from importcore.descriptors import OCI_MANIFEST
from importcore.errors import ContentError, DigestMismatchError, NotFoundError, Side, SizeMismatchError, TransloadError
from importcore.phases.plan import Plan
from importcore.phases.verify import verify
from importcore.reference import Reference
from tests.unit.registry.scripted import client_of
from tests.unit.registry.scripted_content import ContentScript, Shelf, read

WIDE = multi_platform([30], ["linux/amd64", "linux/arm64"])
SBOM = artifact(b"sbom", subject=WIDE)
PLAN = Plan(
    tuple(read(WIDE, name) for name in WIDE.manifests), (read(SBOM),), (Referrer(SBOM.root, WIDE.root),), WIDE.root
)
CHILD, BLOB = PLAN.image[0].digest, PLAN.blobs[0].digest
TARGETS = tuple(Reference.parse(f"registry.example/{name}") for name in ("app:1", "app:latest", "team/b"))


def imported() -> ContentScript:
    """A target that holds all of it."""
    script = ContentScript()
    for target in TARGETS:
        for content in (SBOM, WIDE):
            script.push(content, target.tag if content is WIDE else None, target.repository)
    return script


async def verified(script: ContentScript, plan: Plan = PLAN) -> None:
    """Ask the target about the plan."""
    client, _ = client_of(script, side=Side.TARGET)
    await verify(plan, client, TARGETS)


async def test_a_whole_target_passes_and_everything_was_asked_for() -> None:
    """Each tag, each manifest read whole, each blob; once in every repository."""
    script = imported()

    await verified(script)

    assert sorted(script.asked) == sorted(
        [
            "HEAD app/manifests/1",
            "HEAD app/manifests/latest",
            *(f"GET {name}/manifests/{m.digest}" for name in ("app", "team/b") for m in PLAN.manifests),
            *(f"HEAD {name}/blobs/{blob.digest}" for name in ("app", "team/b") for blob in PLAN.blobs),
        ]
    )


def _move_tag(shelf: Shelf) -> None:
    shelf.tags["latest"] = SBOM.root


def _lose_tag(shelf: Shelf) -> None:
    del shelf.tags["latest"]


def _lose_child(shelf: Shelf) -> None:
    del shelf.manifests[CHILD]


def _lose_sbom(shelf: Shelf) -> None:
    del shelf.manifests[SBOM.root]


def _change_child(shelf: Shelf) -> None:
    media_type, raw = shelf.manifests[CHILD]
    shelf.manifests[CHILD] = media_type, raw + b" "


def _lose_blob(shelf: Shelf) -> None:
    del shelf.blobs[BLOB]


def _cut_blob(shelf: Shelf) -> None:
    shelf.blobs[BLOB] -= 1


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (_move_tag, ContentError, f"the tag stands on {SBOM.root}: registry.example/app:latest"),
        (_lose_tag, ContentError, "the tag stands on nothing: registry.example/app:latest"),
        (_lose_child, NotFoundError, CHILD),
        (_lose_sbom, NotFoundError, SBOM.root),
        (_change_child, DigestMismatchError, CHILD),
        (_lose_blob, ContentError, BLOB),
        (_cut_blob, SizeMismatchError, BLOB),
    ],
)
async def test_each_kind_of_damage_is_found_and_named(
    damage: Callable[[Shelf], None], kind: type[TransloadError], words: str
) -> None:
    """The image's own parts, those of its referrers, and the tags."""
    script = imported()
    damage(script.shelves["app"])

    with pytest.raises(kind, match=words) as caught:
        await verified(script)

    assert caught.value.origin is Side.TARGET
    assert not caught.value.retryable


async def test_the_last_repository_is_asked_as_well() -> None:
    """It has the image by digest alone."""
    script = imported()
    _lose_blob(script.shelves["team/b"])

    with pytest.raises(ContentError, match=f"team/b@{BLOB}") as caught:
        await verified(script)

    assert (caught.value.step, caught.value.reference) == ("verify", f"team/b@{BLOB}")
    assert "mode Force" in caught.value.action


async def test_a_foreign_layer_need_not_be_there() -> None:
    """It is to be had at its own URLs, and registries may refuse to keep it."""
    sample = image([b"foreign"])
    body = json.loads(read(sample).raw)
    body["layers"][0]["urls"] = ["https://example.com/layer"]
    root = Manifest.parse(json.dumps(body).encode())
    script = ContentScript()
    for target in TARGETS:
        shelf = script.shelves[target.repository]
        shelf.manifests[root.digest] = OCI_MANIFEST, root.raw
        shelf.blobs[body["config"]["digest"]] = body["config"]["size"]
        if target.tag:
            shelf.tags[target.tag] = root.digest

    await verified(script, Plan((root,)))

    assert f"HEAD app/blobs/{body['layers'][0]['digest']}" in script.asked
