"""Choosing platforms: which entries of an index stay, byte for byte, and what cannot be chosen."""

import json
from typing import Any

import pytest

from importcore.content import Manifest
from importcore.descriptors import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST
from importcore.errors import Side, UnsupportedContentError
from importcore.phases.platforms import select_platforms


def entry(number: int, platform: dict[str, Any] | None, **more: object) -> dict[str, Any]:
    """An entry of an index; `number` makes its digest."""
    named = {} if platform is None else {"platform": platform}
    return {"mediaType": OCI_MANIFEST, "digest": f"sha256:{number:064x}", "size": number, **named, **more}


def platform(name: str) -> dict[str, Any]:
    """A platform object of `os/architecture[/variant]`."""
    return dict(zip(("os", "architecture", "variant"), name.split("/"), strict=False))


def attestation(number: int, of: int) -> dict[str, Any]:
    """What BuildKit leaves beside an image: an entry that names the one it attests."""
    notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": f"sha256:{of:064x}"}
    return entry(number, platform("unknown/unknown"), annotations=notes)


def index(*entries: dict[str, Any], media_type: str = OCI_INDEX, **more: object) -> Manifest:
    """An index of these entries, with blanks that a second serialisation would lose."""
    body = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries), **more}
    return Manifest.parse(json.dumps(body, indent=3).encode())


def chosen(root: Manifest, *wanted: str) -> list[int]:
    """The numbers of the entries that stay."""
    return [child.size for child in select_platforms(root, wanted).children]


WIDE = index(
    entry(1, platform("linux/amd64")),
    entry(2, platform("linux/arm64/v8")),
    entry(3, platform("linux/arm/v6")),
    entry(4, platform("linux/arm/v7")),
    entry(5, {**platform("windows/amd64"), "os.version": "10.0.17763.1"}),
    entry(6, {**platform("windows/amd64"), "os.version": "10.0.20348.1"}),
)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (("linux/amd64",), [1]),
        (("linux/arm64",), [2]),
        (("linux/arm64/v8", "linux/amd64"), [1, 2]),
        (("linux/arm",), [3, 4]),
        (("linux/arm/v6",), [3]),
        (("windows/amd64",), [5, 6]),
        (("linux/amd64", "linux/amd64"), [1]),
    ],
)
def test_the_wanted_platforms_stay_in_the_order_of_the_index(wanted: tuple[str, ...], numbers: list[int]) -> None:
    """A name without a variant takes every variant, and every version of an operating system."""
    assert chosen(WIDE, *wanted) == numbers


@pytest.mark.parametrize(
    ("has", "wanted", "stays"),
    [
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64", "linux/arm64/v9", False),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm", "linux/arm/v6", False),
        ("linux/amd64", "linux/amd64/v3", False),
        ("linux/arm64/v8", "linux/arm64/v9", False),
    ],
)
def test_a_variant_that_is_not_written_is_implied(has: str, wanted: str, stays: bool) -> None:  # noqa: FBT001 (a column)
    """As in containerd: arm64 is v8 and arm is v7."""
    root = index(entry(1, platform(has)), entry(2, platform("linux/s390x")))

    if stays:
        assert chosen(root, wanted) == [1]
    else:
        with pytest.raises(UnsupportedContentError, match=f"has no {wanted}"):
            select_platforms(root, (wanted,))


def test_what_stays_is_as_it_was() -> None:
    """Every field of each kept entry and of the index itself, also those that nobody here knows."""
    kept, left = entry(1, platform("linux/amd64"), annotations={"a": "\u00fc"}, custom=[1]), entry(2, platform("a/b"))
    root = index(kept, left, annotations={"org.example": "x"}, artifactType="t/x")

    smaller = select_platforms(root, ("linux/amd64",))

    assert json.loads(smaller.raw) == {**json.loads(root.raw), "manifests": [kept]}
    assert smaller.digest != root.digest


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_the_smaller_index_has_the_type_of_the_whole_one(media_type: str) -> None:
    """Also where the body does not say it, but a header did."""
    body = {"manifests": [entry(1, platform("linux/amd64")), entry(2, platform("linux/s390x"))]}
    root = Manifest.parse(json.dumps(body).encode(), content_type=media_type)

    assert select_platforms(root, ("linux/amd64",)).media_type == media_type


@pytest.mark.parametrize("wanted", [(), ("linux/amd64", "linux/arm64")])
def test_where_everything_is_wanted_nothing_is_written_anew(wanted: tuple[str, ...]) -> None:
    """The same bytes have the same digest, so signatures stay good."""
    root = index(entry(1, platform("linux/amd64")), entry(2, platform("linux/arm64")), attestation(3, of=1))

    assert select_platforms(root, wanted) is root


def test_an_attestation_stays_with_what_it_attests() -> None:
    """And goes with what is not chosen; one that names nothing goes too."""
    nameless = entry(5, platform("unknown/unknown"), annotations={"vnd.docker.reference.type": "attestation-manifest"})
    root = index(
        entry(1, platform("linux/amd64")),
        entry(2, platform("linux/arm64")),
        attestation(3, of=1),
        attestation(4, of=2),
        nameless,
    )

    assert chosen(root, "linux/arm64") == [2, 4]


def test_what_is_missing_is_named_with_what_is_there() -> None:
    """Each wanted platform that the index lacks; attestations are no platforms to choose from."""
    root = index(entry(1, platform("linux/amd64")), entry(2, None), attestation(3, of=1))

    with pytest.raises(UnsupportedContentError) as caught:
        select_platforms(root, ("linux/amd64", "linux/riscv64", "plan9/386"))

    assert caught.value.message == "the source has no linux/riscv64, plan9/386; it has (none), linux/amd64"
    assert (caught.value.origin, caught.value.reference) == (Side.SOURCE, root.digest)


@pytest.mark.parametrize("odd", [None, 5, [], "linux/amd64", {}, {"os": 5}, {"os": "linux"}, {"architecture": "amd64"}])
def test_an_entry_without_a_whole_platform_is_never_chosen(odd: object) -> None:
    """Half a name is not the platform that was asked for."""
    root = index(entry(1, platform("linux/amd64")), {**entry(2, None), "platform": odd})

    assert chosen(root, "linux/amd64") == [1]


def test_a_single_manifest_offers_no_choice() -> None:
    """The error says to import it as it is."""
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 1}
    single = Manifest.parse(json.dumps({"mediaType": OCI_MANIFEST, "config": config, "layers": []}).encode())

    with pytest.raises(UnsupportedContentError, match="single manifest") as caught:
        select_platforms(single, ("linux/amd64",))

    assert "Leave `platforms` out" in caught.value.action
    assert select_platforms(single, ()) is single
