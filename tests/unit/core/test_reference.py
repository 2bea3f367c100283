"""Image references: every spelling has one normal form, and every error names the part that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.errors import InvalidReferenceError, TransloadError
from importcore.reference import DOCKER_HUB, Reference, api_host, is_digest, is_tag, normal_registry

SHA256 = "sha256:" + "0a" * 32
SHA512 = "sha512:" + "0a" * 64


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("alpine", "docker.io/library/alpine"),
        ("alpine:3.20", "docker.io/library/alpine:3.20"),
        ("library/alpine", "docker.io/library/alpine"),
        ("grafana/loki", "docker.io/grafana/loki"),
        ("docker.io/alpine", "docker.io/library/alpine"),
        ("DOCKER.IO/alpine", "docker.io/library/alpine"),
        ("index.docker.io/library/alpine", "docker.io/library/alpine"),
        ("registry-1.docker.io/alpine", "docker.io/library/alpine"),
        ("registry.hub.docker.com/grafana/loki", "docker.io/grafana/loki"),
        ("ghcr.io", "docker.io/library/ghcr.io"),
        ("MCR.Microsoft.com/dotnet/sdk:8.0", "mcr.microsoft.com/dotnet/sdk:8.0"),
        ("localhost/team/app", "localhost/team/app"),
        ("localhost:5000/app", "localhost:5000/app"),
        ("builder:5000/team/app:1", "builder:5000/team/app:1"),
        ("10.1.2.3:5000/app", "10.1.2.3:5000/app"),
        ("[::1]/app:1", "[::1]/app:1"),
        ("[fe80::1]:5000/app", "[fe80::1]:5000/app"),
        ("quay.io:443/team/app", "quay.io/team/app"),
        ("quay.io:05000/team/app", "quay.io:5000/team/app"),
        ("registry-1.docker.io:0443/alpine", "docker.io/library/alpine"),
        ("builder:443/app", "builder:443/app"),
        ("10.1.2.3:443/app", "10.1.2.3/app"),
        ("[0:0:0:0:0:0:0:1]:5000/app", "[::1]:5000/app"),
        (f"ghcr.io/a/b@{SHA256}", f"ghcr.io/a/b@{SHA256}"),
        (f"ghcr.io/a/b:1@{SHA512}", f"ghcr.io/a/b:1@{SHA512}"),
        ("ghcr.io/a__b/c--d/e.f/g_h", "ghcr.io/a__b/c--d/e.f/g_h"),
    ],
)
def test_every_spelling_has_one_normal_form(written: str, normal: str) -> None:
    """A reference reads as in docker's grammar and prints in full."""
    assert str(Reference.parse(written)) == normal


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("", "repository"),
        ("/", "repository"),
        ("team/", "repository"),
        ("team//app", "repository"),
        ("Team/app", "repository"),
        ("team/-app", "repository"),
        ("team/a___b", "repository"),
        ("ghcr.io/", "repository"),
        (" alpine", "repository"),
        ("alpine\n", "repository"),
        ("a" * 256, "repository"),
        ("alpine:", "tag"),
        ("alpine:.3", "tag"),
        ("alpine:3:4", "tag"),
        ("alpine:" + "t" * 129, "tag"),
        ("alpine:3\n", "tag"),
        ("alpine@", "digest"),
        ("alpine@sha256:0a", "digest"),
        ("alpine@" + SHA256.upper(), "digest"),
        ("alpine@md5:" + "0a" * 16, "digest"),
        ("alpine@" + SHA512[:-1], "digest"),
        ("host:0/app", "registry address"),
        ("host:65536/app", "registry address"),
        ("host:port/app", "registry address"),
        ("-host.example/app", "registry address"),
        ("under_score.example/app", "registry address"),
        ("host.example./app", "registry address"),
        ("[::zz]/app", "registry address"),
        ("user:pw@host.example/app", "registry address"),
    ],
)
def test_an_error_names_the_part_that_is_wrong(written: str, part: str) -> None:
    """The message says which of registry, repository, tag and digest is wrong, and about nothing else."""
    with pytest.raises(InvalidReferenceError) as caught:
        Reference.parse(written)

    said = caught.value.message.rpartition("'")[2] if part == "registry address" else caught.value.message
    assert part in said
    assert all(f"the {other} must" not in said for other in {"repository", "tag", "digest"} - {part})


