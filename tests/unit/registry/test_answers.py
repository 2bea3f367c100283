"""What a registry's answer means: status and code to the error tree, and words that are safe to show."""

import base64
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.errors import (
    AccessDeniedError,
    AuthenticationError,
    BodyTooLargeError,
    MissingContentError,
    NotFoundError,
    RateLimitedError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    UploadSessionLostError,
)
from importcore.registry.answers import error_codes, error_for, unavailable

ASKED = httpx.Request("GET", "https://r.example/v2/a/manifests/1")


def body(*codes: str, message: str = "said so") -> bytes:
    """An error body in the spec's form."""
    return json.dumps({"errors": [{"code": code, "message": message, "detail": {"x": 1}} for code in codes]}).encode()


def error(status: int, content: bytes = b"", *, step: str = "get manifest", **headers: str) -> RegistryError:
    """The error for an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_for(
        httpx.Response(status, headers=named, request=ASKED),
        content,
        registry="r.example",
        step=step,
        side=Side.TARGET,
        reference="a:1",
    )


@pytest.mark.parametrize(
    ("status", "content", "step", "kind"),
    [
        (400, b"", "get manifest", RegistryError),
        (401, b"", "get manifest", AuthenticationError),
        (401, body("UNAUTHORIZED"), "get manifest", AuthenticationError),
        (401, body("MANIFEST_UNKNOWN"), "get manifest", AuthenticationError),
        (403, body("DENIED"), "get manifest", AccessDeniedError),
        (403, body("NAME_UNKNOWN"), "get manifest", AccessDeniedError),
        (404, b"", "get manifest", NotFoundError),
        (404, body("MANIFEST_UNKNOWN"), "get manifest", NotFoundError),
        (404, body("BLOB_UPLOAD_UNKNOWN"), "send chunk", UploadSessionLostError),
        (404, body("BLOB_UPLOAD_INVALID"), "send chunk", UploadSessionLostError),
        (400, body("BLOB_UPLOAD_INVALID"), "send chunk", UploadSessionLostError),
        (416, body("BLOB_UPLOAD_INVALID"), "send chunk", UploadSessionLostError),
        (416, b"", "send chunk", RegistryError),
        (404, body("MANIFEST_BLOB_UNKNOWN"), "put manifest", MissingContentError),
        (400, body("BLOB_UNKNOWN"), "put manifest", MissingContentError),
        (404, body("BLOB_UNKNOWN"), "read blob", NotFoundError),
        (405, b"", "ask upload status", RegistryError),
        (408, b"", "get manifest", RegistryUnavailableError),
        (413, b"<html>", "send chunk", BodyTooLargeError),
        (416, body("SIZE_INVALID", message="chunk Too Large"), "send chunk", BodyTooLargeError),
        (400, b"request body too large", "send chunk", BodyTooLargeError),
        (429, b"", "get manifest", RateLimitedError),
        (400, body("TOOMANYREQUESTS"), "get manifest", RateLimitedError),
        (500, b"", "get manifest", RegistryUnavailableError),
        (503, b"<html>", "get manifest", RegistryUnavailableError),
        (599, b"", "get manifest", RegistryUnavailableError),
        (200, b"", "put manifest", RegistryError),
    ],
)
def test_status_and_code_make_the_error(status: int, content: bytes, step: str, kind: type[RegistryError]) -> None:
    """404 means absent, 401 and 403 never do."""
    assert type(error(status, content, step=step)) is kind


def test_an_error_tells_who_said_what_to_what() -> None:
    """Registry, status, step, reference, codes and the time that was asked for."""
    found = error(429, body("TOOMANYREQUESTS", message="slow down"), Retry_After="30")

    assert found.message == "r.example answered 429 to: get manifest a:1 (TOOMANYREQUESTS: slow down)"
    assert (found.registry, found.status, found.retry_after) == ("r.example", 429, 30)
    assert (found.origin, found.step, found.reference) == (Side.TARGET, "get manifest", "a:1")
    assert found.answers == ("TOOMANYREQUESTS: slow down",)


def test_a_locked_tag_is_told_from_a_missing_right() -> None:
    """The right is there, so granting another one would not help."""
    assert "locked" in error(405, body("REGISTRY_DISALLOWED_OPERATION")).action
    assert "AcrPush" in error(403, body("DENIED")).action


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b"\xff\x00",
        b"[" * 100_000,
        b"[]",
        b'{"errors": null}',
        b'{"errors": {"code": "X"}}',
        b'{"errors": ["X", 5, null]}',
        b'{"error": "invalid_grant"}',
    ],
)
def test_a_body_in_another_form_has_no_codes(content: bytes) -> None:
    """A proxy's HTML, nothing, or JSON of somebody else."""
    assert error_codes(content, ASKED) == ()
    assert error(502, content).message == "r.example answered 502 to: get manifest a:1"


