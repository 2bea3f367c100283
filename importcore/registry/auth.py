"""From a challenge to an `Authorization` header: lazily, cached by scope, one request for a token at a time.

How a request is authorized (distribution, "Token Authentication Specification", steps 1 to 6):
  1.  The first request to a registry goes without Authorization.
  2.  A 401 says how to authenticate; that is remembered for the registry.
  3a. Basic: the header is made from the credential.
  3b. Bearer: a token for the scopes of the request is fetched, cached until shortly before it ends, and sent.
  4.  A 401 to a request that had a token: the token is thrown away and the request repeated once with a new one,
      where its body can be repeated. Otherwise the 401 stands; whoever sent it asks what became of it.
"""

import asyncio
from collections.abc import AsyncGenerator
from weakref import WeakValueDictionary

import httpx

from importcore.errors import AuthenticationError
from importcore.registry.challenge import Challenge, parse_challenges
from importcore.registry.credentials import Credential
from importcore.registry.origin import same_origin
from importcore.registry.tokens import Token, TokenRequest, lacking, read_at_most

SCOPES = "transload.scopes"
"""Request extension: the scopes that the request needs, a tuple of strings; without it, those of the challenge."""


_CHALLENGE_BODY_AT_MOST = 64 * 1024
TOKENS_AT_MOST = 256
"""Kept for one registry and credential: a worker lives long, and a token may be as large as a registry likes."""


class RegistryAuth(httpx.Auth):
    """Authorizes the requests to one registry with one credential."""

    def __init__(self, http: httpx.AsyncClient, registry: str, url: httpx.URL, credential: Credential) -> None:
        self._http = http
        self._registry = registry
        self._url = url
        self._credential = credential
        self._challenge: Challenge | None = None
        self._tokens: dict[tuple[str, ...], Token] = {}
        self._single_flight: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = WeakValueDictionary()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with what is known, and once more after learning from a 401."""
        scopes: tuple[str, ...] = request.extensions.get(SCOPES, ())
        if not same_origin(request.url, self._url):
            yield request  # another host: it gets no Authorization, and its 401 is not a challenge to us
            return
        sent = await self._header(scopes)
        if sent:
            request.headers["Authorization"] = sent
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        challenge = self._choose(response)
        if challenge is None:
            return
        self._challenge = challenge
        self._tokens = {of: token for of, token in self._tokens.items() if sent != f"Bearer {token.value}"}
        if not isinstance(request.stream, httpx.ByteStream):
            return
        # httpx reads the answer whole before it sends again: a hostile one could be endless, so it gets a bounded body.
        response._content = await read_at_most(response, _CHALLENGE_BODY_AT_MOST)  # noqa: SLF001 (no public way)
        fresh = await self._header(scopes)
        if fresh is None or fresh == sent:
            return
        request.headers["Authorization"] = fresh
        yield request

    def missing(self, scopes: tuple[str, ...]) -> str | None:
        """Tell what the token for these scopes does not grant, in words; None when it does not say."""
        token = self._tokens.get(scopes)
        return "; ".join(lacking(token.value, scopes)) or None if token else None

    def _choose(self, response: httpx.Response) -> Challenge | None:
        offered = parse_challenges(response.headers.get_list("www-authenticate"))
        for challenge in offered:
            if challenge.scheme == "bearer" and challenge.realm:
                return challenge
        for challenge in offered:
            if challenge.scheme == "basic" and self._credential.basic:
                return challenge
        return None

    async def _header(self, scopes: tuple[str, ...]) -> str | None:
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            return self._credential.basic
        return f"Bearer {(await self._token(self._challenge, scopes or self._challenge.scopes)).value}"

    async def _token(self, challenge: Challenge, scopes: tuple[str, ...]) -> Token:
        async with self._single_flight.setdefault(scopes, asyncio.Lock()):
            token = self._tokens.get(scopes)
            if token is None or not token.is_fresh:
                wish = TokenRequest(self._http, self._registry, self._url, challenge, scopes)
                token = await self._credential.token(wish)
                self._keep(scopes, token)
            return token

    def _keep(self, scopes: tuple[str, ...], token: Token) -> None:
        """Keep a token; of too many the oldest goes."""
        self._tokens.pop(scopes, None)
        while len(self._tokens) >= TOKENS_AT_MOST:
            self._tokens.pop(next(iter(self._tokens)))
        self._tokens[scopes] = token


def explained(error: AuthenticationError, auth: RegistryAuth, scopes: tuple[str, ...]) -> AuthenticationError:
    """Add to a 401 what the token lacks, where it says so (ACR grants less without a word)."""
    lacking = auth.missing(scopes)
    if lacking:
        error.message = f"{error.message}; the identity or credential lacks {lacking}"
        error.args = (error.message,)
    return error
