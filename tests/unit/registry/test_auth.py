"""From a challenge to a header: lazily, cached by scope, one request for a token at a time, and to nobody else."""

import asyncio
import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from importcore.errors import AuthenticationError, RegistryUnavailableError, Side, UnsafeUrlError
from importcore.registry.auth import TOKENS_AT_MOST
from importcore.registry.credentials import Anonymous, UserPassword
from tests.unit.registry.scripted import (
    CHALLENGE,
    REGISTRY,
    TOKENS,
    TokenService,
    client_of,
    jwt,
    streamed,
)

DIGEST = "sha256:" + "0" * 64
BASIC = "Basic " + base64.b64encode(b"robot:hunter2").decode()


def found(request: httpx.Request) -> httpx.Response:  # noqa: ARG001 (what a script is called with)
    """Every manifest is there."""
    return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})


def token_host() -> str:
    """Where tokens are to be had."""
    return httpx.URL(TOKENS).host


async def test_a_registry_that_asks_for_nothing_gets_nothing() -> None:
    """The first request goes without Authorization, whoever we are."""
    client, script = client_of(found, UserPassword("robot", "hunter2"))

    await client.head_manifest("a", "1")

    assert [request.headers.get("authorization") for request in script.requests] == [None]


async def test_a_challenge_is_answered_and_remembered() -> None:
    """One 401 for the first request, none for the second; one token for both."""
    service = TokenService(found)
    client, script = client_of(service)

    assert await client.head_manifest("a", "1") == DIGEST
    assert await client.head_manifest("a", "2") == DIGEST

    sent = [request.headers.get("authorization") for request in script.asked()]
    assert sent == [None, "Bearer token-1", "Bearer token-1"]
    [asked] = script.asked(token_host())
    assert dict(asked.url.params) == {"service": REGISTRY, "scope": "repository:a:pull"}
    assert "authorization" not in asked.headers


async def test_each_scope_has_its_own_token() -> None:
    """A token for one repository is not shown for another."""
    client, script = client_of(TokenService(found))

    for repository in ("a", "b", "a", "b"):
        await client.head_manifest(repository, "1")

    assert [request.url.params["scope"] for request in script.asked(token_host())] == [
        "repository:a:pull",
        "repository:b:pull",
    ]
    assert [r.headers.get("authorization") for r in script.asked()[-2:]] == ["Bearer token-1", "Bearer token-2"]


async def test_so_many_tokens_are_kept_and_the_oldest_goes() -> None:
    """A hostile token service gives large ones, and a worker may ask for any number of repositories while it lives."""
    client, script = client_of(TokenService(found))

    for repository in [*map(str, range(TOKENS_AT_MOST + 1)), str(TOKENS_AT_MOST), "0"]:
        await client.head_manifest(repository, "1")

    asked = [request.url.params["scope"] for request in script.asked(token_host())]
    assert len(asked) == TOKENS_AT_MOST + 2
    assert asked[-1] == "repository:0:pull"


async def test_twenty_requests_at_once_ask_for_one_token() -> None:
    """Nineteen wait for the first."""
    service = TokenService(found)
    client, _ = client_of(service)

    digests = await asyncio.gather(*(client.head_manifest("a", str(n)) for n in range(20)))

    assert digests == [DIGEST] * 20
    assert service.given == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    """One whose life is nearly over is not sent any more."""
    service = TokenService(found, life=1e-9)
    client, script = client_of(service)

    await client.head_manifest("a", "1")
    await client.head_manifest("a", "1")

    assert [r.headers.get("authorization") for r in script.asked()] == [None, "Bearer token-1", "Bearer token-2"]


async def test_a_token_that_was_revoked_is_replaced_once() -> None:
    """The request is repeated with a new one, body and all."""
    service = TokenService(lambda _: httpx.Response(201))
    client, script = client_of(service, side=Side.TARGET)
    first = await client.send("PUT", "/v2/a/x", "a", "put", content=b"body", accept=(201,))
    service.revoked.add("Bearer token-1")

    again = await client.send("PUT", "/v2/a/x", "a", "put", content=b"body", accept=(201,))

    assert (first.status_code, again.status_code) == (201, 201)
    assert script.asked()[-1].headers["authorization"] == "Bearer token-2"
    assert script.asked()[-1].content == b"body"


async def test_a_fresh_token_that_is_refused_ends_it() -> None:
    """Two requests and one token; then it is the credential's fault."""
    service = TokenService(lambda _: httpx.Response(401, headers=CHALLENGE))
    client, script = client_of(service)

    with pytest.raises(AuthenticationError) as caught:
        await client.head_manifest("a", "1")

    assert (len(script.asked()), service.given) == (2, 1)
    assert caught.value.reference == "a:1"


async def test_a_streamed_body_is_never_sent_twice() -> None:
    """Its 401 stands; the next request has a token that is new."""

    async def chunk() -> AsyncIterator[bytes]:
        yield b"chunk"

    service = TokenService(lambda _: httpx.Response(202))
    client, script = client_of(service, side=Side.TARGET)
    await client.send("GET", "/v2/", "a", "warm up", accept=(202,))
    service.revoked.add("Bearer token-1")

    with pytest.raises(AuthenticationError):
        await client.send("PATCH", "/v2/a/u", "a", "send chunk", content=chunk(), accept=(202,))
    await client.send("PATCH", "/v2/a/u", "a", "send chunk", content=chunk(), accept=(202,))

    patches = [r.headers.get("authorization") for r in script.asked() if r.method == "PATCH"]
    assert patches == ["Bearer token-1", "Bearer token-2"]


