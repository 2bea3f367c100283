"""Who we are for one registry: each credential knows how it becomes a token, or a Basic header.

A credential belongs to one registry. It gives tokens for a challenge that this registry made, and it decides by
itself to whom its secret may go.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Protocol

from importcore.errors import AuthenticationError
from importcore.registry.tokens import (
    Token,
    TokenRequest,
    acr_access_token,
    acr_refresh_token,
    claims_of,
    distribution_token,
    lacking,
)


class EntraTokens(Protocol):
    """Gives Entra access tokens for ACR's audience (azure-identity stands behind it)."""

    async def __call__(self) -> str:
        """A valid access token.

        Raises:
            AuthenticationError: The identity cannot get one.
        """


class Credential(Protocol):
    """Who we are for one registry."""

    @property
    def basic(self) -> str | None:
        """The value of a Basic `Authorization` header; None when this credential has no such form."""

    async def token(self, wish: TokenRequest) -> Token:
        """A token for the wish.

        Raises:
            RegistryError: The token service refused or did not answer.
            UnsafeUrlError: The challenge leads where this credential does not go.
        """


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody: public images."""

    basic: str | None = None

    async def token(self, wish: TokenRequest) -> Token:
        """A token without credentials; public registries give one for pulling."""
        return await distribution_token(wish, None)


@dataclass(frozen=True, slots=True)
class UserPassword:
    """User name and password: also a service principal, a robot account, a repository-scoped token."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str | None:
        """The Basic header (RFC 7617)."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    async def token(self, wish: TokenRequest) -> Token:
        """A token for this user."""
        return await distribution_token(wish, self.basic)


class AcrIdentity:
    """This app's Entra identity at an ACR: Entra token → refresh token (kept, about 3 hours) → access token."""

    basic: str | None = None

    def __init__(self, entra: EntraTokens) -> None:
        self._entra = entra
        self._refresh: Token | None = None
        self._single_flight = asyncio.Lock()

    async def token(self, wish: TokenRequest) -> Token:
        """An access token for the wish, by way of the kept refresh token; one that is refused is replaced once."""
        refresh, is_new = await self._refresh_token(wish, refused=None)
        try:
            return await acr_access_token(wish, refresh.value)
        except AuthenticationError:
            if is_new:
                raise
        refresh, _ = await self._refresh_token(wish, refused=refresh)
        return await acr_access_token(wish, refresh.value)

    async def _refresh_token(self, wish: TokenRequest, *, refused: Token | None) -> tuple[Token, bool]:
        async with self._single_flight:
            kept = self._refresh
            if kept is not None and kept.is_fresh and kept is not refused:
                return kept, False
            self._refresh = await acr_refresh_token(wish, await self._entra())
            return self._refresh, True


@dataclass(frozen=True, slots=True)
class IdentityOrNobody:
    """This app's identity at an ACR that is read from; nobody, where that identity is refused and nobody is not.

    An ACR of somebody else may be open to all (anonymous pull) and still knows nothing of this app.
    """

    identity: AcrIdentity
    basic: str | None = None

    async def token(self, wish: TokenRequest) -> Token:
        """An access token of the identity, or an anonymous one that allows more."""
        try:
            token = await self.identity.token(wish)
        except AuthenticationError:
            anonymous = await _anonymous(wish)
            if anonymous is None:
                raise
            return anonymous
        if not lacking(token.value, wish.scopes):
            return token
        return await _anonymous(wish) or token


async def _anonymous(wish: TokenRequest) -> Token | None:
    """A token for nobody; None where it does not allow what is wished."""
    try:
        token = await distribution_token(wish, None)
    except AuthenticationError:
        return None
    return None if lacking(token.value, wish.scopes) else token


@dataclass(frozen=True, slots=True)
class AcrAccessToken:
    """A token in the place of a password, without a user name, as `az acr import` takes it.

    An ACR refresh token says so in its claims and is used as such; any other is taken for an Entra access token.
    """

    secret: str = field(repr=False)
    basic: str | None = None

    async def token(self, wish: TokenRequest) -> Token:
        """An access token for the wish."""
        if claims_of(self.secret).get("grant_type") == "refresh_token":
            return await acr_access_token(wish, self.secret)
        refresh = await acr_refresh_token(wish, self.secret)
        return await acr_access_token(wish, refresh.value)
