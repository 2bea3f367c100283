"""The token service: three requests from an Entra token to a push, and all that can be refused on the way."""

import base64
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from devtools.emulator import Emulator, EmulatorConfig, Grant, Identities, Principal, User, create_emulator
from devtools.raw_registry import RawRegistry, codes

SERVICE = "registry.example"
PUSH = "repository:team/app:pull,push"
NULL_GUID = "00000000-0000-0000-0000-000000000000"
PULL_ONLY = (Grant("team/*", frozenset({"pull"})),)

Connect = Callable[[Emulator], RawRegistry]
EntraToken = Callable[..., str]


async def _exchange(registry: RawRegistry, entra_token: str, **fields: str) -> httpx.Response:
    form = {"grant_type": "access_token", "service": SERVICE, "access_token": entra_token, **fields}
    return await registry.http.post("/oauth2/exchange", data=form)


async def _access(registry: RawRegistry, *scopes: str, **fields: str) -> httpx.Response:
    return await registry.http.post("/oauth2/token", data={"service": SERVICE, "scope": list(scopes), **fields})


async def _refresh_token(registry: RawRegistry, entra_token: str) -> str:
    return str((await _exchange(registry, entra_token)).json()["refresh_token"])


def _granted(response: httpx.Response) -> list[dict[str, Any]]:
    """The `access` claim of the token in an answer."""
    claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
    granted: list[dict[str, Any]] = claims["access"]
    return granted


def _bearer(response: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def _registry(connect: Connect, identities: Identities | None = None, **config: Any) -> RawRegistry:  # noqa: ANN401 (fields of EmulatorConfig)
    return connect(create_emulator(EmulatorConfig(auth="acr", identities=identities or Identities(), **config)))


async def test_the_challenge_names_realm_service_and_scope(connect: Connect) -> None:
    """A request without a token is told where to get one and for what."""
    registry = _registry(connect)
    door = await registry.http.get("/v2/")
    read = await registry.http.get("/v2/team/app/tags/list")
    write = await registry.http.post("/v2/team/app/blobs/uploads/")
    realm = f'Bearer realm="http://{SERVICE}/oauth2/token",service="{SERVICE}"'
    assert [answer.status_code for answer in (door, read, write)] == [401, 401, 401]
    assert door.headers["www-authenticate"] == realm
    assert read.headers["www-authenticate"] == f'{realm},scope="repository:team/app:pull"'
    assert write.headers["www-authenticate"] == f'{realm},scope="{PUSH}"'
    assert read.json()["errors"][0] == {
        "code": "UNAUTHORIZED",
        "message": "authentication required",
        "detail": [{"Type": "repository", "Name": "team/app", "Action": "pull"}],
    }


async def test_an_entra_token_leads_to_a_push(connect: Connect, entra_token: EntraToken) -> None:
    """Exchange, token, and then the registry lets the request in."""
    registry = _registry(connect)
    refresh = await _refresh_token(registry, entra_token())
    answered = await _access(registry, PUSH, grant_type="refresh_token", refresh_token=refresh)
    started = await registry.http.post("/v2/team/app/blobs/uploads/", headers=_bearer(answered))
    assert answered.json().keys() == {"access_token"}
    assert _granted(answered) == [{"type": "repository", "name": "team/app", "actions": ["pull", "push"]}]
    assert started.status_code == 202


async def test_the_refresh_token_lives_three_hours_and_names_the_registry(
    connect: Connect, entra_token: EntraToken
) -> None:
    """Its claims are those that clients read: aud, grant_type, tenant, exp."""
    registry = _registry(connect)
    claims = jwt.decode(await _refresh_token(registry, entra_token()), options={"verify_signature": False})
    assert (claims["aud"], claims["grant_type"], claims["tenant"]) == (SERVICE, "refresh_token", "home-tenant")
    assert claims["exp"] - claims["iat"] == 3 * 60 * 60


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://vault.azure.net"},
        {"exp": 1},
        {"iss": "https://accounts.example.com/"},
        {"aud": None},
        {"exp": None},
        {"oid": None, "appid": None},
    ],
)
async def test_an_entra_token_that_does_not_fit_is_refused(
    connect: Connect, entra_token: EntraToken, changes: dict[str, object]
) -> None:
    """Another audience, an expired one, another issuer, or claims that are missing: 401."""
    refused = await _exchange(_registry(connect), entra_token(**changes))
    assert (refused.status_code, codes(refused)) == (401, ["UNAUTHORIZED"])


