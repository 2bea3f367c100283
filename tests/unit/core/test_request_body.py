"""The body of a request: an object of JSON, and the grammar of its fields one by one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from importcore.errors import InvalidRequestError
from importcore.request.body import BODY_BYTES_AT_MOST, ImportBody, SourceBody, decode_object


def wrong(**fields: object) -> set[str]:
    """The paths of the fields that a body is refused for, without the place in a list or a union."""
    with pytest.raises(ValidationError) as caught:
        ImportBody.model_validate({"source": "a", **fields})
    return {str(problem["loc"][0]) for problem in caught.value.errors()}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "no body"),
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"source": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b'"alpine"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"source": "a", "source": "b"}', "twice"),
        (b'{"source": {"sourceImage": "a", "sourceImage": "b"}}', "twice"),
        (b'{"source": [{"a": 1, "\\u0061": 1}]}', "twice"),
        (b" " * (BODY_BYTES_AT_MOST + 1), "larger than"),
    ],
)
def test_a_body_that_is_no_object_says_so(sent: bytes, words: str) -> None:
    """Two readers must not be able to read it in two ways."""
    with pytest.raises(InvalidRequestError, match=words) as caught:
        decode_object(sent)

    assert caught.value.message.isprintable()
    assert caught.value.problems == ()


def test_the_largest_body_is_decoded() -> None:
    """As it is, blanks and all."""
    assert decode_object(b'{"source": "a"}'.ljust(BODY_BYTES_AT_MOST)) == {"source": "a"}


@given(
    st.binary(max_size=60) | st.text(alphabet='{}[]":,0ea\\u', max_size=40).map(lambda t: t.encode("utf-8", "replace"))
)
def test_any_bytes_are_an_object_or_an_error_of_the_tree(sent: bytes) -> None:
    """Whatever a stranger sends."""
    try:
        value = decode_object(sent)
    except InvalidRequestError as error:
        assert error.message.isprintable()  # noqa: PT017 (both outcomes are right)
    else:
        assert value == json.loads(sent)


def test_a_source_is_all_that_is_required() -> None:
    """What is left out brings the image as it is, with its referrers, and overwrites nothing."""
    body = ImportBody.model_validate({"source": "a"})

    assert (body.source, body.mode, body.includeReferrers) == ("a", "NoForce", True)
    assert (body.verify, body.validateOnly, body.backupTag, body.tags) == (False, False, None, None)
    assert body.platforms == body.artifactTypes == body.targetTags == body.untaggedTargetRepositories == []


def test_a_source_is_a_text_or_an_object_in_acrs_words() -> None:
    """ACR's own names, in camel case."""
    acr = {"registryUri": "x.example", "sourceImage": "a:1", "credentials": {"username": "u", "password": "p"}}

    source = ImportBody.model_validate({"source": acr}).source

    assert isinstance(source, SourceBody)
    assert source.model_dump(exclude_none=True) == acr


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platforms", ["linux"]),
        ("platforms", ["Linux/amd64"]),
        ("platforms", ["linux/amd64/v1/x"]),
        ("platforms", ["linux/amd64\n"]),
        ("platforms", ["linux//v1"]),
        ("platforms", ["a/b"] * 51),
        ("platforms", "linux/amd64"),
        ("artifactTypes", [""]),
        ("artifactTypes", ["t"] * 51),
        ("includeReferrers", "false"),
        ("includeReferrers", 0),
        ("verify", None),
        ("validateOnly", "yes"),
        ("backupTag", 5),
        ("mode", "FORCE"),
        ("repositories", []),
        ("repositories", ["a"] * 101),
        ("targetTemplate", ""),
        ("tags", ["1.*"]),
        ("tags", {"newest": 0}),
        ("tags", {"newest": 1001}),
        ("tags", {"newest": True}),
        ("tags", {"include": ["*"] * 51}),
        ("tags", {"sameDigest": "true"}),
        ("tags", {"latest": 1}),
    ],
)
def test_a_field_outside_its_grammar_is_refused(field: str, value: object) -> None:
    """A wrong type is not converted, and nothing is cut to fit."""
    assert wrong(**{field: value}) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platforms", ["linux/amd64", "linux/arm64/v8", "linux/ppc64le", "windows/amd64", "linux/mips64_le"]),
        ("artifactTypes", ["application/vnd.example.sbom"] * 50),
        ("backupTag", "{tag}-{digest8}"),
        ("mode", "Force"),
        ("repositories", ["team/*"]),
        ("tags", {"include": ["1.*"], "exclude": ["*-rc*"], "semver": ">=1", "newest": 1000}),
        ("tags", {"sameDigest": True}),
    ],
)
def test_a_field_within_its_grammar_is_taken_as_it_is(field: str, value: Any) -> None:  # noqa: ANN401 (any field)
    """Nothing is added and nothing is left out."""
    body = ImportBody.model_validate({"source": "a", field: value})

    assert body.model_dump(exclude_unset=True)[field] == value


def test_no_value_stands_in_an_error() -> None:
    """It may be a password at the wrong place."""
    with pytest.raises(ValidationError) as caught:
        ImportBody.model_validate({"source": {"sourceImage": "a", "credentials": {"password": ["hunter2"]}}})

    assert "hunter2" not in str(caught.value)
