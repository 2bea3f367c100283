"""Finding what refers to an image: by the API, by the fallback tag, by cosign's older tags, and again below."""

import httpx
import pytest

from devtools.sample_images import SampleImage, artifact, image, index, multi_platform
from importcore.content import Manifest, Referrer, referrers_tag
from importcore.errors import AccessDeniedError
from importcore.phases.referrers import COSIGN_TYPES, ReferrerSearch
from tests.unit.registry.scripted import client_of, streamed
from tests.unit.registry.scripted_content import ContentScript, read

SIGNATURE, SBOM = "application/vnd.example.signature", "application/vnd.example.sbom"
WIDE = multi_platform([30], ["linux/amd64", "linux/arm64"])
AMD64 = SampleImage(next(iter(WIDE.manifests)), WIDE.manifests)


async def found(
    script: ContentScript, *types: str, subjects: tuple[Manifest, ...] = (read(WIDE),)
) -> tuple[set[Referrer], set[str]]:
    """The relations and the digests of the manifests that a search finds."""
    client, _ = client_of(script)
    relations, manifests = await ReferrerSearch(client, "app", types).of(subjects)
    assert len(set(relations)) == len(relations)
    assert len({manifest.digest for manifest in manifests}) == len(manifests)
    return set(relations), {manifest.digest for manifest in manifests}


def holding(*referrers: SampleImage, referrers_api: bool = True) -> ContentScript:
    """A registry with the image and these referrers."""
    script = ContentScript(referrers_api=referrers_api)
    script.push(WIDE, "1")
    for referrer in referrers:
        script.push(referrer)
    return script


async def test_referrers_of_the_root_and_of_each_platform_are_found() -> None:
    """Each with the subject that it names."""
    signature = artifact(b"signature", artifact_type=SIGNATURE, subject=WIDE)
    sbom = artifact(b"sbom", artifact_type=SBOM, subject=AMD64)
    image_manifests = tuple(read(WIDE, name) for name in WIDE.manifests)

    relations, manifests = await found(holding(signature, sbom), subjects=image_manifests)

    assert relations == {
        Referrer(signature.root, WIDE.root, SIGNATURE),
        Referrer(sbom.root, AMD64.root, SBOM),
    }
    assert manifests == {signature.root, sbom.root}


async def test_an_image_that_nobody_refers_to_has_none() -> None:
    """The API is asked once, and each of cosign's tags."""
    script = holding()

    assert await found(script) == (set(), set())

    tag = referrers_tag(WIDE.root)
    assert sorted(script.asked) == sorted(
        [f"GET app/referrers/{WIDE.root}", *(f"HEAD app/manifests/{tag}{suffix}" for suffix in COSIGN_TYPES)]
    )


async def test_a_referrer_of_a_referrer_is_found() -> None:
    """A signature of an SBOM is part of what makes the SBOM worth something."""
    sbom = artifact(b"sbom", artifact_type=SBOM, subject=WIDE)
    of_sbom = artifact(b"signature", artifact_type=SIGNATURE, subject=sbom)

    relations, _ = await found(holding(sbom, of_sbom))

    assert relations == {Referrer(sbom.root, WIDE.root, SBOM), Referrer(of_sbom.root, sbom.root, SIGNATURE)}


async def test_a_chain_of_referrers_has_an_end() -> None:
    """Four steps away from the image are brought; nobody signs further than that."""
    chain = [artifact(b"0", subject=WIDE)]
    for number in range(1, 6):
        chain.append(artifact(str(number).encode(), subject=chain[-1]))

    _, manifests = await found(holding(*chain))

    assert manifests == {one.root for one in chain[:4]}


async def test_one_that_refers_to_two_is_brought_once() -> None:
    """As two relations, when each subject's fallback index lists it."""
    signature = artifact(b"signature", artifact_type=SIGNATURE, subject=WIDE)
    script = holding(signature, referrers_api=False)
    for subject in (WIDE, AMD64):
        script.push(index({"any/any": signature}), referrers_tag(subject.root))

    relations, manifests = await found(script, subjects=(read(WIDE), read(WIDE, AMD64.root)))

    assert relations == {Referrer(signature.root, of.root, SIGNATURE) for of in (WIDE, AMD64)}
    assert manifests == {signature.root}