async def test_what_is_no_token_is_refused(connect: Connect) -> None:
    """Any text instead of a JWT is 401."""
    assert (await _exchange(_registry(connect), "no token")).status_code == 401


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 401)])
async def test_the_arm_audience_is_a_policy(
    connect: Connect, entra_token: EntraToken, *, allowed: bool, status: int
) -> None:
    """Tokens for Azure Resource Manager are exchanged unless the registry's policy forbids it."""
    registry = _registry(connect, arm_audience=allowed)
    answered = await _exchange(registry, entra_token(aud="https://management.azure.com/"))
    assert answered.status_code == status


async def test_a_foreign_tenant_is_refused(connect: Connect, entra_token: EntraToken) -> None:
    """The token's tenant must be the registry's, and the form must not contradict it."""
    registry = _registry(connect, tenant="home-tenant")
    foreign = await _exchange(registry, entra_token(iss="https://sts.windows.net/other-tenant/"))
    contradicted = await _exchange(registry, entra_token(), tenant="other-tenant")
    fitting = await _exchange(registry, entra_token(), tenant="home-tenant")
    assert [answer.status_code for answer in (foreign, contradicted, fitting)] == [401, 401, 200]


async def test_a_smaller_grant_is_silent(connect: Connect, entra_token: EntraToken) -> None:
    """Who may only pull gets a token for `pull`, and learns of it by the 401 at the operation."""
    identities = Identities(principals=(Principal("app-1", PULL_ONLY),), other_principals=())
    registry = _registry(connect, identities)
    refresh = await _refresh_token(registry, entra_token())
    answered = await _access(
        registry, PUSH, "repository:private:pull", grant_type="refresh_token", refresh_token=refresh
    )
    refused = await registry.http.post("/v2/team/app/blobs/uploads/", headers=_bearer(answered))
    assert answered.status_code == 200
    assert _granted(answered) == [{"type": "repository", "name": "team/app", "actions": ["pull"]}]
    assert refused.status_code == 401
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


async def test_scopes_may_share_one_field(connect: Connect, entra_token: EntraToken) -> None:
    """Space-separated scopes, as OAuth 2 has them, count like repeated fields."""
    registry = _registry(connect)
    refresh = await _refresh_token(registry, entra_token())
    answered = await _access(
        registry, "repository:a:pull repository:b:pull", grant_type="refresh_token", refresh_token=refresh
    )
    assert [entry["name"] for entry in _granted(answered)] == ["a", "b"]


async def test_an_expired_access_token_is_refused(connect: Connect, entra_token: EntraToken) -> None:
    """After its life the token is answered like none, with `invalid_token`."""
    registry = _registry(connect, access_token_seconds=-1)
    refresh = await _refresh_token(registry, entra_token())
    answered = await _access(registry, PUSH, grant_type="refresh_token", refresh_token=refresh)
    refused = await registry.http.get("/v2/", headers=_bearer(answered))
    assert refused.status_code == 401
    assert re.search(r'error="invalid_token"$', refused.headers["www-authenticate"])


async def test_a_refresh_token_is_no_access_token(connect: Connect, entra_token: EntraToken) -> None:
    """Neither kind stands in for the other, and an Entra token for none of them."""
    registry = _registry(connect)
    refresh = await _refresh_token(registry, entra_token())
    access = (await _access(registry, PUSH, grant_type="refresh_token", refresh_token=refresh)).json()["access_token"]
    as_access = [
        await registry.http.get("/v2/", headers={"Authorization": f"Bearer {token}"})
        for token in (refresh, entra_token())
    ]
    as_refresh = await _access(registry, PUSH, grant_type="refresh_token", refresh_token=access)
    assert [answer.status_code for answer in (*as_access, as_refresh)] == [401, 401, 401]


async def test_tokens_of_another_registry_are_refused(connect: Connect, entra_token: EntraToken) -> None:
    """Each registry signs with its own key."""
    refresh = await _refresh_token(_registry(connect), entra_token())
    refused = await _access(_registry(connect), PUSH, grant_type="refresh_token", refresh_token=refresh)
    assert refused.status_code == 401


async def test_another_service_is_refused(connect: Connect, entra_token: EntraToken) -> None:
    """A registry gives no tokens for another one."""
    refused = await _exchange(_registry(connect), entra_token(), service="other.example")
    assert refused.status_code == 400


