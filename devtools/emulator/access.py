"""Access: whether a request may do what it asks, and the challenge when it may not (ACR, docs/AAD-OAuth.md)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from devtools.emulator.config import EmulatorConfig
from devtools.emulator.identities import granted_actions
from devtools.emulator.refusal import RefusalError
from devtools.emulator.tokens import InvalidTokenError, TokenSigner

CATALOG = "catalog"
"""The name under which the `registry:catalog:*` scope is asked for."""


@dataclass(frozen=True, slots=True)
class _Scope:
    kind: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(self.actions)}"


def service_of(request: Request, config: EmulatorConfig) -> str:
    """The registry's service name: its login server."""
    return config.host_name or request.headers.get("host", "registry.local")


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of an `Authorization: Basic` header; None when it is none."""
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


class Access:
    """The guard of `/v2/`. Lacking a right is 401 here too: the token service never said no."""

    def __init__(self, config: EmulatorConfig, tokens: TokenSigner) -> None:
        self._config = config
        self._tokens = tokens

    def require(self, request: Request, repository: str, *actions: str) -> None:
        """Refuse the request unless it may do all these actions on the repository.

        Raises:
            RefusalError: 401 UNAUTHORIZED with a challenge that names them.
        """
        self._demand(request, _Scope("repository", repository, actions))

    def require_catalog(self, request: Request) -> None:
        """Refuse the request unless it may list the registry's repositories."""
        self._demand(request, _Scope("registry", CATALOG, ("*",)))

    def require_login(self, request: Request) -> None:
        """Refuse a request without a valid token, whatever it is for (`GET /v2/`)."""
        self._demand(request, None)

    def allows(self, request: Request, repository: str, *actions: str) -> bool:
        """Whether the request may do all these actions on another repository, as in a mount."""
        try:
            self.require(request, repository, *actions)
        except RefusalError:
            return False
        return True

    def _demand(self, request: Request, scope: _Scope | None) -> None:
        if self._config.auth == "none":
            return
        authorization = request.headers.get("authorization", "")
        if not authorization:
            raise self._challenge(request, scope)
        basic = basic_credentials(authorization)
        if basic is not None:
            # Basic straight on the data plane works at ACR too (AAD-OAuth.md, catalog listing).
            user = self._config.identities.user(*basic)
            if user is None:
                raise self._challenge(request, scope)
            covered = scope is None or _covers_grants(user.grants, scope)
        else:
            try:
                claims = self._tokens.access_claims(authorization.partition(" ")[2], service_of(request, self._config))
            except InvalidTokenError as error:
                raise self._challenge(request, scope, "invalid_token") from error
            covered = scope is None or _covers_claims(claims, scope)
        if not covered:
            raise self._challenge(request, scope, "insufficient_scope")

    def _challenge(self, request: Request, scope: _Scope | None, error: str = "") -> RefusalError:
        service = service_of(request, self._config)
        challenge = f'Bearer realm="{request.url.scheme}://{service}/oauth2/token",service="{service}"'
        details: tuple[object, ...] = ()
        if scope is not None:
            challenge += f',scope="{scope}"'
            details = tuple({"Type": scope.kind, "Name": scope.name, "Action": a} for a in scope.actions)
        if error:
            challenge += f',error="{error}"'
        headers = {"Www-Authenticate": challenge}
        return RefusalError("UNAUTHORIZED", list(details) if details else None, headers=headers)


def _covers_grants(grants: tuple[Any, ...], scope: _Scope) -> bool:
    if scope.kind == "registry":
        return bool(granted_actions(grants, "*", ["pull"]))
    return len(granted_actions(grants, scope.name, scope.actions)) == len(scope.actions)


def _covers_claims(claims: dict[str, Any], scope: _Scope) -> bool:
    actions = {
        action
        for entry in claims["access"]
        if (entry["type"], entry["name"]) == (scope.kind, scope.name)
        for action in entry["actions"]
    }
    return "*" in actions or actions >= set(scope.actions)
