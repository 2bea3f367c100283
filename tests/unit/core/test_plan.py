"""The plan: it reads back as it was, bytes and all, and another version is refused."""

import json
from typing import Any

import pytest

from devtools.sample_images import artifact, every_kind, image, multi_platform
from importcore.content import Manifest, Referrer
from importcore.descriptors import DOCKER_MANIFEST, digest_of
from importcore.errors import ContentError, DigestMismatchError
from importcore.phases.plan import VERSION, Plan, decode_manifests, encode_manifests
from tests.unit.registry.scripted_content import read

WIDE = multi_platform([30, 30], ["linux/amd64", "linux/arm64"])
SBOM = artifact(b"sbom", subject=WIDE)
SIGNATURE = image([b"signature"])
TAG = WIDE.root.replace(":", "-") + ".sig"


def whole_plan() -> Plan:
    """An image of two platforms, an SBOM that refers to it, and a signature under cosign's older tag."""
    return Plan(
        image=tuple(read(WIDE, name) for name in WIDE.manifests),
        attached=(read(SBOM), read(SIGNATURE)),
        referrers=(
            Referrer(SBOM.root, WIDE.root, "application/vnd.example.sbom"),
            Referrer(SIGNATURE.root, WIDE.root, None, TAG),
        ),
        source_digest="sha256:" + "5" * 64,
    )


def altered(**fields: object) -> bytes:
    """The bytes of a good plan with some fields replaced; None takes a field away."""
    value: dict[str, Any] = {**json.loads(whole_plan().encode()), **fields}
    return json.dumps({name: field for name, field in value.items() if field is not None}).encode()


def test_a_plan_reads_back_as_it_was() -> None:
    """Image, referrers, their relations, and what the source reference stood on."""
    plan = whole_plan()

    assert Plan.decode(plan.encode()) == plan


@pytest.mark.parametrize("kind", every_kind())
def test_manifests_of_every_kind_keep_their_bytes(kind: str) -> None:
    """Their digests are over those, and their types may stand in a header alone."""
    sample = every_kind()[kind]
    plan = Plan(tuple(read(sample, name) for name in sample.manifests), source_digest=sample.root)

    kept = Plan.decode(plan.encode())

    assert {m.digest: (m.media_type, m.raw) for m in kept.manifests} == sample.manifests
    assert kept == plan


def test_a_type_that_only_a_header_told_is_kept() -> None:
    """The bytes alone would be taken for another."""
    untyped = every_kind()["untyped"]
    told = Manifest.parse(untyped.manifests[untyped.root][1], content_type=DOCKER_MANIFEST)

    assert Plan.decode(Plan((told,)).encode()).root == told


def test_a_sha512_digest_stays_one() -> None:
    """The bytes are verified with the algorithm that names them."""
    raw = read(SIGNATURE).raw
    named = Manifest.parse(raw, expected=digest_of(raw, "sha512:"))

    assert Plan.decode(Plan((named,)).encode()).root == named


def test_the_root_comes_last_and_every_blob_once() -> None:
    """What two manifests share is moved once and counted once."""
    shared, other = image([b"shared", b"first"]), image([b"shared", b"second"], "linux/arm64")

    plan = Plan((read(shared), read(other)))

    assert plan.root == read(other)
    assert sorted(blob.digest for blob in plan.blobs) == sorted({**shared.blobs, **other.blobs})
    assert plan.size == sum(map(len, {**shared.blobs, **other.blobs}.values()))


def test_blobs_of_referrers_are_part_of_the_plan() -> None:
    """They travel with the image."""
    assert set(SBOM.blobs) <= {blob.digest for blob in whole_plan().blobs}


def test_a_plan_from_before_referrers_is_still_read() -> None:
    """Without those fields there were none, and the source stood on the root."""
    kept = Plan.decode(altered(attached=None, referrers=None, sourceDigest=None))

    assert (kept.attached, kept.referrers, kept.source_digest) == ((), (), WIDE.root)


@pytest.mark.parametrize("raw", [altered(v=VERSION + 1), altered(v="1"), altered(v=None), b"[]", b"null", b"1"])
def test_another_version_is_refused(raw: bytes) -> None:
    """It may mean something else by the same fields."""
    with pytest.raises(ContentError, match=f"version {VERSION}") as caught:
        Plan.decode(raw)

    assert caught.value.step == "read the plan"


def test_a_manifest_whose_bytes_changed_is_found_out() -> None:
    """Storage is trusted no more than a registry."""
    rows = json.loads(whole_plan().encode())["manifests"]
    rows[0][2] = rows[1][2]

    with pytest.raises(DigestMismatchError):
        Plan.decode(altered(manifests=rows))


@pytest.mark.parametrize(
    "row",
    [
        [SIGNATURE.root, WIDE.root, None, "latest"],
        [SIGNATURE.root, WIDE.root, None, TAG.replace(".sig", "")],
        [SIGNATURE.root, WIDE.root, None, TAG + "x"],
        [SIGNATURE.root, SBOM.root, None, TAG],
        ["sha256:" + "5" * 64, WIDE.root, None, TAG],
        [SIGNATURE.root, "sha256:" + "5" * 64, None, "sha256-" + "5" * 64 + ".sig"],
    ],
    ids=["any tag", "the fallback tag", "another suffix", "another's tag", "another manifest", "another subject"],
)
def test_a_kept_plan_moves_no_tag_but_those_of_what_it_brings(row: list[str | None]) -> None:
    """Whoever may write to storage cannot make the app move another tag by it, past the fence and the policy."""
    with pytest.raises(ContentError, match="not its own"):
        Plan.decode(altered(referrers=[row]))


def test_manifests_of_a_plan_in_the_making_read_back_by_their_digests() -> None:
    """The next run asks for none of them again."""
    manifests = {name: read(WIDE, name) for name in WIDE.manifests}

    assert decode_manifests(encode_manifests(manifests.values())) == manifests


@pytest.mark.parametrize("raw", [altered(v=VERSION + 1), altered(v=None), b"[]", b"null"])
def test_a_plan_in_the_making_of_another_version_is_none(raw: bytes) -> None:
    """It only spares questions, so they are asked again."""
    assert decode_manifests(raw) == {}