def test_the_longest_name_that_registries_take_is_accepted() -> None:
    """255 characters with the registry are a name; one more is none."""
    longest = "ghcr.io/" + "a" * (255 - len("ghcr.io/"))

    assert str(Reference.parse(longest)) == longest
    with pytest.raises(InvalidReferenceError, match="at most 255"):
        Reference.parse(longest + "a")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://ghcr.io/", "ghcr.io"),
        (" MyRegistry.azurecr.io ", "myregistry.azurecr.io"),
        ("index.docker.io", DOCKER_HUB),
        ("host.example:65535", "host.example:65535"),
    ],
)
def test_a_registry_address_may_be_pasted_from_a_browser(written: str, normal: str) -> None:
    """Scheme, closing slash, blanks and capitals do not make another registry."""
    assert normal_registry(written) == normal


@pytest.mark.parametrize("written", ["prod", "[...]", "[1]:2", "[::::]", "999.1.1.1", "0177.0.0.1", "1.2.3.256"])
def test_a_bare_word_and_an_address_that_is_none_are_no_registry_address(written: str) -> None:
    """Read again as the first part of a reference, the word would be a repository of Docker Hub."""
    with pytest.raises(InvalidReferenceError, match="not a registry address"):
        normal_registry(written)


@pytest.mark.parametrize("written", ["", "https://", "ghcr.io/org", "ghcr.io?x", "ghcr.io:", "a b", "http://ghcr.io"])
def test_what_is_more_than_a_host_is_no_registry_address(written: str) -> None:
    """A path, a query or another scheme is refused rather than cut off."""
    with pytest.raises(InvalidReferenceError, match="not a registry address"):
        normal_registry(written)


def test_docker_hub_is_asked_at_its_own_api_host() -> None:
    """Docker Hub's API stands under another name than its images."""
    assert Reference.parse("alpine").api_host == "registry-1.docker.io"
    assert api_host("ghcr.io") == "ghcr.io"


def test_a_manifest_is_asked_for_by_digest_then_tag_then_latest() -> None:
    """The most exact name that a reference has is the one that is used."""
    tagged = Reference.parse("ghcr.io/a/b:1")

    assert Reference.parse("ghcr.io/a/b").manifest_reference == "latest"
    assert tagged.manifest_reference == "1"
    assert tagged.with_digest(SHA256).manifest_reference == SHA256
    assert str(tagged.with_digest(SHA256)) == f"ghcr.io/a/b:1@{SHA256}"


@pytest.mark.parametrize(
    ("text", "digest", "tag"),
    [
        (SHA256, True, False),
        (SHA512, True, False),
        ("latest", False, True),
        ("_v1.0-rc", False, True),
        ("", False, False),
    ],
)
def test_a_digest_is_never_a_tag(text: str, digest: bool, tag: bool) -> None:  # noqa: FBT001 (columns of the table)
    """What stands behind `/manifests/` is one or the other."""
    assert (is_digest(text), is_tag(text)) == (digest, tag)


_REGISTRY = st.sampled_from(["", "docker.io/", "ghcr.io/", "localhost/", "h:1/", "[::1]:5000/", "X.example:443/"])
_PART = st.from_regex(r"[a-z0-9]{1,8}(([._]|__|-{1,3})[a-z0-9]{1,8}){0,2}", fullmatch=True)
_TAG = st.just("") | st.from_regex(r":[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}", fullmatch=True)
_DIGEST = st.just("") | st.just("@" + SHA256) | st.just("@" + SHA512)


@given(registry=_REGISTRY, parts=st.lists(_PART, min_size=1, max_size=3), tag=_TAG, digest=_DIGEST)
def test_what_a_reference_prints_reads_back_as_itself(registry: str, parts: list[str], tag: str, digest: str) -> None:
    """The normal form is stable, so a record can keep references as text."""
    reference = Reference.parse(registry + "/".join(parts) + tag + digest)

    assert Reference.parse(str(reference)) == reference


@given(st.text(max_size=80) | st.from_regex(r"[a-zA-Z0-9.:/@\[\]_-]{0,60}", fullmatch=True))
def test_any_text_is_a_reference_or_an_error_of_the_tree(text: str) -> None:
    """No text makes the parser stumble, and no message repeats control characters."""
    try:
        reference = Reference.parse(text)
    except TransloadError as error:
        assert error.message.isprintable()  # noqa: PT017 (most texts are errors, some are not)
    else:
        assert Reference.parse(str(reference)) == reference
