"""What cannot be meant together in one request: named on both sides of the line, never silently ignored."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.request.contradictions import contradictions

ID = "/subscriptions/s"
UNTAGGED = "untaggedTargetRepositories"


def named(body: dict[str, Any]) -> set[tuple[str, str]]:
    """Code and field of everything that a body contradicts itself in."""
    return {(problem.code, problem.target) for problem in contradictions(body)}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source": "a", "target": "b", "targetTags": ["c"]}, "targetTags"),
        ({"source": "a", "target": "b", "targetRegistry": "x.example"}, "targetRegistry"),
        ({"source": "a", "target": "b", UNTAGGED: ["c"]}, UNTAGGED),
        ({"source": "a", "artifactTypes": ["t"], "includeReferrers": False}, "artifactTypes"),
        ({"source": "a", "backupTag": "{digest8}"}, "backupTag"),
        ({"source": "a", "backupTag": "{digest8}", "mode": "NoForce"}, "backupTag"),
        ({"source": "a", "targetTemplate": "b:{tag}"}, "targetTemplate"),
        ({"source": "a", "targetTemplate": "b:{tag}", "tags": {"sameDigest": True}}, "targetTemplate"),
        ({"source": {"registryUri": "x.example", "resourceId": ID, "sourceImage": "a"}}, "source.resourceId"),
        ({"source": {"resourceId": ID, "sourceImage": "a", "credentials": {"password": "p"}}}, "source.credentials"),
        ({"source": {"resourceId": ID, "sourceImage": "a"}, "tags": {"newest": 1}}, "source.resourceId"),
        ({"source": {"resourceId": ID}, "repositories": ["a"]}, "source.resourceId"),
        ({"source": {"registryUri": "x.example", "sourceImage": "X.example/a"}}, "source.sourceImage"),
        (
            {"source": {"registryUri": "https://mcr.microsoft.com/", "sourceImage": "mcr.microsoft.com/a/b:1"}},
            "source.sourceImage",
        ),
        ({"source": {"registryUri": "docker.io", "sourceImage": "index.docker.io/library/a"}}, "source.sourceImage"),
        ({"source": {"registryUri": "x.example", "sourceImage": "here.azurecr.io/a"}}, "source.sourceImage"),
        ({"source": {"resourceId": ID, "sourceImage": "here.azurecr.us/a"}}, "source.sourceImage"),
    ],
)
def test_what_cannot_be_meant_together_is_a_contradiction(body: dict[str, Any], field: str) -> None:
    """One field is named, and its words say what it does not go with."""
    assert named(body) == {("contradiction", field)}


@pytest.mark.parametrize(
    "body",
    [
        {"source": "a"},
        {"source": "a", "target": "b", "targetTags": [], UNTAGGED: [], "targetRegistry": None},
        {"source": "a", "targetRegistry": "x.example", "targetTags": ["b"], UNTAGGED: ["c"]},
        {"source": "a", "artifactTypes": ["t"]},
        {"source": "a", "artifactTypes": [], "includeReferrers": False},
        {"source": "a", "backupTag": "{tag}-{digest8}", "mode": "Force"},
        {"source": "a", "targetTemplate": "b:{tag}", "tags": {"newest": 1}},
        {"source": {"registryUri": "x.example"}, "repositories": ["a"], "targetTemplate": "b:{tag}"},
        {"source": {"resourceId": ID, "sourceImage": "a"}, "tags": {"sameDigest": True}},
        {"source": {"registryUri": "x.example", "sourceImage": "team/a"}},
        {"source": {"registryUri": "x.example:5000", "sourceImage": "x.example/a"}},
        {"source": {"sourceImage": "here.azurecr.io/a", "credentials": {"password": "p"}}},
        {"source": {"sourceImage": "a", "credentials": {"name": "hub"}}},
    ],
)
def test_what_goes_together_is_let_pass(body: dict[str, Any]) -> None:
    """Empty lists and nulls contradict nothing."""
    assert named(body) == set()


@pytest.mark.parametrize("template", ["", "{tag}", "kept", "{digest8}!", "-{digest8}", "{digest8}" + "x" * 121])
def test_a_backup_tag_must_become_a_tag_of_its_own_for_each_digest(template: str) -> None:
    """Else one backup would overwrite another, or the registry would refuse it after all bytes have moved."""
    assert named({"source": "a", "mode": "Force", "backupTag": template}) == {("invalid_value", "backupTag")}


def test_the_longest_backup_tag_is_let_pass() -> None:
    """128 characters are a tag."""
    assert named({"source": "a", "mode": "Force", "backupTag": "{digest8}" + "x" * 120}) == set()


@pytest.mark.parametrize(
    ("credentials", "problems"),
    [
        ({}, {("missing_field", "password")}),
        ({"username": "u"}, {("missing_field", "password")}),
        ({"name": "n", "username": "u"}, {("contradiction", "username")}),
        (
            {"name": "n", "username": "u", "password": "p"},
            {("contradiction", "username"), ("contradiction", "password")},
        ),
        ({"username": "u", "password": "p"}, set()),
        ({"password": "p"}, set()),
    ],
)
def test_credentials_are_a_name_or_a_password(credentials: dict[str, Any], problems: set[tuple[str, str]]) -> None:
    """A user name goes with a password alone."""
    found = named({"source": {"sourceImage": "a", "credentials": credentials}})

    assert found == {(code, f"source.credentials.{field}") for code, field in problems}


def test_a_source_names_an_image_or_a_request_its_repositories() -> None:
    """One of them is required."""
    assert named({"source": {"registryUri": "x.example"}}) == {("missing_field", "source.sourceImage")}
    assert named({"source": {"registryUri": "x.example"}, "repositories": ["a"]}) == set()


def test_everything_is_named_at_once_and_no_secret_with_it() -> None:
    """The words are about fields, not about what stood in them."""
    body = {
        "source": {"resourceId": ID, "registryUri": "x.example", "credentials": {"name": "n", "password": "hunter2"}},
        "target": "a",
        "targetTags": ["b"],
        "backupTag": "{tag}",
    }

    found = contradictions(body)

    assert {problem.target for problem in found} == {
        "targetTags", "backupTag", "source.sourceImage", "source.resourceId", "source.credentials",
        "source.credentials.password",
    }  # fmt: skip
    assert "hunter2" not in repr(found)


_FIELDS = [
    "source", "target", "targetRegistry", "targetTags", UNTAGGED, "tags", "repositories", "targetTemplate", "mode",
    "includeReferrers", "artifactTypes", "backupTag", "registryUri", "resourceId", "sourceImage", "credentials", "name",
    "username", "password", "newest",
]  # fmt: skip
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["here.azurecr.io/a", "Force"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUE, max_size=6))
def test_a_raw_body_of_any_shape_is_looked_through(body: dict[str, Any]) -> None:
    """It is read before the models have checked it, so nothing in it may make the reader stumble."""
    assert all(problem.target and problem.message.isprintable() for problem in contradictions(body))