def test_an_endless_list_of_errors_stays_short() -> None:
    """Five are enough, and none is longer than a line."""
    found = error(400, body(*["CODE" * 100] * 1000, message="m" * 10_000))

    assert len(found.answers) == 5
    assert len(found.message) < 2500


def test_codes_and_messages_need_not_be_text() -> None:
    """What is missing is left out, what is a number is shown."""
    content = json.dumps({"errors": [{"code": 7}, {"message": "only words"}, {}]}).encode()

    assert error(400, content).answers == ("7", ": only words", "")


def test_words_of_a_registry_are_made_safe() -> None:
    """No query string, no line break, no terminal sequence reaches a log."""
    content = body("X\n\x1b[31m", message="see https://r.example/u?_state=secret\r\nforged line")

    found = error(400, content)

    assert "secret" not in found.message
    assert found.message.isprintable()
    assert all(answer.isprintable() for answer in found.answers)


@given(status=st.integers(400, 599), content=st.binary(max_size=200), step=st.sampled_from(["put manifest", "x"]))
def test_any_answer_is_an_error_that_can_be_shown(status: int, content: bytes, step: str) -> None:
    """Whatever stands in the body; and 401 and 403 never come to mean absent."""
    found = error(status, content, step=step)

    assert found.message.isprintable()
    assert found.status == status
    if status in {401, 403}:
        assert not isinstance(found, NotFoundError)


def test_an_answer_that_never_came_says_why() -> None:
    """In the network's own words, made safe; or at least the kind of fault."""
    reset = unavailable(
        httpx.ReadError("reset by https://r.example/u?sig=secret"), "r.example", "send chunk", Side.TARGET
    )
    silent = unavailable(httpx.ReadTimeout(""), "r.example", "send chunk", reference="a:1")

    assert reset.message == "r.example did not answer to: send chunk (reset by https://r.example/u?…)"
    assert silent.message == "r.example did not answer to: send chunk a:1 (ReadTimeout)"
    assert reset.retryable


BASIC = base64.b64encode(b"user:secret").decode()


@pytest.mark.parametrize(
    ("request_", "secrets"),
    [
        (httpx.Request("GET", "https://r.example/x", headers={"Authorization": "Bearer to.k-en"}), ["to.k-en"]),
        (httpx.Request("GET", "https://r.example/x", headers={"Authorization": f"Basic {BASIC}"}), ["secret", BASIC]),
        (httpx.Request("PUT", "https://r.example/x?_state=signed%2Bstate&digest=sha256:0"), ["signed+state"]),
        (httpx.Request("POST", "https://r.example/x", data={"refresh_token": "re fresh"}), ["re fresh", "re+fresh"]),
    ],
)
def test_an_error_does_not_repeat_what_was_confided(request_: httpx.Request, secrets: list[str]) -> None:
    """Whatever a registry says again of what it was sent: a header, a password, a state, a form."""
    said = body("DENIED", message=f"the digest sha256:0 is not {' nor '.join(secrets)}")
    found = error_for(httpx.Response(403, request=request_), said, registry="r.example", step="ask")

    assert found.answers == (f"DENIED: the digest sha256:0 is not {' nor '.join('…' for _ in secrets)}",)
