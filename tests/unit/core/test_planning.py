"""The plan's walk: everything below a root once, children first, and no deeper or larger than can be brought."""

import json
from typing import Any

import pytest

from devtools.sample_images import SampleImage, artifact, digest, image, index, multi_platform
from importcore.content import MANIFEST_BYTES_AT_MOST, Manifest
from importcore.descriptors import OCI_ARTIFACT, OCI_INDEX
from importcore.errors import (
    NotFoundError,
    Side,
    SizeMismatchError,
    TargetTagExistsError,
    UnsupportedContentError,
)
from importcore.phases.plan import Plan
from importcore.phases.planning import (
    MANIFEST_BYTES_IN_ALL_AT_MOST,
    TAGS_AT_MOST,
    make_plan,
    require_free_tags,
    tags_of_digest,
)
from importcore.reference import Reference
from importcore.request.model import ImportOptions, Mode
from tests.unit.registry.scripted import client_of
from tests.unit.registry.scripted_content import ContentScript, read

APP = Reference.parse("registry.example/app:1")
ALONE = ImportOptions(referrers=False)
WIDE = multi_platform([30], ["linux/amd64", "linux/arm64"])


async def planned(script: ContentScript, options: ImportOptions = ALONE, reference: Reference = APP) -> Plan:
    """The plan for a reference of the script's content."""
    client, _ = client_of(script)
    return await make_plan(client, reference, options)


def nested(levels: int) -> SampleImage:
    """An image below so many levels of indexes, itself the last level."""
    inner = image([b"layer"])
    for _ in range(levels - 1):
        inner = index({"linux/amd64": inner})
    return inner


def index_of(entries: list[dict[str, Any]], *children: SampleImage) -> SampleImage:
    """An index with entries as they are given."""
    return SampleImage.of(OCI_INDEX, {"mediaType": OCI_INDEX, "manifests": entries}, [], list(children))


async def test_a_tag_is_resolved_once_and_everything_below_it_by_digest() -> None:
    """Whatever the tag does meanwhile, the plan is about one digest."""
    script = ContentScript()
    script.push(WIDE, "1")

    plan = await planned(script)

    assert plan.root.digest == plan.source_digest == WIDE.root
    assert {m.digest: m.raw for m in plan.image} == {name: raw for name, (_, raw) in WIDE.manifests.items()}
    assert {blob.digest for blob in plan.blobs} == set(WIDE.blobs)
    assert [asked for asked in script.asked if asked.endswith("/1")] == ["GET app/manifests/1"]


async def test_manifests_come_children_first_in_the_order_of_the_index() -> None:
    """So that each can be put when all that it refers to stands at the target."""
    deep, wide = nested(3), multi_platform([20], ["linux/s390x", "linux/ppc64le"], seed=9)
    root = index({"linux/amd64": deep, "linux/s390x": wide})
    script = ContentScript()
    script.push(root, "1")

    plan = await planned(script)

    position = {manifest.digest: number for number, manifest in enumerate(plan.image)}
    assert len(position) == len(plan.image) == len(root.manifests)
    assert all(position[child.digest] < position[m.digest] for m in plan.image for child in m.children)
    assert [m.digest for m in plan.image] == list(root.manifests)


async def test_what_several_indexes_share_is_fetched_and_planned_once() -> None:
    """Also where one index lists it twice, or at two depths."""
    shared = image([b"shared"])
    inner = index({"linux/amd64": shared})
    root = index_of([shared.descriptor(), inner.descriptor(), shared.descriptor()], inner, shared)
    script = ContentScript()
    script.push(root, "1")

    plan = await planned(script)

    assert [m.digest for m in plan.image] == [shared.root, inner.root, root.root]
    assert len(script.asked) == len(set(script.asked)) == 3


@pytest.mark.parametrize(("levels", "brought"), [(1, True), (8, True), (9, False), (12, False)])
async def test_nesting_has_an_end(levels: int, brought: bool) -> None:  # noqa: FBT001 (a column)
    """Eight levels are brought; with the ninth the image is refused, whatever comes below it."""
    script = ContentScript()
    script.push(nested(levels), "1")

    if brought:
        assert len((await planned(script)).image) == levels
    else:
        with pytest.raises(UnsupportedContentError, match="deeper than 8") as caught:
            await planned(script)
        assert caught.value.origin is Side.SOURCE
        assert len(script.asked) == 9


