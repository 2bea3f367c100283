"""An ACR as the source: by this app's identity, by every kind of password and token, and by nobody."""

import httpx
import pytest

from devtools.emulator import EmulatorConfig, Grant, Identities, Principal, User
from devtools.rehearsal import open_host
from devtools.testing import running_emulator
from tests.integration.sources.azure import HOME_TENANT, SYSTEM_IDENTITY, entra_token, identity_endpoint
from tests.integration.sources.dock import Dock, push

pytestmark = pytest.mark.asyncio(loop_scope="session")

PUSHER = User("pusher", "push-password")
PULL = (Grant(actions=frozenset({"pull"})),)
OTHER_TENANT = "99999999-0000-4000-8000-000000000009"
USER_ASSIGNED = "cccccccc-0000-4000-8000-000000000003"
ACR_HOST = {**open_host(), "acr": True}


def acr(*principals: Principal, tenant: str | None = None, anonymous_pull: bool = False) -> EmulatorConfig:
    """An ACR where nobody but these Entra principals, and users with passwords, has rights."""
    users = (PUSHER, User("0b000000-0000-4000-8000-00000000000b", "sp-secret", PULL), User("pull-token", "tok", PULL))
    identities = Identities(principals, other_principals=(), users=users)
    return EmulatorConfig(auth="acr", identities=identities, tenant=tenant, anonymous_pull=anonymous_pull)


def pushing() -> httpx.Auth:
    """The sign-in of whoever fills the source."""
    return httpx.BasicAuth(PUSHER.name, PUSHER.password)


