"""`source.resourceId`: the registry is found through Azure Resource Manager, and read with this app's identity."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devtools.emulator import EmulatorConfig, Grant, Identities, Principal, User
from devtools.rehearsal import open_host
from devtools.serving import serving
from devtools.testing import running_emulator
from tests.integration.sources.azure import (
    SYSTEM_IDENTITY,
    IdentityEndpoint,
    ResourceManager,
    identity_endpoint,
    resource_id,
)
from tests.integration.sources.dock import Dock, problems_of, push
from tests.integration.sources.test_azure_registries import ACR_HOST, PUSHER, pushing

pytestmark = pytest.mark.asyncio(loop_scope="session")

PULL = (Grant(actions=frozenset({"pull"})),)
HERS, SECRET_ONE, GONE, ODD = (resource_id(name) for name in ("herregistry", "secretone", "goneone", "oddone"))


class Azure:
    """A subscription with a registry in it, as this app's identity sees it."""

    def __init__(self, dock: Dock, source: str, arm: ResourceManager, identity: IdentityEndpoint) -> None:
        self.dock, self.source, self.arm, self.identity = dock, source, arm, identity
        self.hosts: dict[str, dict[str, object]] = {}
        self.settings: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def around(cls, storage: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Azure"]:
        """Start everything."""
        config = EmulatorConfig(
            auth="acr",
            identities=Identities((Principal(SYSTEM_IDENTITY, PULL),), other_principals=(), users=(PUSHER,)),
        )
        async with identity_endpoint() as identity, running_emulator(config) as (source, _):
            await push(source, auth=pushing())
            arm = ResourceManager({HERS: source, ODD: "registry.example"}, frozenset({SECRET_ONE}))
            async with serving(arm.app()) as port:
                hosts = {source: ACR_HOST, f"127.0.0.1:{port}": open_host()}
                settings = identity.adopted(monkeypatch, TRANSLOAD_ARM_ENDPOINT=f"http://127.0.0.1:{port}")
                async with Dock.opened(storage, hosts, settings) as dock:
                    azure = cls(dock, source, arm, identity)
                    azure.hosts, azure.settings = hosts, settings
                    yield azure


async def test_a_resource_id_becomes_a_login_server(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image arrives, and the record shows where it came from."""
    async with Azure.around(storage, monkeypatch) as azure:
        record = await azure.dock.import_from({"resourceId": HERS, "sourceImage": "app:1"})
        await azure.dock.require_arrived(record)
        assert record["source"] == f"{azure.source}/app:1"
        assert [query["resource"] for query in azure.identity.queries] == [
            "https://management.azure.com",
            "https://containerregistry.azure.net",
        ]


async def test_azure_resource_manager_is_asked_once(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten imports from one registry need one answer; Azure ignores case in an id, and so does what is kept."""
    async with Azure.around(storage, monkeypatch) as azure:
        for spelling in (HERS, HERS.upper(), HERS.lower()):
            answer = await azure.dock.send({"resourceId": spelling, "sourceImage": "app:1"})
            assert answer.status == 202, answer.body
        assert azure.arm.asked == [HERS]


@pytest.mark.parametrize(("named", "why"), [(SECRET_ONE, "may not read"), (GONE, "there is no registry")])
async def test_a_registry_that_cannot_be_read_is_named_with_the_role_that_lacks(
    storage: str, monkeypatch: pytest.MonkeyPatch, named: str, why: str
) -> None:
    """At once, with 400 at the field: no record, nothing queued."""
    async with Azure.around(storage, monkeypatch) as azure:
        [(field, message)] = problems_of(await azure.dock.send({"resourceId": named, "sourceImage": "app:1"})).items()
        assert field == "source.resourceId"
        assert why in message
        assert named in message
        assert "Reader" in message


async def test_a_login_server_outside_the_cloud_gets_no_token(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Azure Resource Manager says: the identity is shown to registries of the cloud alone."""
    async with Azure.around(storage, monkeypatch) as azure:
        answer = await azure.dock.send({"resourceId": ODD, "sourceImage": "app:1"})
        assert json.loads(answer.body)["error"]["code"] == "unsafe_url"
        assert "registry.example" in answer.body


async def test_nothing_is_accepted_while_azure_resource_manager_does_not_answer(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told to ask again; what was wrong is not kept."""
    async with Azure.around(storage, monkeypatch) as azure:
        azure.arm.broken = True
        answer = await azure.dock.send({"resourceId": HERS, "sourceImage": "app:1"})
        assert json.loads(answer.body)["error"]["code"] == "registry_unavailable"
        assert "Azure Resource Manager" in answer.body
        azure.arm.broken = False
        assert (await azure.dock.send({"resourceId": HERS, "sourceImage": "app:1"})).status == 202


async def test_a_resource_id_is_read_by_this_apps_identity_and_nothing_else(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials that are configured for the same registry stay unused: they are wrong here, and nothing fails."""
    async with Azure.around(storage, monkeypatch) as azure:
        wrong = User("nobody", "nothing")
        configured = {"old": {"registry": azure.source, "username": wrong.name, "password": wrong.password}}
        settings = {**azure.settings, "TRANSLOAD_CREDENTIALS": json.dumps(configured)}
        async with Dock.opened(storage, azure.hosts, settings) as dock:
            await dock.require_arrived(await dock.import_from({"resourceId": HERS, "sourceImage": "app:1"}))
            refused = await dock.import_from({"registryUri": azure.source, "sourceImage": "app:1"}, mode="Force")
        assert refused["error"]["code"] == "authentication_failed"
