"""The JWTs of the token service: refresh tokens (registry-wide, 3 hours) and access tokens (scoped, 75 minutes).

Claims as in Azure/acr, docs/AAD-OAuth.md; signed with HS256 and the store's key instead of ACR's own certificates.
"""

import time
import uuid
from typing import Any

import jwt

_ALGORITHM = "HS256"
_ISSUER = "Azure Container Registry"


class InvalidTokenError(Exception):
    """A token that is not ours, not for this, or not valid any more."""


class TokenSigner:
    """Issues and reads the registry's own tokens."""

    def __init__(self, key: bytes, refresh_seconds: float, access_seconds: float) -> None:
        self._key = key
        self._refresh_seconds = refresh_seconds
        self._access_seconds = access_seconds

    def refresh_token(self, service: str, subject: str, tenant: str | None) -> str:
        """A refresh token for the whole registry."""
        claims = {
            "grant_type": "refresh_token",
            "tenant": tenant or "",
            "permissions": {"actions": ["read", "write", "delete"]},
            "roles": [],
        }
        return self._sign(service, subject, self._refresh_seconds, claims)

    def access_token(self, service: str, subject: str, access: list[dict[str, Any]]) -> str:
        """An access token for what was granted, which may be nothing."""
        return self._sign(service, subject, self._access_seconds, {"grant_type": "access_token", "access": access})

    def refresh_subject(self, token: str, service: str) -> str:
        """Whose refresh token this is.

        Raises:
            InvalidTokenError: It is no valid refresh token of this registry.
        """
        return str(self._read(token, service, "refresh_token")["sub"])

    def access_claims(self, token: str, service: str) -> dict[str, Any]:
        """The claims of an access token.

        Raises:
            InvalidTokenError: It is no valid access token of this registry.
        """
        return self._read(token, service, "access_token")

    def _sign(self, service: str, subject: str, seconds: float, claims: dict[str, Any]) -> str:
        now = time.time()
        common = {
            "jti": str(uuid.uuid4()),
            "sub": subject,
            "iss": _ISSUER,
            "aud": service,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + seconds),
            "version": "1.0",
        }
        return jwt.encode({**common, **claims}, self._key, algorithm=_ALGORITHM)

    def _read(self, token: str, service: str, grant_type: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=service, issuer=_ISSUER,
                options={"require": ["exp", "sub"]},
            )  # fmt: skip
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(str(error)) from error
        if claims.get("grant_type") != grant_type:
            raise InvalidTokenError(f"this is no {grant_type}")
        return claims