@pytest.mark.parametrize("way", ["get", "post", "direct"])
async def test_a_user_logs_in_with_a_password(connect: Connect, way: str) -> None:
    """The right password leads in by GET with Basic, by POST, and straight at the registry; a wrong one does not."""
    registry = _registry(connect, Identities(users=(User("robot", "secret"),)))

    async def log_in(password: str) -> int:
        if way == "direct":
            return (
                await registry.http.post("/v2/team/app/blobs/uploads/", headers=_basic("robot", password))
            ).status_code
        if way == "get":
            query = {"service": SERVICE, "scope": PUSH}
            answered = await registry.http.get("/oauth2/token", params=query, headers=_basic("robot", password))
        else:
            answered = await _access(registry, PUSH, grant_type="password", username="robot", password=password)
        if answered.is_error:
            return answered.status_code
        return (await registry.http.post("/v2/team/app/blobs/uploads/", headers=_bearer(answered))).status_code

    assert [await log_in("secret"), await log_in("guess")] == [202, 401]


async def test_the_null_guid_brings_a_refresh_token_as_its_password(connect: Connect, entra_token: EntraToken) -> None:
    """This is how `az acr login --expose-token` is used with docker login."""
    registry = _registry(connect)
    refresh = await _refresh_token(registry, entra_token())
    answered = await registry.http.get(
        "/oauth2/token", params={"service": SERVICE, "scope": PUSH}, headers=_basic(NULL_GUID, refresh)
    )
    assert _granted(answered)[0]["actions"] == ["pull", "push"]


@pytest.mark.parametrize(("anonymous_pull", "actions"), [(True, ["pull"]), (False, [])])
async def test_anonymous_pull_is_a_switch(connect: Connect, *, anonymous_pull: bool, actions: list[str]) -> None:
    """Nobody in particular gets a token that can pull, where the registry allows it, and never one that can push."""
    registry = _registry(connect, anonymous_pull=anonymous_pull)
    by_get = await registry.http.get("/oauth2/token", params={"service": SERVICE, "scope": PUSH})
    by_post = await _access(registry, PUSH, grant_type="password", refresh_token="")
    granted = [action for answer in (by_get, by_post) for entry in _granted(answer) for action in entry["actions"]]
    assert granted == actions * 2


async def test_a_mount_needs_the_right_to_pull_from_its_source(connect: Connect) -> None:
    """Without it the mount becomes an ordinary upload."""
    users = (
        User("owner", "o"),
        User("guest", "g", (Grant("team/app", frozenset({"pull", "push"})),)),
    )
    registry = _registry(connect, Identities(users=users))
    registry.http.headers.update(_basic("owner", "o"))
    digest = await registry.push_blob(b"secret layer", "private/app")
    query = f"?mount={digest}&from=private/app"
    registry.http.headers.update(_basic("guest", "g"))
    as_guest = await registry.start_upload(query, "team/app")
    registry.http.headers.update(_basic("owner", "o"))
    as_owner = await registry.start_upload(query, "team/app")
    assert (as_guest.status_code, as_owner.status_code) == (202, 201)


async def test_the_catalog_has_a_scope_of_its_own(connect: Connect, entra_token: EntraToken) -> None:
    """`registry:catalog:*` opens the list of repositories; a repository's scope does not."""
    registry = _registry(connect)
    refresh = await _refresh_token(registry, entra_token())
    fields = {"grant_type": "refresh_token", "refresh_token": refresh}
    with_scope = _bearer(await _access(registry, "registry:catalog:*", **fields))
    without = _bearer(await _access(registry, PUSH, **fields))
    answers = [await registry.http.get("/v2/_catalog", headers=headers) for headers in (with_scope, without)]
    assert [answer.status_code for answer in answers] == [200, 401]


async def test_the_host_name_can_be_another_than_the_address(connect: Connect, entra_token: EntraToken) -> None:
    """With a host name set, challenges and tokens are for that name."""
    registry = _registry(connect, host_name="mine.azurecr.io")
    door = await registry.http.get("/v2/")
    exchanged = await _exchange(registry, entra_token(), service="mine.azurecr.io")
    claims = jwt.decode(exchanged.json()["refresh_token"], options={"verify_signature": False})
    assert 'service="mine.azurecr.io"' in door.headers["www-authenticate"]
    assert claims["aud"] == "mine.azurecr.io"
    assert claims["exp"] > time.time()
