"""A registry that is not Azure's: Basic, Bearer with credentials, TLS of its own, and what the settings forbid."""

import base64
from typing import Any

import pytest

from devtools.rehearsal import open_host
from devtools.serving import serving
from devtools.testing import TlsFiles
from tests.integration.sources.dock import IMAGE, Dock
from tests.integration.sources.read_only_registry import ReadOnlyRegistry, TokenService

pytestmark = pytest.mark.asyncio(loop_scope="session")

BASIC = "Basic " + base64.b64encode(b"robot:r0bot-secret").decode()
CREDENTIALS = {"username": "robot", "password": "r0bot-secret"}
TLS_ALONE: dict[str, Any] = {"private": True}


def source_at(port: int, **more: object) -> dict[str, object]:
    """The image of a registry at a port of this machine."""
    return {"registryUri": f"127.0.0.1:{port}", "sourceImage": "app:1", **more}


async def test_a_registry_that_wants_basic_gets_it(storage: str) -> None:
    """After its challenge, and not before."""
    registry = ReadOnlyRegistry(IMAGE, challenge='Basic realm="registry"', authorization=BASIC)
    async with serving(registry.app()) as port, Dock.opened(storage, {f"127.0.0.1:{port}": open_host()}) as dock:
        await dock.require_arrived(await dock.import_from(source_at(port, credentials=CREDENTIALS)))
    assert [seen.authorization for seen in registry.seen[:2]] == [None, BASIC]


async def test_a_token_service_gets_the_credentials_and_the_registry_the_token(storage: str) -> None:
    """The password goes to the realm alone, and the token to the registry alone."""
    tokens = TokenService(BASIC)
    async with serving(tokens.app()) as realm:
        challenge = f'Bearer realm="http://127.0.0.1:{realm}/token",service="private"'
        registry = ReadOnlyRegistry(IMAGE, challenge=challenge, authorization="Bearer a-token")
        async with serving(registry.app()) as port:
            hosts = {f"127.0.0.1:{port}": open_host(), f"127.0.0.1:{realm}": open_host()}
            async with Dock.opened(storage, hosts) as dock:
                await dock.require_arrived(await dock.import_from(source_at(port, credentials=CREDENTIALS)))
    assert {seen.authorization for seen in registry.seen} == {None, "Bearer a-token"}
    assert [query["scope"] for query in tokens.queries] == ["repository:app:pull"]


@pytest.mark.parametrize("credentials", [None, {"username": "robot", "password": "wrong"}], ids=["none", "wrong"])
async def test_a_registry_that_is_not_satisfied_is_named(storage: str, credentials: dict[str, str] | None) -> None:
    """The source, the step, 401, and what to look at."""
    registry = ReadOnlyRegistry(IMAGE, challenge='Basic realm="registry"', authorization=BASIC)
    async with serving(registry.app()) as port, Dock.opened(storage, {f"127.0.0.1:{port}": open_host()}) as dock:
        record = await dock.import_from(source_at(port, credentials=credentials))
    error = record["error"]
    assert (error["code"], error["side"], error["step"], error["status"]) == (
        "authentication_failed", "source", "get manifest", 401,
    )  # fmt: skip
    assert "credentials" in error["action"]


async def test_a_private_certificate_authority_is_trusted_where_the_settings_name_it(
    storage: str, tls: TlsFiles
) -> None:
    """For that host."""
    registry = ReadOnlyRegistry(IMAGE)
    async with serving(registry.app(), certfile=tls.certfile, keyfile=tls.keyfile) as port:
        hosts = {f"127.0.0.1:{port}": {**TLS_ALONE, "caFile": str(tls.authority)}}
        async with Dock.opened(storage, hosts) as dock:
            await dock.require_arrived(await dock.import_from(source_at(port)))


async def refused(storage: str, port: int, host: dict[str, Any]) -> dict[str, str]:
    """The error of an import from a registry at a port, with the settings of its host."""
    async with Dock.opened(storage, {f"127.0.0.1:{port}": host} if host else {}) as dock:
        error: dict[str, str] = (await dock.import_from(source_at(port)))["error"]
        return error


async def test_an_unknown_certificate_authority_is_refused_with_the_setting_that_would_help(
    storage: str, tls: TlsFiles
) -> None:
    """At once: it will not pass by itself."""
    registry = ReadOnlyRegistry(IMAGE)
    async with serving(registry.app(), certfile=tls.certfile, keyfile=tls.keyfile) as port:
        error = await refused(storage, port, TLS_ALONE)
    assert (error["code"], error["side"], "caFile" in error["action"]) == ("unsafe_url", "source", True)
    assert "certificate is not trusted" in error["message"]
    assert registry.seen == []


async def test_a_registry_without_tls_is_refused_with_the_setting_that_would_help(storage: str) -> None:
    """Nothing is ever sent in clear that the settings do not allow."""
    registry = ReadOnlyRegistry(IMAGE)
    async with serving(registry.app()) as port:
        error = await refused(storage, port, TLS_ALONE)
    assert (error["code"], error["side"], "plainHttp" in error["action"]) == ("unsafe_url", "source", True)
    assert "does not speak TLS" in error["message"]
    assert registry.seen == []


async def test_a_private_address_is_refused_with_the_setting_that_would_help(storage: str) -> None:
    """Else a request could look around in the network that the app runs in."""
    registry = ReadOnlyRegistry(IMAGE)
    async with serving(registry.app()) as port:
        error = await refused(storage, port, {})
    assert (error["code"], error["side"], '"private"' in error["action"]) == ("unsafe_url", "source", True)
    assert registry.seen == []
