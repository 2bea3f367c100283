"""What a request means: ACR's form, the short form, and the tags that are meant where none are written."""

import json
from typing import Any

import pytest

from importcore.request.model import ImportRequest, Mode, read_import_request
from importcore.request.source_access import UserCredentials

DIGEST = "sha256:" + "0a" * 32
HERE = "here.azurecr.io"


def read(body: dict[str, Any], default_target: str | None = HERE) -> ImportRequest:
    """Read a body as the API does."""
    return read_import_request(json.dumps(body).encode(), default_target=default_target)


def targets_of(body: dict[str, Any], default_target: str | None = HERE) -> list[str]:
    """The targets that a body means."""
    return [str(target) for target in read(body, default_target).targets]


def test_a_request_in_acrs_own_words() -> None:
    """The parameters of `Import Image` are taken as they are."""
    request = read(
        {
            "source": {
                "registryUri": "https://ghcr.io",
                "sourceImage": "team/app:1",
                "credentials": {"username": "robot", "password": "hunter2"},
            },
            "targetRegistry": "There.azurecr.io",
            "targetTags": ["app:1", "app:stable"],
            "untaggedTargetRepositories": ["archive/app"],
            "mode": "Force",
        }
    )

    assert str(request.source) == "ghcr.io/team/app:1"
    assert [str(target) for target in request.targets] == [
        "there.azurecr.io/app:1",
        "there.azurecr.io/app:stable",
        "there.azurecr.io/archive/app",
    ]
    assert request.mode is Mode.FORCE
    assert request.credentials == UserCredentials("hunter2", "robot")


def test_a_request_in_the_short_form() -> None:
    """Two references are a request; nothing is overwritten unless it says so."""
    request = read({"source": "ghcr.io/team/app:1", "target": "there.azurecr.io/app:2"})

    assert str(request.source) == "ghcr.io/team/app:1"
    assert [str(target) for target in request.targets] == ["there.azurecr.io/app:2"]
    assert request.mode is Mode.NO_FORCE
    assert request.credentials is None


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("ghcr.io/team/app:1", "team/app:1"),
        ("ghcr.io/team/app", "team/app:latest"),
        (f"ghcr.io/team/app:1@{DIGEST}", "team/app:1"),
        (f"ghcr.io/team/app@{DIGEST}", "team/app"),
        ("alpine:3", "library/alpine:3"),
    ],
)
def test_without_target_tags_the_sources_name_is_meant(source: str, meant: str) -> None:
    """As ACR does: the source's repository and tag; a source by digest alone is imported untagged."""
    assert targets_of({"source": source}) == [f"{HERE}/{meant}"]


@pytest.mark.parametrize(
    ("source", "tag"), [("ghcr.io/a/b:1", "1"), ("ghcr.io/a/b", "latest"), (f"ghcr.io/a/b@{DIGEST}", "latest")]
)
def test_a_target_without_a_tag_gets_the_sources_or_latest(source: str, tag: str) -> None:
    """As ACR does, in either form."""
    assert targets_of({"source": source, "target": "app"}) == [f"{HERE}/app:{tag}"]
    assert targets_of({"source": source, "targetTags": ["app"]}) == [f"{HERE}/app:{tag}"]


def test_a_source_image_may_name_its_registry_itself() -> None:
    """Without `registryUri` the image says where it is, by default Docker Hub."""
    assert str(read({"source": {"sourceImage": "ghcr.io/a/b:1"}}).source) == "ghcr.io/a/b:1"
    assert str(read({"source": {"sourceImage": "alpine"}}).source) == "docker.io/library/alpine"
    assert str(read({"source": {"registryUri": "docker.io", "sourceImage": "a"}}).source) == "docker.io/library/a"


def test_fields_may_be_null_where_that_means_absent() -> None:
    """Clients that write out every field are understood."""
    source = {"registryUri": None, "resourceId": None, "sourceImage": "ghcr.io/a/b:1", "credentials": None}

    assert targets_of({"source": source, "target": None, "targetRegistry": None}) == [f"{HERE}/a/b:1"]


def test_a_target_that_is_named_twice_is_one_target() -> None:
    """Also where it is spelled differently."""
    assert targets_of({"source": "a:1", "targetTags": ["app:1", "app", "app:2"]}) == [f"{HERE}/app:1", f"{HERE}/app:2"]


def test_a_full_target_needs_no_default_registry() -> None:
    """An installation may serve several registries and prefer none."""
    assert targets_of({"source": "a:1", "target": "localhost:5000/app"}, None) == ["localhost:5000/app:1"]
    assert targets_of({"source": "a:1", "targetRegistry": "x.example"}, None) == ["x.example/library/a:1"]


@pytest.mark.parametrize("username", [None, ""])
def test_a_password_without_a_user_name_is_a_token(username: str | None) -> None:
    """An empty name is no name."""
    credentials = {"username": username, "password": "token"}

    request = read({"source": {"sourceImage": "a", "credentials": credentials}})

    assert request.credentials == UserCredentials("token", None)


def test_a_request_never_prints_its_password() -> None:
    """Neither the request nor its credentials show it in a log."""
    request = read({"source": {"sourceImage": "a", "credentials": {"username": "u", "password": "hunter2"}}})

    assert "hunter2" not in repr(request)
    assert "hunter2" not in str(request.credentials)
