"""A token service in trouble, or a hostile one: it is named, and what it says is never believed blindly."""

import base64
import json
import math

import httpx
import pytest

from importcore.descriptors import Descriptor
from importcore.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    RegistryError,
    RegistryUnavailableError,
    TransloadError,
)
from importcore.registry.challenge import Challenge
from importcore.registry.credentials import Anonymous, UserPassword
from importcore.registry.tokens import TokenRequest
from tests.unit.registry.scripted import (
    CHALLENGE,
    REGISTRY,
    TOKENS,
    URL,
    Answer,
    ScriptedTransport,
    broken_off,
    client_of,
    jwt,
    streamed,
)

BLOB = Descriptor("application/octet-stream", "sha256:" + "0" * 64, 1)


def with_token_service(answer: Answer) -> Answer:
    """A registry that always asks for a token, and the token service's answer."""

    def registry(request: httpx.Request) -> httpx.Response:
        return answer(request) if request.url.host == httpx.URL(TOKENS).host else streamed(401, **CHALLENGE)

    return registry


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda _: httpx.Response(401, json={"errors": [{"code": "UNAUTHORIZED"}]}), AuthenticationError),
        (lambda _: httpx.Response(403), AccessDeniedError),
        (lambda _: httpx.Response(404), RegistryError),
        (lambda _: httpx.Response(500), RegistryUnavailableError),
        (lambda _: httpx.Response(200, json={}), RegistryUnavailableError),
        (lambda _: httpx.Response(200, json={"token": 5}), RegistryUnavailableError),
        (lambda _: httpx.Response(200, json=["token"]), RegistryUnavailableError),
        (lambda _: httpx.Response(200, text="<html>"), RegistryUnavailableError),
        (lambda _: broken_off(200, b'{"token": "'), RegistryUnavailableError),
        (lambda _: streamed(200, *[b" " * 1024] * 1024), RegistryUnavailableError),
    ],
)
async def test_a_token_service_in_trouble_is_named(answer: Answer, kind: type[Exception]) -> None:
    """With the step, so that nobody looks for the fault at the registry."""
    client, _ = client_of(with_token_service(answer), UserPassword("robot", "hunter2"))

    with pytest.raises(kind) as caught:
        await client.head_manifest("a", "1")

    assert getattr(caught.value, "step", None) == "get a token"
    assert "hunter2" not in str(caught.value)


async def test_a_token_service_that_is_not_there_does_not_make_content_absent() -> None:
    """Its 404 is about itself: neither the manifest nor the blob was asked for."""
    client, _ = client_of(with_token_service(lambda _: streamed(404)))

    with pytest.raises(RegistryError) as manifest:
        await client.head_manifest("a", "1")
    with pytest.raises(RegistryError) as blob:
        await client.blob_exists("a", BLOB)

    assert not isinstance(manifest.value, NotFoundError)
    assert not isinstance(blob.value, NotFoundError)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"token": "t", "expires_in": ' + b"9" * 400 + b"}",
        json.dumps({"token": jwt(exp=10**400)}).encode(),
        json.dumps({"token": jwt(access=[{"type": "repository", "name": "a", "actions": 5}])}).encode(),
        json.dumps({"token": "h." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".s"}).encode(),
        json.dumps({"token": "t\u00e9"}).encode(),
        json.dumps({"token": "t\r\nX-Forged: 1"}).encode(),
    ],
    ids=["deep", "expires_in", "exp", "actions", "deep jwt", "not ascii", "line break"],
)
async def test_a_hostile_token_is_an_error_of_the_tree_and_forges_no_header(body: bytes) -> None:
    """Whatever stands in it or around it."""
    client, script = client_of(with_token_service(lambda _: streamed(200, body)))

    with pytest.raises(TransloadError):
        await client.head_manifest("a", "1")

    assert all("x-forged" not in request.headers for request in script.requests)
    assert all(request.headers.get("authorization", "").isprintable() for request in script.requests)


@pytest.mark.parametrize("life", ["1e999", "9" * 300, "Infinity"])
async def test_a_token_without_an_end_is_renewed_all_the_same(life: str) -> None:
    """A life that no service grants is not believed."""
    script = ScriptedTransport(lambda _: streamed(200, b'{"token": "t", "expires_in": ' + life.encode() + b"}"))
    async with httpx.AsyncClient(transport=script) as http:
        wish = TokenRequest(http, REGISTRY, URL, Challenge("bearer", {"realm": TOKENS}), ())

        token = await Anonymous().token(wish)

    assert token.is_fresh
    assert math.isfinite(token.renew_at)
