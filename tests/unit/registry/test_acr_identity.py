"""An Entra identity at an ACR: exchange, access tokens, and the one host that may see either."""

import asyncio
from urllib.parse import parse_qs

import httpx
import pytest

from importcore.errors import AuthenticationError, UnsafeUrlError
from importcore.registry.credentials import AcrAccessToken, AcrIdentity, Credential, UserPassword
from importcore.registry.tokens import Token
from tests.unit.registry.scripted import REGISTRY, URL, client_of, jwt

ENTRA = jwt(tid="a-tenant")
REFRESH = jwt(grant_type="refresh_token", exp=4_000_000_000)
DIGEST = "sha256:" + "0" * 64


class Acr:
    """An ACR with its own token service.

    Attributes:
        forms: What was sent to the token service.
        refused: The refresh tokens that it does not take; it gives `refresh-1`, `refresh-2` and so on.
    """

    def __init__(self, realm: str = f"{URL}/oauth2/token", *, service: str = f',service="{REGISTRY}"') -> None:
        self._challenge = {"WWW-Authenticate": f'Bearer realm="{realm}"{service}'}
        self.forms: list[tuple[str, dict[str, list[str]]]] = []
        self.refused: set[str] = set()
        self._exchanges = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Exchange, give access tokens, or answer for a manifest."""
        if request.url.path.startswith("/oauth2/"):
            form = parse_qs(request.content.decode())
            self.forms.append((request.url.path, form))
            if request.url.path == "/oauth2/exchange":
                self._exchanges += 1
                return httpx.Response(200, json={"refresh_token": f"refresh-{self._exchanges}", "expires_in": 9_999})
            if self.refused.intersection(form["refresh_token"]):
                return httpx.Response(401)
            return httpx.Response(200, json={"access_token": "access"})
        if request.headers.get("authorization") != "Bearer access":
            return httpx.Response(401, headers=self._challenge)
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})


async def entra_token() -> str:
    """What azure-identity would give."""
    return ENTRA


async def test_an_entra_token_becomes_a_refresh_token_and_then_an_access_token() -> None:
    """As in Azure/acr, docs/AAD-OAuth.md."""
    acr = Acr()
    client, _ = client_of(acr, AcrIdentity(entra_token))

    assert await client.head_manifest("a", "1") == DIGEST

    assert acr.forms == [
        (
            "/oauth2/exchange",
            {"grant_type": ["access_token"], "service": [REGISTRY], "access_token": [ENTRA], "tenant": ["a-tenant"]},
        ),
        (
            "/oauth2/token",
            {
                "grant_type": ["refresh_token"],
                "service": [REGISTRY],
                "scope": ["repository:a:pull"],
                "refresh_token": ["refresh-1"],
            },
        ),
    ]


async def test_the_refresh_token_is_kept_for_every_scope() -> None:
    """Ten repositories at once need one exchange."""
    acr = Acr()
    client, _ = client_of(acr, AcrIdentity(entra_token))

    await asyncio.gather(*(client.head_manifest(f"a{n}", "1") for n in range(10)))

    paths = [path for path, _ in acr.forms]
    assert paths.count("/oauth2/exchange") == 1
    assert paths.count("/oauth2/token") == 10


async def test_a_kept_refresh_token_that_is_refused_is_replaced_at_once() -> None:
    """It ended, or the identity's rights changed: the next request gets another, and nobody sees the refusal."""
    acr = Acr()
    client, _ = client_of(acr, AcrIdentity(entra_token))
    await client.head_manifest("a", "1")
    acr.refused.add("refresh-1")

    assert await client.head_manifest("b", "1") == DIGEST

    tried = [form["refresh_token"] for path, form in acr.forms if path == "/oauth2/token"]
    assert tried == [["refresh-1"], ["refresh-1"], ["refresh-2"]]


async def test_a_new_refresh_token_that_is_refused_ends_it_and_is_not_kept() -> None:
    """One exchange for a request; the next one begins with another."""
    acr = Acr()
    acr.refused.add("refresh-1")
    client, _ = client_of(acr, AcrIdentity(entra_token))

    with pytest.raises(AuthenticationError):
        await client.head_manifest("a", "1")
    assert [path for path, _ in acr.forms] == ["/oauth2/exchange", "/oauth2/token"]

    assert await client.head_manifest("a", "1") == DIGEST


async def test_several_scopes_are_sent_one_by_one() -> None:
    """ACR takes the field again and again."""
    acr = Acr()
    client, _ = client_of(acr, AcrIdentity(entra_token))

    await client.send("GET", "/v2/a/x", "a", "mount blob", also_pull_from="b")

    assert acr.forms[-1][1]["scope"] == ["repository:a:pull", "repository:b:pull"]


async def test_a_challenge_without_a_service_means_the_registry() -> None:
    """The field is required by the exchange."""
    acr = Acr(service="")
    client, _ = client_of(acr, AcrIdentity(entra_token))

    await client.head_manifest("a", "1")

    assert {form["service"][0] for _, form in acr.forms} == {REGISTRY}


@pytest.mark.parametrize("credential", [AcrIdentity(entra_token), AcrAccessToken(ENTRA), AcrAccessToken(REFRESH)])
@pytest.mark.parametrize("realm", ["https://evil.example/oauth2/token", f"https://{REGISTRY}:444/oauth2/token"])
async def test_neither_token_goes_to_another_origin(credential: Credential, realm: str) -> None:
    """A registry that names a token service elsewhere gets nothing at all."""
    client, script = client_of(Acr(realm), credential)

    with pytest.raises(UnsafeUrlError, match="another host") as caught:
        await client.head_manifest("a", "1")

    assert [request.url.path for request in script.requests] == ["/v2/a/manifests/1"]
    assert ENTRA not in caught.value.message


@pytest.mark.parametrize(
    ("secret", "paths"), [(ENTRA, ["/oauth2/exchange", "/oauth2/token"]), (REFRESH, ["/oauth2/token"])]
)
async def test_a_token_in_place_of_a_password_is_used_for_what_it_is(secret: str, paths: list[str]) -> None:
    """An ACR refresh token says so in its claims; any other is exchanged first."""
    acr = Acr()
    client, _ = client_of(acr, AcrAccessToken(secret))

    await client.head_manifest("a", "1")

    assert [path for path, _ in acr.forms] == paths


async def test_an_identity_without_rights_is_told_so() -> None:
    """By the exchange's own 401, which comes once."""

    def registry(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/exchange":
            return httpx.Response(401, json={"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]})
        return Acr()(request)

    client, script = client_of(registry, AcrIdentity(entra_token))

    with pytest.raises(AuthenticationError, match=r"UNAUTHORIZED: who\?") as caught:
        await client.head_manifest("a", "1")

    assert len(script.requests) == 2
    assert caught.value.step == "get a token"


@pytest.mark.parametrize("value", [AcrAccessToken(ENTRA), UserPassword("robot", ENTRA), Token(ENTRA, 0.0)])
def test_no_credential_prints_its_secret(value: object) -> None:
    """Not even to a debugger."""
    assert ENTRA not in repr(value)
