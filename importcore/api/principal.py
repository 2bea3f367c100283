"""Who sends an HTTP request: whoever has a function key, or the Entra principal that the platform vouches for.

App Service authentication verifies the token in front of the app and hands its claims over in `X-MS-CLIENT-PRINCIPAL`,
base64 of JSON; it removes that header from what strangers send. Where it is off, anybody can send the header: so it is
believed only where the settings ask for Entra callers and the platform says that its authentication is on, and anywhere
else a request that brings it is refused rather than read as something it is not.
Source: Microsoft Learn, App Service, "Work with user identities in authentication"; claims: Entra ID, "access token
claims reference".
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from importcore.caller import Caller
from importcore.errors import UnauthenticatedError, printable
from importcore.settings.model import CallersBy, Settings

PRINCIPAL = "x-ms-client-principal"
_PRINCIPAL_AT_MOST = 64 * 1024
_CLAIMS_AT_MOST = 1_000
_VALUE_AT_MOST = 200
_IDENTITY = "http://schemas.microsoft.com/identity/claims/"
_OBJECT = frozenset({"oid", f"{_IDENTITY}objectidentifier"})
_KINDS: Mapping[str, frozenset[str]] = {
    "object": _OBJECT,
    "app": frozenset({"appid", "azp"}),
    "group": frozenset({"groups"}),
    "role": frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"}),
}
_DELEGATED = frozenset({"scp", f"{_IDENTITY}scope"})
"""Which rights a user gave to an application: only tokens that act for a user have it."""
_NAMES = ("preferred_username", "name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "appid", "azp")


def caller_of(headers: Mapping[str, str], settings: Settings) -> Caller:
    """Tell who sends a request.

    Args:
        headers: Of the request, their names in lower case.
        settings: They say which callers there are.

    Raises:
        UnauthenticatedError: Nobody knows; the message says what is missing.
    """
    principal = headers.get(PRINCIPAL)
    if settings.callers_by is CallersBy.FUNCTION_KEY:
        # The host has checked the key before this code was called.
        if principal and not settings.platform_signs_in:
            raise UnauthenticatedError(
                "the request brings X-MS-CLIENT-PRINCIPAL, which the platform alone may set, and its authentication "
                "is off",
                action="Leave the header out. For Entra callers: TRANSLOAD_CALLERS=entra, and App Service "
                "authentication on.",
            )
        return Caller.by_key(address_of(headers))
    if not settings.platform_signs_in:  # the settings are refused with this; here in case that is ever forgotten
        raise UnauthenticatedError("App Service authentication is off, so nobody can be believed to be anybody")
    if not principal:
        raise UnauthenticatedError(
            "the request has no principal: no Entra token came with it, or App Service authentication let it pass "
            "without one",
            action="Send `Authorization: Bearer …` with a token for this app's own audience.",
        )
    return _entra_caller(_claims(principal), address_of(headers))


def address_of(headers: Mapping[str, str]) -> str | None:
    """Tell where a request came from: the last entry of `X-Forwarded-For`, which the platform's front end adds."""
    last = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return printable(last, 64) or None


def _claims(principal: str) -> list[tuple[str, str]]:
    try:
        if len(principal) > _PRINCIPAL_AT_MOST:
            raise ValueError("too large")  # noqa: TRY301 (one way out for everything that is wrong with it)
        value: Any = json.loads(base64.b64decode(principal, validate=True))
        provider, claims = value["auth_typ"], value["claims"]
        if len(claims) > _CLAIMS_AT_MOST:  # all or none: the last one may say that the token acts for a user
            raise ValueError("too many")  # noqa: TRY301 (as above)
        found = [(claim["typ"], claim["val"]) for claim in claims]
    except (binascii.Error, ValueError, LookupError, TypeError, RecursionError) as error:
        raise UnauthenticatedError("X-MS-CLIENT-PRINCIPAL is not what the platform writes") from error
    if provider != "aad":
        raise UnauthenticatedError(
            f"the caller was signed in by '{printable(str(provider), 40)}', and only Entra ID (aad) is understood",
            action="Configure Microsoft as the one identity provider of App Service authentication.",
        )
    return [(kind, value) for kind, value in found if isinstance(kind, str) and isinstance(value, str)]


def _entra_caller(claims: list[tuple[str, str]], address: str | None) -> Caller:
    who = frozenset(
        f"{kind}:{value}"
        for kind, types in _KINDS.items()
        for claim, value in claims
        if claim in types and value and len(value) <= _VALUE_AT_MOST and value.isprintable() and " " not in value
    )
    if any(claim in _DELEGATED for claim, _ in claims):
        # A user's token names the application that the user came through, which everybody can come through.
        who = frozenset(one for one in who if not one.startswith("app:"))
    objects = {one for one in who if one.startswith("object:")}
    if len(objects) != 1:
        raise UnauthenticatedError("the principal names no one object id, so nobody knows whose imports are its own")
    by_type = dict(claims)
    name = next((by_type[claim] for claim in _NAMES if by_type.get(claim)), "")
    return Caller(f"entra:{objects.pop().removeprefix('object:')}", who, printable(name, 120), address)