async def test_basic_is_answered_with_basic() -> None:
    """Registries without a token service take the credential itself."""

    def registry(request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != BASIC:
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        return found(request)

    client, script = client_of(registry, UserPassword("robot", "hunter2"))

    await client.head_manifest("a", "1")
    await client.head_manifest("a", "1")

    assert [request.headers.get("authorization") for request in script.requests] == [None, BASIC, BASIC]


@pytest.mark.parametrize("credential", [Anonymous(), UserPassword("robot", "wrong")])
async def test_basic_that_is_refused_or_cannot_be_given_ends_it(credential: Anonymous | UserPassword) -> None:
    """Nothing is repeated with the same header."""
    client, script = client_of(
        lambda _: httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="r"'}), credential
    )

    with pytest.raises(AuthenticationError):
        await client.head_manifest("a", "1")

    assert len(script.requests) == (2 if credential.basic else 1)


async def test_a_token_service_is_preferred_and_gets_the_credential() -> None:
    """Where a registry offers both, in whichever order."""
    challenge = {"WWW-Authenticate": f'Basic realm="r", {CHALLENGE["WWW-Authenticate"]}'}
    client, script = client_of(TokenService(found, challenge=challenge), UserPassword("robot", "hunter2"))

    await client.head_manifest("a", "1")

    [asked] = script.asked(token_host())
    assert asked.headers["authorization"] == BASIC
    assert BASIC not in [request.headers.get("authorization") for request in script.asked()]


@pytest.mark.parametrize("header", ["", "Negotiate", "Bearer", 'Bearer service="s"', "nonsense =,"])
async def test_a_401_that_says_nothing_useful_stands(header: str) -> None:
    """There is nowhere to ask for a token."""
    client, script = client_of(lambda _: httpx.Response(401, headers={"WWW-Authenticate": header}))

    with pytest.raises(AuthenticationError):
        await client.head_manifest("a", "1")

    assert len(script.requests) == 1


async def test_no_authorization_crosses_to_another_origin() -> None:
    """A redirect to storage is followed without the token, and its 401 is no challenge to us."""

    def registry(_: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"Location": "https://storage.example/blob?sig=secret"})

    service = TokenService(registry)

    def everything(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.example":
            return httpx.Response(401, headers=CHALLENGE)
        return service(request)

    client, script = client_of(everything, UserPassword("robot", "hunter2"))

    with pytest.raises(RegistryUnavailableError, match="the storage behind") as caught:
        await client.get_manifest("a", "1")

    [stored] = script.asked("storage.example")
    assert "authorization" not in stored.headers
    assert service.given == 1
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("realm", ["http://auth.example/token", "/token", "token", "https://", "http://[x"])
async def test_a_token_service_without_https_is_not_asked(realm: str) -> None:
    """Nor one that is no URL; the password stays here."""
    client, script = client_of(
        lambda _: httpx.Response(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'}),
        UserPassword("robot", "hunter2"),
    )

    with pytest.raises(UnsafeUrlError) as caught:
        await client.head_manifest("a", "1")

    assert len(script.requests) == 1
    assert caught.value.origin is Side.SOURCE


async def test_a_missing_right_is_explained_from_the_token() -> None:
    """A token service grants less without a word; the token itself says what."""
    token = jwt(access=[{"type": "repository", "name": "a", "actions": ["pull"]}])

    def registry(request: httpx.Request) -> httpx.Response:
        if request.url.host == token_host():
            return httpx.Response(200, json={"access_token": token})
        return httpx.Response(401, headers=CHALLENGE)

    client, _ = client_of(registry, UserPassword("robot", "hunter2"), Side.TARGET)

    with pytest.raises(AuthenticationError) as caught:
        await client.send("POST", "/v2/a/blobs/uploads/", "a", "mount blob", also_pull_from="b")

    assert "lacks push on a; pull on b" in caught.value.message
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    "token", ["opaque", "a.b.c", jwt(access="all"), jwt(access=[{"type": "repository", "name": "a", "actions": ["*"]}])]
)
async def test_a_token_that_says_nothing_explains_nothing(token: str) -> None:
    """An opaque token, a broken one, or one that grants everything."""

    def registry(request: httpx.Request) -> httpx.Response:
        if request.url.host == token_host():
            return httpx.Response(200, json={"token": token})
        return httpx.Response(401, headers=CHALLENGE)

    client, _ = client_of(registry)

    with pytest.raises(AuthenticationError) as caught:
        await client.head_manifest("a", "1")

    assert "lacks" not in caught.value.message


async def test_a_401_that_cannot_be_decoded_is_a_401() -> None:
    """It says that it is compressed and is not; only its headers matter."""

    def registry(request: httpx.Request) -> httpx.Response:
        if request.url.host == token_host():
            return httpx.Response(200, json={"token": "t"})
        return streamed(401, b"junk", Content_Encoding="gzip", **CHALLENGE)

    client, script = client_of(registry)

    with pytest.raises(AuthenticationError):
        await client.head_manifest("a", "1")

    assert [request.headers.get("authorization") for request in script.asked()] == [None, "Bearer t"]