@pytest.mark.parametrize("off_by", [-1, 1])
async def test_a_manifest_of_another_size_than_its_index_says_is_refused(off_by: int) -> None:
    """The index is what a target would verify; the digest alone does not say it."""
    child = image([b"layer"])
    entry = child.descriptor()
    script = ContentScript()
    script.push(index_of([{**entry, "size": entry["size"] + off_by}], child), "1")

    with pytest.raises(SizeMismatchError, match=child.root) as caught:
        await planned(script)

    assert (caught.value.origin, caught.value.step) == (Side.SOURCE, "get manifest")
    assert caught.value.reference == child.root


async def test_a_child_that_is_not_there_is_named() -> None:
    """The index is sparse at the source; what is missing is not left out silently."""
    child = image([b"layer"])
    script = ContentScript()
    script.push(index_of([child.descriptor()]), "1")

    with pytest.raises(NotFoundError, match=child.root):
        await planned(script)


async def test_an_index_of_sixteen_thousand_manifests_is_planned() -> None:
    """All different, within 4 MiB: each is asked for once, and ordering them takes no longer than reading them."""
    children = [SampleImage.of(OCI_ARTIFACT, {"mediaType": OCI_ARTIFACT, "n": n}, [], []) for n in range(16_000)]
    manifests = {child.root: child.manifests[child.root] for child in children}
    root = index_of([child.descriptor() for child in children])
    script = ContentScript()
    script.push(SampleImage(root.root, {**manifests, **root.manifests}), "1")

    plan = await planned(script)

    assert [m.digest for m in plan.image] == [*manifests, root.root]
    assert len(script.asked) == 16_001


async def test_sixteen_thousand_repetitions_at_every_level_are_no_more_work_than_one() -> None:
    """Seven levels that list the next one so often: walked entry by entry, they would never come to an end."""
    root = image([b"layer"])
    levels = [root.root]
    for _ in range(7):
        root = index_of([root.descriptor()] * 16_000, root)
        levels.append(root.root)
    script = ContentScript()
    script.push(root, "1")

    plan = await planned(script)

    assert [m.digest for m in plan.image] == levels
    assert len(script.asked) == 8


async def test_manifests_that_are_too_large_together_are_refused() -> None:
    """Each is as large as a manifest may be; seventeen of them do not fit into memory's share."""
    children = []
    for number in range(17):
        raw = json.dumps({"mediaType": OCI_ARTIFACT, "n": number}).encode().ljust(MANIFEST_BYTES_AT_MOST)
        children.append(SampleImage(digest(raw), {digest(raw): (OCI_ARTIFACT, raw)}))
    script = ContentScript()
    script.push(index_of([child.descriptor() for child in children], *children), "1")

    with pytest.raises(UnsupportedContentError, match=str(MANIFEST_BYTES_IN_ALL_AT_MOST)):
        await planned(script)


async def test_chosen_platforms_are_walked_and_the_others_are_not() -> None:
    """The plan says both what the source stood on and what the target will."""
    script = ContentScript()
    script.push(WIDE, "1")
    kept, left = read(WIDE).children

    plan = await planned(script, ImportOptions(referrers=False, platforms=("linux/amd64",)))

    assert [m.digest for m in plan.image[:-1]] == [kept.digest]
    assert plan.source_digest == WIDE.root != plan.root.digest
    assert not [asked for asked in script.asked if left.digest in asked]


@pytest.mark.parametrize("count", [100, 101])
async def test_so_many_tags_may_stand_on_one_digest(count: int) -> None:
    """With `sameDigest` each becomes a target of the record, which storage holds to a megabyte."""
    script = ContentScript()
    for number in range(count):
        script.push(WIDE, f"t{number}")
    client, _ = client_of(script)

    if count == TAGS_AT_MOST:
        assert len(await tags_of_digest(client, "app", WIDE.root)) == count
    else:
        with pytest.raises(UnsupportedContentError, match="over 100 tags"):
            await tags_of_digest(client, "app", WIDE.root)


