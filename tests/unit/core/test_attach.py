"""Making referrers findable at the target: by its API, by the fallback index, by cosign's older tags."""

import json
from typing import Any

import pytest

from devtools.sample_images import SampleImage, artifact, image, index, multi_platform
from importcore.content import Referrer, referrers_tag
from importcore.descriptors import OCI_INDEX, OCI_MANIFEST
from importcore.errors import Side
from importcore.phases.attach import Attach
from importcore.phases.plan import Plan
from importcore.request.model import Mode
from tests.unit.registry.scripted import client_of
from tests.unit.registry.scripted_content import ContentScript, read

SBOM = "application/vnd.example.sbom"
WIDE = multi_platform([30], ["linux/amd64", "linux/arm64"])
AMD64 = SampleImage(next(iter(WIDE.manifests)), WIDE.manifests)
FALLBACK, SIG = referrers_tag(WIDE.root), referrers_tag(WIDE.root) + ".sig"


def plan_of(*referrers: tuple[SampleImage, Referrer]) -> Plan:
    """A plan of the image and of what refers to it."""
    image_manifests = tuple(read(WIDE, name) for name in WIDE.manifests)
    return Plan(image_manifests, tuple(read(sample) for sample, _ in referrers), tuple(r for _, r in referrers))


def sbom_of(subject: SampleImage, payload: bytes = b"sbom") -> tuple[SampleImage, Referrer]:
    """An SBOM of a subject, and the relation."""
    sbom = artifact(payload, artifact_type=SBOM, subject=subject)
    return sbom, Referrer(sbom.root, subject.root, SBOM)


def signed(by: bytes = b"cosign") -> tuple[SampleImage, Referrer]:
    """A signature of the image under cosign's older tag."""
    signature = image([by])
    return signature, Referrer(signature.root, WIDE.root, None, SIG)


async def attach(script: ContentScript, plan: Plan, *repositories: str, mode: Mode = Mode.NO_FORCE) -> None:
    """Attach in these repositories, or in `app`."""
    client, _ = client_of(script, side=Side.TARGET)
    await Attach(plan, client, mode).to(repositories or ("app",))


def kept_index(script: ContentScript, tag: str = FALLBACK, repository: str = "app") -> dict[str, Any]:
    """The index under a fallback tag."""
    shelf = script.shelves[repository]
    media_type, raw = shelf.manifests[shelf.tags[tag]]
    body: dict[str, Any] = json.loads(raw)
    assert media_type == body["mediaType"] == OCI_INDEX
    return body


async def test_an_image_without_referrers_asks_for_nothing() -> None:
    """Most images are such."""
    script = ContentScript()

    await attach(script, plan_of())

    assert script.asked == []


async def test_a_target_with_the_api_needs_no_index() -> None:
    """It finds a referrer by its subject."""
    script = ContentScript()

    await attach(script, plan_of(sbom_of(WIDE)))

    assert script.put == []


async def test_a_target_without_the_api_gets_an_index_for_each_subject() -> None:
    """Spec, "Referrers Tag Schema": descriptors with artifact type and annotations, as the API would list them."""
    script = ContentScript(referrers_api=False)
    (of_root, one), (of_platform, other) = sbom_of(WIDE), sbom_of(AMD64, b"of amd64")

    await attach(script, plan_of((of_root, one), (of_platform, other)))

    assert sorted(script.put) == sorted([FALLBACK, referrers_tag(AMD64.root)])
    for sample, subject in ((of_root, WIDE), (of_platform, AMD64)):
        assert kept_index(script, referrers_tag(subject.root)) == {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                sample.descriptor(artifactType=SBOM, annotations={"org.example.kind": "sample"}),
            ],
        }


async def test_a_referrer_without_annotations_or_type_is_listed_by_its_descriptor() -> None:
    """Fields that it does not have are left out."""
    raw = {"mediaType": OCI_INDEX, "manifests": [], "subject": WIDE.descriptor()}
    bare = SampleImage.of(OCI_INDEX, raw, [], [])
    script = ContentScript(referrers_api=False)

    await attach(script, plan_of((bare, Referrer(bare.root, WIDE.root))))

    assert kept_index(script)["manifests"] == [bare.descriptor()]


async def test_what_the_index_lists_already_stays_and_nothing_is_listed_twice() -> None:
    """Others sign at the target, too; and an import may be run again."""
    made_there = artifact(b"made at the target", subject=WIDE)
    script = ContentScript(referrers_api=False)
    script.push(index({"any/any": made_there}), FALLBACK)
    sbom, relation = sbom_of(WIDE)
    plan = plan_of((sbom, relation))

    await attach(script, plan)
    await attach(script, plan)

    assert [entry["digest"] for entry in kept_index(script)["manifests"]] == [made_there.root, sbom.root]
    assert script.put == [FALLBACK]


async def test_cosigns_tag_is_put_where_there_is_none() -> None:
    """Whether or not the target has the API; its signature is in no fallback index."""
    for referrers_api in (True, False):
        script = ContentScript(referrers_api=referrers_api)
        signature, relation = signed()

        await attach(script, plan_of((signature, relation)))

        assert script.shelves["app"].tags == {SIG: signature.root}
        assert script.shelves["app"].manifests[signature.root] == (OCI_MANIFEST, read(signature).raw)


@pytest.mark.parametrize(("mode", "overwritten"), [(Mode.NO_FORCE, False), (Mode.FORCE, True)])
async def test_a_signature_that_was_added_at_the_target_is_left_alone(mode: Mode, overwritten: bool) -> None:  # noqa: FBT001
    """Unless the request forces it."""
    script = ContentScript()
    there, (signature, relation) = image([b"signed at the target"]), signed()
    script.push(there, SIG)

    await attach(script, plan_of((signature, relation)), mode=mode)

    assert script.shelves["app"].tags[SIG] == (signature.root if overwritten else there.root)


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_tag_that_stands_there_already_is_not_moved_again(mode: Mode) -> None:
    """A locked one would refuse it."""
    script = ContentScript()
    signature, relation = signed()
    script.push(signature, SIG)

    await attach(script, plan_of((signature, relation)), mode=mode)

    assert script.put == []


async def test_every_repository_gets_its_own() -> None:
    """Referrers live beside the image that they refer to."""
    script = ContentScript(referrers_api=False)
    (sbom, relation), (signature, by_tag) = sbom_of(WIDE), signed()

    await attach(script, plan_of((sbom, relation), (signature, by_tag)), "a", "team/b")

    for repository in ("a", "team/b"):
        assert kept_index(script, repository=repository)["manifests"][0]["digest"] == sbom.root
        assert script.shelves[repository].tags[SIG] == signature.root
