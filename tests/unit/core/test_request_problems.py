"""What is wrong with a request: every field at once, by its path, and never with a secret in the words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.errors import InvalidRequestError
from importcore.request.model import read_import_request

DIGEST = "sha256:" + "0a" * 32
UNTAGGED = "untaggedTargetRepositories"


def refused(body: dict[str, Any] | bytes, default_target: str | None = "here.azurecr.io") -> InvalidRequestError:
    """Read a body that must be refused."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidRequestError) as caught:
        read_import_request(sent, default_target=default_target)
    return caught.value


def test_every_wrong_field_is_named_at_once() -> None:
    """Nobody has to send a request six times to learn six things."""
    error = refused(
        {
            "source": {"registryUri": "a b", "sourceImage": 5, "nonsense": 1},
            "targetRegistry": "not a host",
            "targetTags": ["UPPER", "app:1"],
            "mode": "force",
            "extra": True,
        }
    )

    wrong = {problem.target for problem in error.problems}
    assert wrong >= {
        "source.sourceImage", "source.nonsense", "targetRegistry", "mode", "extra",
    }  # fmt: skip
    assert all(field in error.message for field in wrong)
    assert "details" in error.action


@pytest.mark.parametrize(
    ("body", "field", "code", "words"),
    [
        ({}, "source", "missing_field", "required"),
        ({"source": {}}, "source.sourceImage", "missing_field", "required"),
        ({"source": None}, "source", "invalid_value", "valid"),
        ({"source": 5}, "source", "invalid_value", "valid"),
        ({"source": ["a"]}, "source", "invalid_value", "valid"),
        ({"source": "a", "sorce": "b"}, "sorce", "unknown_field", "not a field"),
        ({"source": {"sourceImage": "a", "tag": "1"}}, "source.tag", "unknown_field", "not a field"),
        ({"source": "a", "text": 1}, "text", "unknown_field", "not a field"),
        ({"source": "a", "object": 1}, "object", "unknown_field", "not a field"),
        ({"source": "A"}, "source", "invalid_value", "repository"),
        ({"source": "a:"}, "source", "invalid_value", "tag"),
        ({"source": {"sourceImage": "a@x"}}, "source.sourceImage", "invalid_value", "digest"),
        ({"source": {"registryUri": "a/b", "sourceImage": "a"}}, "source.registryUri", "invalid_value", "address"),
        ({"source": {"registryUri": "prod", "sourceImage": "a/b"}}, "source.registryUri", "invalid_value", "address"),
        ({"source": {"resourceId": "/s", "sourceImage": "a"}}, "source.resourceId", "invalid_value", "/subscriptions/"),
        ({"source": "a", "target": 5}, "target", "invalid_value", "string"),
        ({"source": "a", "target": f"app@{DIGEST}"}, "target", "invalid_value", "digest"),
        ({"source": "a", "targetTags": "app"}, "targetTags", "invalid_value", "list"),
        ({"source": "a", "targetTags": None}, "targetTags", "invalid_value", "list"),
        ({"source": "a", "targetTags": ["x"] * 101}, "targetTags", "invalid_value", "100"),
        ({"source": "a", "targetTags": ["ok", "x@y"]}, "targetTags.1", "invalid_value", "digest"),
        ({"source": "a", "targetTags": [5, "ok:1", "BAD"]}, "targetTags.2", "invalid_value", "repository"),
        ({"source": "a", "targetTags": ["x.example/app:1"]}, "targetTags.0", "invalid_value", "targetRegistry"),
        ({"source": "a", UNTAGGED: ["a:1"]}, f"{UNTAGGED}.0", "invalid_value", "alone"),
        ({"source": "a", UNTAGGED: ["x.example/app"]}, f"{UNTAGGED}.0", "invalid_value", "alone"),
        ({"source": "a", "mode": "force"}, "mode", "invalid_value", "NoForce"),
        ({"source": "a", "mode": None}, "mode", "invalid_value", "NoForce"),
        ({"source": "a", "targetRegistry": 5}, "targetRegistry", "invalid_value", "string"),
        ({"source": "a" * 2000}, "source", "invalid_value", "1024"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_reason(body: dict[str, Any], field: str, code: str, words: str) -> None:
    """The path in the JSON that was sent, a stable code, and words about what it should be."""
    problems = [problem for problem in refused(body).problems if problem.target == field]

    assert (code, True) in {(problem.code, words in problem.message) for problem in problems}


def test_a_contradiction_is_named_beside_what_is_wrong_by_itself() -> None:
    """Neither of the two is silently preferred, and neither hides the other."""
    problems = refused({"source": "a", "target": "B", "targetTags": ["c"]}).problems

    assert {("contradiction", "targetTags"), ("invalid_value", "target")} <= {(p.code, p.target) for p in problems}


def test_a_field_name_from_outside_is_made_safe() -> None:
    """It comes back in the error, so it is one line, and not longer than it has to be."""
    [problem] = refused({"source": "a", "x\r\n\x1b[31m" + "y" * 10_000: 1}).problems

    assert problem.target.startswith("x")
    assert problem.target.isprintable()
    assert len(problem.target) < 100


@pytest.mark.parametrize(("form", "field"), [({"target": "app"}, "target"), ({}, "targetRegistry")])
def test_without_a_default_the_target_registry_must_be_named(form: dict[str, Any], field: str) -> None:
    """The error names the app setting that would give one."""
    [problem] = refused({"source": "a", **form}, None).problems

    assert problem.target == field
    assert "TRANSLOAD_DEFAULT_TARGET_REGISTRY" in problem.message


def test_a_body_that_is_no_object_has_no_field_to_name() -> None:
    """One sentence about the whole of it."""
    error = refused(b"[]")

    assert "not a JSON object" in error.message
    assert error.problems == ()


@pytest.mark.parametrize(
    "credentials",
    [
        {"username": "u", "password": ["hunter2"]},
        {"username": 5, "password": "hunter2"},
        {"username": ["hunter2"], "password": ""},
        {"username": "u", "password": "hunter2", "token": "hunter2"},
        {"username": "u", "secret": "hunter2"},
        "hunter2",
        ["hunter2"],
    ],
)
def test_an_error_about_credentials_does_not_repeat_them(credentials: object) -> None:
    """The words say which field is wrong, never what stood in it."""
    error = refused({"source": {"sourceImage": "a", "credentials": credentials}})

    assert "credentials" in error.message
    assert "hunter2" not in repr((error.message, error.action, error.problems))
    assert error.__cause__ is None


_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["a:1", "x.example/a", DIGEST]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ["source", "target", "targetRegistry", "targetTags", "untaggedTargetRepositories", "mode"]
_SOURCE = st.dictionaries(st.sampled_from(["registryUri", "resourceId", "sourceImage", "credentials"]), _VALUE)


@given(
    body=st.dictionaries(st.sampled_from(_FIELDS), _VALUE | _SOURCE, max_size=6),
    default_target=st.none() | st.just("here.azurecr.io"),
)
def test_any_json_is_a_request_or_an_error_that_names_fields(body: dict[str, Any], default_target: str | None) -> None:
    """No body makes the reader stumble; what it accepts has a source and somewhere to go."""
    try:
        request = read_import_request(json.dumps(body).encode(), default_target=default_target)
    except InvalidRequestError as error:
        assert error.problems  # noqa: PT017 (both outcomes are right)
    else:
        assert request.targets
        assert len({target.registry for target in request.targets}) == 1