async def test_without_the_api_the_fallback_tag_is_read_and_the_api_not_asked_again() -> None:
    """Spec, "Referrers Tag Schema"; one 404 tells it for the whole repository."""
    sbom = artifact(b"sbom", artifact_type=SBOM, subject=WIDE)
    script = holding(sbom, referrers_api=False)
    script.push(index({"any/any": sbom}), referrers_tag(WIDE.root))

    relations, _ = await found(script)

    assert relations == {Referrer(sbom.root, WIDE.root, SBOM)}
    assert len([asked for asked in script.asked if "/referrers/" in asked]) == 1


async def test_a_fallback_tag_that_stands_on_no_index_lists_nothing() -> None:
    """Somebody else's image under that name is no list of referrers."""
    script = holding(referrers_api=False)
    script.push(image([b"not a list"]), referrers_tag(WIDE.root))

    assert await found(script) == (set(), set())


async def test_a_referrer_that_is_listed_and_gone_is_left_out() -> None:
    """Deleted between the list and the question."""
    gone, there = artifact(b"gone"), artifact(b"there", artifact_type=SBOM)
    script = holding(there, referrers_api=False)
    script.push(index({"a/a": gone, "b/b": there}), referrers_tag(WIDE.root))
    del script.shelves["app"].manifests[gone.root]

    _, manifests = await found(script)

    assert manifests == {there.root}


async def test_a_referrer_that_goes_between_two_questions_is_left_out() -> None:
    """Its HEAD still found it."""
    gone, there = artifact(b"gone", subject=WIDE), artifact(b"there", artifact_type=SBOM, subject=WIDE)
    script = holding(gone, there)

    def registry(request: httpx.Request) -> httpx.Response:
        return streamed(404) if request.method == "GET" and request.url.path.endswith(gone.root) else script(request)

    client, asked = client_of(registry)

    _, manifests = await ReferrerSearch(client, "app", ()).of((read(WIDE),))

    assert [manifest.digest for manifest in manifests] == [there.root]
    assert [r.method for r in asked.requests if r.url.path.endswith(gone.root)] == ["HEAD", "GET"]


@pytest.mark.parametrize("suffix", COSIGN_TYPES)
async def test_what_cosign_keeps_under_its_older_tags_is_found_with_its_tag(suffix: str) -> None:
    """The image there names no subject; the tag alone says what it belongs to."""
    kept, tag = image([b"cosign"]), referrers_tag(WIDE.root) + suffix
    script = holding()
    script.push(kept, tag)

    relations, manifests = await found(script)

    assert relations == {Referrer(kept.root, WIDE.root, COSIGN_TYPES[suffix], tag)}
    assert manifests == {kept.root}


async def test_chosen_types_are_brought_alone_and_nothing_is_asked_for_in_vain() -> None:
    """A signature of what is left behind is left behind with it."""
    sbom = artifact(b"sbom", artifact_type=SBOM, subject=WIDE)
    other = artifact(b"other", artifact_type="application/vnd.example.other", subject=WIDE)
    of_other = artifact(b"sbom of the other", artifact_type=SBOM, subject=other)
    script = holding(sbom, other, of_other)
    script.push(image([b"cosign"]), referrers_tag(WIDE.root) + ".sig")

    assert await found(script, SBOM) == ({Referrer(sbom.root, WIDE.root, SBOM)}, {sbom.root})

    assert not [asked for asked in script.asked if asked.endswith(tuple(COSIGN_TYPES))]


async def test_cosigns_kinds_can_be_chosen_too() -> None:
    """By the types that stand for its tags."""
    script = holding()
    for suffix in COSIGN_TYPES:
        script.push(image([suffix.encode()]), referrers_tag(WIDE.root) + suffix)

    relations, _ = await found(script, COSIGN_TYPES[".att"])

    assert [relation.tag for relation in relations] == [referrers_tag(WIDE.root) + ".att"]


async def test_a_refusal_is_not_taken_for_nothing_there() -> None:
    """An image must not arrive without its signatures because they could not be read."""
    client, _ = client_of(lambda _: streamed(403))

    with pytest.raises(AccessDeniedError):
        await ReferrerSearch(client, "app", ()).of((read(WIDE),))
