"""Who sends an HTTP request: keys, principals that the platform vouches for, and what only looks like one."""

import base64
import json
from typing import Any

import pytest

from importcore.api.principal import address_of, caller_of
from importcore.errors import UnauthenticatedError
from importcore.settings.model import CallersBy, Settings, StorageAccount

OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def settings(by: CallersBy, *, platform: bool) -> Settings:
    """An installation with such callers."""
    return Settings(StorageAccount("x"), (), callers_by=by, platform_signs_in=platform)


KEYS = settings(CallersBy.FUNCTION_KEY, platform=False)
ENTRA = settings(CallersBy.ENTRA, platform=True)


def principal(*claims: tuple[str, Any], provider: str = "aad") -> dict[str, str]:
    """The header as the platform writes it."""
    value = {"auth_typ": provider, "claims": [{"typ": t, "val": v} for t, v in claims], "role_typ": "roles"}
    return {"x-ms-client-principal": base64.b64encode(json.dumps(value).encode()).decode()}


def test_a_key_is_the_default() -> None:
    """The host checked it; which key it was the platform does not say."""
    assert caller_of({}, KEYS).identity == "function-key"


def test_a_principal_is_refused_where_the_platform_does_not_set_it() -> None:
    """Whoever sends it wants to be taken for somebody; no fallback to what the key allows."""
    with pytest.raises(UnauthenticatedError, match="the platform alone may set"):
        caller_of(principal((OBJECT, "1")), KEYS)


def test_a_principal_is_not_needed_where_keys_are_asked_for() -> None:
    """With App Service authentication on and callers by key, the platform's header changes nothing."""
    on = settings(CallersBy.FUNCTION_KEY, platform=True)

    assert caller_of(principal((OBJECT, "1"), ("roles", "Importer")), on).who == {"function-key"}


def test_entra_callers_are_nobody_where_the_platform_does_not_sign_in() -> None:
    """Even if the settings had let that pass."""
    with pytest.raises(UnauthenticatedError, match="authentication is off"):
        caller_of(principal((OBJECT, "1")), settings(CallersBy.ENTRA, platform=False))


def test_a_request_that_the_platform_let_pass_unsigned_is_nobodys() -> None:
    """'Allow unauthenticated requests' lets them come as far as here."""
    with pytest.raises(UnauthenticatedError, match="no principal") as caught:
        caller_of({"x-functions-key": "k", "x-ms-client-principal-id": "1"}, ENTRA)

    assert "Authorization: Bearer" in caught.value.action


def test_claims_become_what_a_policy_can_name() -> None:
    """Object id, app, groups and roles, in the long and the short names; anything else is nothing."""
    headers = principal(
        (OBJECT, "me"),
        ("appid", "the-app"),
        ("groups", "g1"),
        ("groups", "g2"),
        ("roles", "Importer"),
        ("http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "Reader"),
        ("tid", "role:Operator"),
        ("name", "A Human\r\nBeing"),
        ("roles", "with space"),
        ("roles", {"an": "object"}),
    )

    caller = caller_of(headers | {"x-forwarded-for": "6.6.6.6, 7.7.7.7:4711"}, ENTRA)

    assert (caller.identity, caller.name, caller.address) == ("entra:me", "A Human Being", "7.7.7.7:4711")
    assert caller.who == {"object:me", "app:the-app", "group:g1", "group:g2", "role:Importer", "role:Reader"}


@pytest.mark.parametrize("scope", ["scp", "http://schemas.microsoft.com/identity/claims/scope"])
def test_a_user_is_not_the_application_that_it_comes_through(scope: str) -> None:
    """A policy that lets a pipeline in by `app:` must not let everybody in who can sign in through the same client."""
    caller = caller_of(principal((OBJECT, "me"), ("azp", "the-app"), (scope, "user_impersonation")), ENTRA)

    assert caller.who == {"object:me"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "no base64!",
        base64.b64encode(b"no json").decode(),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"auth_typ":"aad"}').decode(),
        base64.b64encode(b'{"auth_typ":"aad","claims":[1]}').decode(),
        base64.b64encode(b'{"auth_typ":"aad","claims":{"typ":"oid"}}').decode(),
        base64.b64encode(b"[" * 40_000).decode(),
        "A" * 70_000,
        principal((OBJECT, "1"))["x-ms-client-principal"] + ",second",
        principal((OBJECT, "1"), provider="github")["x-ms-client-principal"],
        principal(("roles", "Importer"))["x-ms-client-principal"],
        principal((OBJECT, "1"), ("oid", "2"))["x-ms-client-principal"],
        principal((OBJECT, ""))["x-ms-client-principal"],
        principal((OBJECT, "1"), *[("a", "b")] * 1_000)["x-ms-client-principal"],
        principal((OBJECT, "x" * 300))["x-ms-client-principal"],
    ],
)
def test_what_is_no_principal_is_nobody(header: str) -> None:
    """Damaged, of another provider, without an object id or with two: nobody, and no other error."""
    with pytest.raises(UnauthenticatedError):
        caller_of({"x-ms-client-principal": header}, ENTRA)


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("", None),
        ("1.2.3.4", "1.2.3.4"),
        ("spoofed, 1.2.3.4:5", "1.2.3.4:5"),
        (" ,", None),
        ("a\x00b\nc", "a b c"),
        ("x" * 99, "x" * 63 + "…"),
    ],
)
def test_the_address_is_what_the_platform_added_last(sent: str, address: str | None) -> None:
    """What a client writes in front of it is the client's own story; what is odd stays on one line."""
    assert address_of({"x-forwarded-for": sent}) == address
