"""How a request says to get into its source: resource ids, credentials, names; and what of it contradicts itself."""

import json
from typing import Any

import pytest

from importcore.errors import InvalidReferenceError, InvalidRequestError
from importcore.request.model import ImportRequest, read_import_request
from importcore.request.source_access import (
    UNRESOLVED_REGISTRY,
    NamedCredentials,
    OwnIdentity,
    RegistryResource,
    UserCredentials,
)

SUBSCRIPTION = "0A000000-0000-4000-8000-00000000000b"
RESOURCE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/My.rg_(1)/providers/Microsoft.ContainerRegistry/registries/hers1"
)


def read(source: dict[str, Any], **more: object) -> ImportRequest:
    """Read a request with this source."""
    body = {"source": {"sourceImage": "app:1", **source}, **more}
    return read_import_request(json.dumps(body).encode(), default_target="here.azurecr.io")


def wrong(source: dict[str, Any], **more: object) -> dict[str, str]:
    """The wrong fields of a request with this source, with their codes."""
    with pytest.raises(InvalidRequestError) as caught:
        read(source, **more)
    return {problem.target: problem.code for problem in caught.value.problems}


@pytest.mark.parametrize("text", [RESOURCE, RESOURCE.lower(), f" {RESOURCE}/ "])
def test_a_resource_id_is_read_in_any_case(text: str) -> None:
    """Azure ignores case in it, and some tools put a slash behind it."""
    resource = RegistryResource.parse(text)

    assert str(resource).lower() == RESOURCE.lower()
    assert resource.name == "hers1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "hers1",
        RESOURCE.removeprefix("/"),
        RESOURCE.replace(SUBSCRIPTION, "mine"),
        RESOURCE.replace("hers1", "four"),
        RESOURCE.replace("hers1", "with-dash"),
        RESOURCE.replace("My.rg_(1)", "ends."),
        RESOURCE.replace("My.rg_(1)", "a/../b"),
        RESOURCE.replace("ContainerRegistry", "Storage"),
        RESOURCE + "/../other1",
        RESOURCE + "?x=y",
        RESOURCE + "/webhooks/w",
    ],
)
def test_what_is_no_resource_id_of_a_registry_is_refused(text: str) -> None:
    """Nothing of it can lead to another place in Azure Resource Manager."""
    with pytest.raises(InvalidReferenceError, match="resourceGroups"):
        RegistryResource.parse(text)


def test_a_resource_id_is_read_by_identity_and_goes_nowhere_until_it_is_resolved() -> None:
    """The repository is the registry's own, without Docker Hub's `library/`; the target gets its name."""
    request = read({"resourceId": RESOURCE})

    assert request.source_id == RegistryResource.parse(RESOURCE)
    assert str(request.source) == f"{UNRESOLVED_REGISTRY}/app:1"
    assert request.credentials == OwnIdentity()
    assert [str(target) for target in request.targets] == ["here.azurecr.io/app:1"]


@pytest.mark.parametrize(
    ("credentials", "meant"),
    [
        ({"username": "u", "password": "p"}, UserCredentials("p", "u")),
        ({"password": "p"}, UserCredentials("p", None)),
        ({"username": "", "password": "p"}, UserCredentials("p", None)),
        ({"name": "hub"}, NamedCredentials("hub")),
        ({"name": "hub", "username": None, "password": None}, NamedCredentials("hub")),
        (None, None),
    ],
)
def test_credentials_are_a_user_a_token_or_a_name(credentials: object, meant: object) -> None:
    """Fields that are null are not there."""
    assert read({"registryUri": "r.example", "credentials": credentials}).credentials == meant


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ({"resourceId": RESOURCE, "registryUri": "r.example"}, {"source.resourceId": "contradiction"}),
        ({"resourceId": RESOURCE, "credentials": {"password": "p"}}, {"source.credentials": "contradiction"}),
        ({"resourceId": RESOURCE, "credentials": {"name": "hub"}}, {"source.credentials": "contradiction"}),
        ({"resourceId": "/subscriptions/s"}, {"source.resourceId": "invalid_value"}),
        (
            {"resourceId": RESOURCE, "sourceImage": "hers1.azurecr.io/app:1"},
            {"source.sourceImage": "contradiction"},
        ),
        (
            {"registryUri": "HERS1.azurecr.io", "sourceImage": "hers1.azurecr.io/app:1"},
            {"source.sourceImage": "contradiction"},
        ),
        (
            {"registryUri": "hers1.azurecr.io", "sourceImage": "others.azurecr.io/app:1"},
            {"source.sourceImage": "contradiction"},
        ),
        ({"registryUri": "docker.io", "sourceImage": "index.docker.io/a/b"}, {"source.sourceImage": "contradiction"}),
        ({"credentials": {"username": "u"}}, {"source.credentials.password": "missing_field"}),
        ({"credentials": {"username": "u", "password": None}}, {"source.credentials.password": "missing_field"}),
        ({"credentials": {}}, {"source.credentials.password": "missing_field"}),
        (
            {"credentials": {"name": "hub", "username": "u", "password": "p"}},
            {"source.credentials.username": "contradiction", "source.credentials.password": "contradiction"},
        ),
    ],
)
def test_what_cannot_be_meant_together_is_named(source: dict[str, Any], problems: dict[str, str]) -> None:
    """Neither of the two is silently preferred."""
    assert wrong(source) == problems


def test_everything_that_contradicts_itself_is_named_at_once() -> None:
    """Nobody has to send a request four times to learn four things."""
    source = {
        "resourceId": "/subscriptions/s",
        "registryUri": "hers1.azurecr.io",
        "sourceImage": "hers1.azurecr.io/app:1",
        "credentials": {"username": "u"},
    }

    assert set(wrong(source)) >= {
        "source.resourceId",
        "source.credentials",
        "source.sourceImage",
        "source.credentials.password",
    }


def test_a_repository_may_look_like_a_host() -> None:
    """A dot in its first part does not make it one of Azure's."""
    assert str(read({"registryUri": "r.example", "sourceImage": "my.team/app:1"}).source) == "r.example/my.team/app:1"


def test_a_resource_id_cannot_stand_beside_a_selection() -> None:
    """The login server says the same."""
    assert wrong({"resourceId": RESOURCE, "sourceImage": "app"}, tags={"include": ["1.*"]}) == {
        "source.resourceId": "contradiction"
    }
