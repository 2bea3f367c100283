"""Entra access tokens, as far as a registry looks into them: audience, issuer, times and who it is."""

import re
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.types import Options

from devtools.emulator.tokens import InvalidTokenError

_ACR_AUDIENCE = "https://containerregistry.azure.net"
_ARM_AUDIENCES = {
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.chinacloudapi.cn",
    "https://management.core.chinacloudapi.cn",
    "https://management.usgovcloudapi.net",
    "https://management.core.usgovcloudapi.net",
}
_ISSUER = re.compile(
    r"https://(?:sts\.windows\.net/(?P<v1>[^/]+)/|login\.microsoftonline\.(?:com|us)/(?P<v2>[^/]+)/v2\.0)"
)

_TIMES_ONLY: Options = {
    "verify_signature": False,
    "verify_exp": True,
    "verify_nbf": True,
    "require": ["exp", "aud", "iss"],
}


@dataclass(frozen=True, slots=True)
class EntraCaller:
    """Who an Entra token speaks for: the tenant, and the object and application ids."""

    tenant: str
    ids: tuple[str, ...]


def read_entra_token(token: str, *, tenant: str | None, arm_audience: bool) -> EntraCaller:
    """Read and judge an Entra access token. Its signature is not looked at: the emulator has no keys of Entra's.

    Args:
        token: The JWT.
        tenant: The only tenant whose tokens are taken; None takes any.
        arm_audience: Whether tokens for Azure Resource Manager are taken too.

    Raises:
        InvalidTokenError: Not a JWT, expired, for something else, or of another tenant.
    """
    try:
        claims: dict[str, Any] = jwt.decode(token, options=_TIMES_ONLY)
    except jwt.InvalidTokenError as error:
        raise InvalidTokenError(str(error)) from error
    audience = str(claims["aud"]).rstrip("/")
    if audience != _ACR_AUDIENCE and not (arm_audience and audience in _ARM_AUDIENCES):
        raise InvalidTokenError("the token is for another audience")
    issuer = _ISSUER.fullmatch(str(claims["iss"]))
    if issuer is None:
        raise InvalidTokenError("the issuer is not Entra")
    issued_by = issuer["v1"] or issuer["v2"]
    if tenant not in {None, issued_by}:
        raise InvalidTokenError("the token is of another tenant")
    ids = tuple(str(claims[name]) for name in ("oid", "appid", "azp") if claims.get(name))
    if not ids:
        raise InvalidTokenError("the token names no principal")
    return EntraCaller(tenant=issued_by, ids=ids)
