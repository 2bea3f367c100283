"""The token services: distribution's, which any registry may use, and ACR's, which also takes Entra tokens.

Sources: distribution, "Token Authentication Specification" (GET with Basic); Azure/acr, docs/AAD-OAuth.md
(`/oauth2/exchange`, `/oauth2/token`). A token server grants what it likes: a smaller grant is no error here, the
registry then answers 401 to the request itself, and `granted` tells what was missing.
"""

import base64
import binascii
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from importcore.errors import NotFoundError, RegistryError, RegistryUnavailableError, UnsafeUrlError
from importcore.registry.answers import error_for, unavailable
from importcore.registry.challenge import Challenge
from importcore.registry.origin import netloc_of, same_origin
from importcore.registry.transport import REPEATABLE

_DEFAULT_LIFE = 60.0  # distribution: "if omitted, this defaults to 60 seconds"
_EARLY_AT_MOST = 120.0
_LIFE_AT_MOST = 24 * 3600.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")  # what can stand in a header field: no space, no line break
_ANSWER_AT_MOST = 256 * 1024


@dataclass(frozen=True, slots=True)
class Token:
    """A token and when to stop using it, on the clock of `time.monotonic`."""

    value: str = field(repr=False)
    renew_at: float

    @property
    def is_fresh(self) -> bool:
        """Whether it may still be used; it is given up some time before it ends."""
        return time.monotonic() < self.renew_at


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A wish for a token: for which registry, at which realm, for what."""

    http: httpx.AsyncClient
    registry: str
    registry_url: httpx.URL
    challenge: Challenge
    scopes: tuple[str, ...]

    def realm(self) -> httpx.URL:
        """The token service's URL.

        Raises:
            UnsafeUrlError: The challenge names none, or one over plain http for a registry that is not.
        """
        try:
            url = httpx.URL(self.challenge.realm)
            netloc_of(url)  # its host can be written as it must be for a connection
        except (httpx.InvalidURL, ValueError) as error:
            raise UnsafeUrlError(f"{self.registry} names a token service that is no URL") from error
        if url.scheme not in {"https", self.registry_url.scheme} or not url.host:
            raise UnsafeUrlError(f"{self.registry} names a token service without https")
        return url


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of a JWT without verifying it (its reader does); empty when it is none."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 (header, claims, signature: RFC 7519)
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def granted(token: str) -> tuple[str, ...] | None:
    """Tell what a registry token allows, as scopes; None when it does not say."""
    access = claims_of(token).get("access")
    if not isinstance(access, list):
        return None
    found = []
    for entry in access:
        actions = entry.get("actions") if isinstance(entry, dict) else None
        if isinstance(actions, list):
            found.append(f"{entry.get('type')}:{entry.get('name')}:{','.join(map(str, actions))}")
    return tuple(found)


def lacking(token: str, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Tell what a registry token does not allow of the scopes, as "push on app"; none when it does not say."""
    has = granted(token)
    if has is None:
        return ()
    allowed: dict[str, set[str]] = {}
    for scope in has:
        resource, _, actions = scope.rpartition(":")
        allowed.setdefault(resource, set()).update(actions.split(","))
    found = []
    for scope in scopes:
        resource, _, actions = scope.rpartition(":")
        rest = set(actions.split(",")) - allowed.get(resource, set())
        if rest and "*" not in allowed.get(resource, set()):
            found.append(f"{', '.join(sorted(rest))} on {resource.removeprefix('repository:')}")
    return tuple(found)


async def distribution_token(wish: TokenRequest, authorization: str | None) -> Token:
    """Ask the realm for a token (GET, with Basic where there are credentials).

    Raises:
        AuthenticationError: The credentials were refused.
        RegistryUnavailableError: The token service did not answer, or not with a token.
    """
    realm = wish.realm()
    parameters = [("service", wish.challenge.service)] if wish.challenge.service else []
    parameters += [("scope", scope) for scope in wish.scopes]
    url = realm.copy_with(query=None).copy_merge_params([*realm.params.multi_items(), *parameters])
    headers = {"Authorization": authorization} if authorization else {}
    return await _ask(wish, _request(wish, "GET", url, headers=headers))