async def test_the_system_assigned_identity_reads_an_acr(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials in the request: Entra token, refresh token, access token, image."""
    async with (
        identity_endpoint() as identity,
        running_emulator(acr(Principal(SYSTEM_IDENTITY, PULL))) as (source, emulator),
    ):
        await push(source, auth=pushing())
        settings = identity.adopted(monkeypatch)
        async with Dock.opened(storage, {source: ACR_HOST}, settings) as dock:
            await dock.require_arrived(await dock.import_from(f"{source}/app:1"))
        assert {query["resource"] for query in identity.queries} == {"https://containerregistry.azure.net"}
        assert all("client_id" not in query for query in identity.queries)
        assert len(emulator.journal.select("POST", "/oauth2/exchange")) == 1


async def test_a_user_assigned_identity_is_asked_for_by_its_client_id(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only it has rights at the source, and only it exists."""
    async with (
        identity_endpoint(user_assigned=frozenset({USER_ASSIGNED})) as identity,
        running_emulator(acr(Principal(USER_ASSIGNED, PULL))) as (source, _),
    ):
        await push(source, auth=pushing())
        settings = identity.adopted(monkeypatch, AZURE_CLIENT_ID=USER_ASSIGNED)
        async with Dock.opened(storage, {source: ACR_HOST}, settings) as dock:
            await dock.require_arrived(await dock.import_from(f"{source}/app:1"))
        assert {query["client_id"] for query in identity.queries} == {USER_ASSIGNED}


async def test_an_identity_without_rights_is_told_which(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token service grants less without a word; the record names what is missing, and on which side."""
    async with (
        identity_endpoint() as identity,
        running_emulator(acr(Principal(SYSTEM_IDENTITY, ()))) as (source, _),
    ):
        await push(source, auth=pushing())
        settings = identity.adopted(monkeypatch)
        async with Dock.opened(storage, {source: ACR_HOST}, settings) as dock:
            record = await dock.import_from(f"{source}/app:1")
        error = record["error"]
        assert (error["code"], error["side"], error["status"]) == ("authentication_failed", "source", 401)
        assert "lacks pull on app" in error["message"]


@pytest.mark.parametrize("tenant", [OTHER_TENANT, HOME_TENANT])
async def test_an_acr_that_is_open_to_all_needs_no_rights(
    storage: str, monkeypatch: pytest.MonkeyPatch, tenant: str
) -> None:
    """Somebody else's, which refuses this app's identity, or one's own where the identity has no role."""
    async with (
        identity_endpoint() as identity,
        running_emulator(acr(tenant=tenant, anonymous_pull=True)) as (source, _),
    ):
        await push(source, auth=pushing())
        settings = identity.adopted(monkeypatch)
        async with Dock.opened(storage, {source: ACR_HOST}, settings) as dock:
            await dock.require_arrived(await dock.import_from(f"{source}/app:1"))


async def test_the_identity_of_this_app_stays_in_its_cloud(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is not configured as an ACR of this cloud never causes a token to be fetched."""
    async with (
        identity_endpoint() as identity,
        running_emulator(acr(Principal(SYSTEM_IDENTITY, PULL))) as (source, emulator),
    ):
        settings = identity.adopted(monkeypatch)
        async with Dock.opened(storage, {source: open_host()}, settings) as dock:
            record = await dock.import_from(f"{source}/app:1")
        assert record["error"]["code"] == "authentication_failed"
        assert identity.queries == []
        assert emulator.journal.select("POST", "/oauth2/exchange") == []


@pytest.mark.parametrize(
    ("username", "password"),
    [("0b000000-0000-4000-8000-00000000000b", "sp-secret"), ("pull-token", "tok"), ("pusher", "push-password")],
    ids=["service principal", "repository-scoped token", "admin user"],
)
async def test_a_user_and_a_password_read_an_acr_of_any_tenant(storage: str, username: str, password: str) -> None:
    """A service principal, a repository-scoped token, the admin user: all are a name and a secret."""
    async with running_emulator(acr(tenant=OTHER_TENANT)) as (source, _):
        await push(source, auth=pushing())
        async with Dock.opened(storage, {source: ACR_HOST}) as dock:
            credentials = {"username": username, "password": password}
            named = {"registryUri": source, "sourceImage": "app:1", "credentials": credentials}
            await dock.require_arrived(await dock.import_from(named))


async def test_a_wrong_password_is_refused_and_never_shown(storage: str) -> None:
    """The record says that it was the source, and nothing of what was sent."""
    async with running_emulator(acr()) as (source, _):
        async with Dock.opened(storage, {source: ACR_HOST}) as dock:
            credentials = {"username": "pusher", "password": "hunter2"}
            record = await dock.import_from({"registryUri": source, "sourceImage": "app:1", "credentials": credentials})
        assert (record["error"]["code"], record["error"]["side"]) == ("authentication_failed", "source")
        assert "hunter2" not in str(record)


async def test_an_entra_token_of_another_tenant_is_exchanged(storage: str) -> None:
    """As `az acr import --password` takes it: a token alone, printed by `az account get-access-token` there."""
    principal = "bbbbbbbb-0000-4000-8000-000000000001"
    async with running_emulator(acr(Principal(principal, PULL), tenant=OTHER_TENANT)) as (source, emulator):
        await push(source, auth=pushing())
        async with Dock.opened(storage, {source: ACR_HOST}) as dock:
            credentials = {"password": entra_token(OTHER_TENANT, principal)}
            named = {"registryUri": source, "sourceImage": "app:1", "credentials": credentials}
            await dock.require_arrived(await dock.import_from(named))
        assert emulator.journal.select("POST", "/oauth2/exchange") != []


@pytest.mark.parametrize("user", [{}, {"username": "00000000-0000-0000-0000-000000000000"}], ids=["alone", "null guid"])
async def test_an_acr_refresh_token_is_used_as_such(storage: str, user: dict[str, str]) -> None:
    """What `az acr login --expose-token` prints, with its user name or without, is not exchanged once more."""
    principal = "bbbbbbbb-0000-4000-8000-000000000001"
    async with running_emulator(acr(Principal(principal, PULL))) as (source, emulator):
        await push(source, auth=pushing())
        form = {"grant_type": "access_token", "service": source, "access_token": entra_token(HOME_TENANT, principal)}
        async with httpx.AsyncClient() as http:
            refresh = (await http.post(f"http://{source}/oauth2/exchange", data=form)).json()["refresh_token"]
        async with Dock.opened(storage, {source: ACR_HOST}) as dock:
            named = {"registryUri": source, "sourceImage": "app:1", "credentials": {**user, "password": refresh}}
            await dock.require_arrived(await dock.import_from(named))
        assert len(emulator.journal.select("POST", "/oauth2/exchange")) == 1