async def test_a_plan_that_was_interrupted_is_taken_up_without_asking_twice() -> None:
    """What was read before is handed in; a HEAD, which counts as no pull, tells that the tag still stands on it."""
    script = ContentScript()
    script.push(WIDE, "1")
    missing = read(WIDE).children[1].digest
    taken = script.shelves["app"].manifests.pop(missing)
    known: dict[str, Manifest] = {}
    client, _ = client_of(script)
    with pytest.raises(NotFoundError):
        await make_plan(client, APP, ALONE, known)
    script.shelves["app"].manifests[missing] = taken
    script.asked.clear()

    plan = await make_plan(client, APP, ALONE, known)

    assert [m.digest for m in plan.image] == list(WIDE.manifests)
    assert script.asked == ["HEAD app/manifests/1", f"GET app/manifests/{missing}"]


async def test_referrers_are_planned_after_the_image_and_in_order() -> None:
    """An SBOM that is itself an index brings its parts; one of them is the image's own and is not brought twice."""
    part, own = artifact(b"part"), json.loads(WIDE.manifests[WIDE.root][1])["manifests"][0]
    body = {"mediaType": OCI_INDEX, "manifests": [part.descriptor(), own], "subject": WIDE.descriptor()}
    sbom = SampleImage.of(OCI_INDEX, body, [], [part])
    signature = artifact(b"signature", artifact_type="t/signature", subject=sbom)
    script = ContentScript()
    for content, tag in ((WIDE, "1"), (sbom, None), (signature, None)):
        script.push(content, tag)

    plan = await planned(script, ImportOptions())

    assert plan.root.digest == WIDE.root
    assert [m.digest for m in plan.attached] == [part.root, sbom.root, signature.root]
    assert {(r.digest, r.subject) for r in plan.referrers} == {(sbom.root, WIDE.root), (signature.root, sbom.root)}


@pytest.mark.parametrize("written", ["registry.example/app", f"registry.example/app:other@{WIDE.root}"])
async def test_a_reference_without_a_tag_means_latest_and_a_digest_means_itself(written: str) -> None:
    """The most exact name that is given."""
    script = ContentScript()
    script.push(WIDE, "latest")

    assert (await planned(script, reference=Reference.parse(written))).root.digest == WIDE.root


async def test_tags_that_stand_on_one_digest_are_found() -> None:
    """Each is asked for with a HEAD, which counts as no pull; a tag that goes meanwhile is none."""
    script = ContentScript()
    for tag in ("2", "latest", "stable"):
        script.push(WIDE, tag)
    script.push(image([b"other"]), "1")
    script.shelves["app"].tags["gone"] = "sha256:" + "0" * 64
    client, _ = client_of(script)

    assert await tags_of_digest(client, "app", WIDE.root) == ("2", "latest", "stable")

    assert {asked.partition(" ")[0] for asked in script.asked if "/manifests/" in asked} == {"HEAD"}


def targets(*written: str) -> tuple[Reference, ...]:
    """Targets in the scripted registry."""
    return tuple(Reference.parse(f"registry.example/{text}") for text in written)


async def test_a_tag_that_stands_on_another_digest_is_refused_before_anything_moves() -> None:
    """With both digests, so that a user can tell which one is wanted."""
    other = image([b"other"])
    script = ContentScript()
    script.push(other, "1")
    client, _ = client_of(script, side=Side.TARGET)

    with pytest.raises(TargetTagExistsError) as caught:
        await require_free_tags(client, targets("app:2", "app:1"), WIDE.root, Mode.NO_FORCE)

    assert all(text in caught.value.message for text in ("registry.example/app:1", other.root, WIDE.root))
    assert (caught.value.origin, caught.value.reference) == (Side.TARGET, "registry.example/app:1")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("mode", "names", "asked"),
    [
        (Mode.NO_FORCE, ("app:new", "app:same"), ["HEAD app/manifests/new", "HEAD app/manifests/same"]),
        (Mode.NO_FORCE, ("app",), []),
        (Mode.FORCE, ("app:taken",), []),
    ],
)
async def test_a_tag_that_is_free_or_may_be_overwritten_is_let_pass(
    mode: Mode, names: tuple[str, ...], asked: list[str]
) -> None:
    """One that stands on the digest already is free; a target by digest has no tag to ask for."""
    script = ContentScript()
    script.push(WIDE, "same")
    script.push(image([b"other"]), "taken")
    client, _ = client_of(script, side=Side.TARGET)

    await require_free_tags(client, targets(*names), WIDE.root, mode)

    assert script.asked == asked