async def acr_refresh_token(wish: TokenRequest, entra_token: str) -> Token:
    """Exchange an Entra access token for an ACR refresh token, good for the whole registry.

    The Entra token goes to the registry itself and to nobody else: a realm on another origin is refused.

    Raises:
        UnsafeUrlError: The realm is not the registry's own.
        AuthenticationError: The registry does not know this identity.
    """
    realm = wish.realm()
    if not same_origin(realm, wish.registry_url):
        raise UnsafeUrlError(f"{wish.registry} names a token service on another host; it gets no Entra token")
    form = {"grant_type": "access_token", "service": _service(wish), "access_token": entra_token}
    tenant = claims_of(entra_token).get("tid")
    if isinstance(tenant, str):
        form["tenant"] = tenant
    return await _post(wish, realm.copy_with(path="/oauth2/exchange", query=None), form, "refresh_token")


async def acr_access_token(wish: TokenRequest, refresh_token: str) -> Token:
    """Get an ACR access token for the scopes from a refresh token.

    Raises:
        UnsafeUrlError: The realm is not the registry's own.
        AuthenticationError: The refresh token is not accepted (it ended, or the identity was removed).
    """
    realm = wish.realm()
    if not same_origin(realm, wish.registry_url):
        raise UnsafeUrlError(f"{wish.registry} names a token service on another host; it gets no refresh token")
    form = {
        "grant_type": "refresh_token",
        "service": _service(wish),
        "scope": list(wish.scopes),
        "refresh_token": refresh_token,
    }
    return await _post(wish, realm.copy_with(path="/oauth2/token", query=None), form, "access_token")


def _service(wish: TokenRequest) -> str:
    return wish.challenge.service or wish.registry


async def _post(wish: TokenRequest, url: httpx.URL, form: dict[str, Any], field_name: str) -> Token:
    return await _ask(wish, _request(wish, "POST", url, data=form), field_name)


def _request(wish: TokenRequest, method: str, url: httpx.URL, **parts: Any) -> httpx.Request:  # noqa: ANN401 (httpx's)
    # Asking twice gives two tokens and does no harm. Built by the client, for its headers: identity encoding above all.
    return wish.http.build_request(method, url, extensions={REPEATABLE: True}, **parts)


async def _ask(wish: TokenRequest, request: httpx.Request, field_name: str | None = None) -> Token:
    step = "get a token"
    try:
        response = await wish.http.send(request, auth=None, stream=True)
        body = await read_at_most(response, _ANSWER_AT_MOST)
    except httpx.RequestError as error:
        raise unavailable(error, wish.registry, step) from error
    if response.status_code != httpx.codes.OK:
        refusal = error_for(response, body, registry=wish.registry, step=step)
        if isinstance(refusal, NotFoundError):
            # The token service is not there; that says nothing about what the token was wanted for.
            raise RegistryError(refusal.message, registry=wish.registry, status=refusal.status, step=step)
        raise refusal
    answer = _json_object(body)
    value = answer.get(field_name) if field_name else answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise RegistryUnavailableError(
            f"the token service of {wish.registry} answered without a token",
            registry=wish.registry,
            step=step,
        )
    return Token(value, time.monotonic() + _usable_for(value, answer.get("expires_in")))


async def read_at_most(response: httpx.Response, limit: int) -> bytes:
    """Read a body that must be small, and close the response; what exceeds the limit is cut off."""
    if response.is_stream_consumed:  # the body of a 401, which was kept while a new token was fetched
        return response.content[:limit]
    pieces, size = [], 0
    try:
        async for piece in response.aiter_raw():
            pieces.append(piece)
            size += len(piece)
            if size >= limit:
                break
    finally:
        await response.aclose()
    return b"".join(pieces)[:limit]


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _usable_for(token: str, expires_in: object) -> float:
    """Seconds until a token should be renewed: a fifth of its life early, at most two minutes."""
    life, now = _DEFAULT_LIFE, time.time()
    expiry = claims_of(token).get("exp")
    if isinstance(expires_in, int | float) and expires_in > 0:
        life = min(expires_in, _LIFE_AT_MOST)
    elif isinstance(expiry, int | float):
        life = min(max(expiry, now), now + _LIFE_AT_MOST) - now
    return life - min(life / 5, _EARLY_AT_MOST)
