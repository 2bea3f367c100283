"""The same cases on every registry: the emulator (open, as ACR, strict, on disk) and Debian's `docker-registry`.

Each registry runs once for all tests; each test works in two repositories of its own.
"""

import itertools
import os
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import jwt
import pytest
import pytest_asyncio

from devtools.emulator import EmulatorConfig, StateCheck
from devtools.raw_registry import RawRegistry
from devtools.testing import docker_registry_path, running_docker_registry, running_emulator

_HERE = Path(__file__).parent
_DIFFERENCES: dict[str, dict[str, str]] = tomllib.loads((_HERE / "known_differences.toml").read_text())
_EMULATORS = {
    "emulator": EmulatorConfig(),
    "emulator-acr": EmulatorConfig(auth="acr"),
    "emulator-strict": EmulatorConfig(state_check=StateCheck.EVERY_REQUEST),
}
_NUMBERS = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all in the loop that the registries live in, and expect the known differences to fail."""
    for item in items:
        if item.path.parent == _HERE and isinstance(item, pytest.Function) and "served" in item.fixturenames:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            kind = str(item.callspec.params["served"])
            reason = _DIFFERENCES.get(kind, {}).get(item.originalname)
            if reason is not None:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=[*_EMULATORS, "emulator-on-disk", "docker-registry"]
)
async def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RawRegistry]:
    """A registry of each kind, running."""
    kind: str = request.param
    folder = tmp_path_factory.mktemp(kind)
    async with AsyncExitStack() as stack:
        if kind == "docker-registry":
            if docker_registry_path() is None:
                if os.environ.get("CI"):
                    pytest.fail("docker-registry is not on PATH; CI must have it")
                pytest.skip("docker-registry is not on PATH (Debian package docker-registry)")
            address = await stack.enter_async_context(running_docker_registry(folder))
        else:
            config = _EMULATORS.get(kind, EmulatorConfig(data_dir=folder))
            address, _ = await stack.enter_async_context(running_emulator(config))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://{address}", trust_env=False))
        yield RawRegistry(kind, http)


@pytest_asyncio.fixture(loop_scope="session")
async def registry(served: RawRegistry) -> RawRegistry:
    """The registry, with two fresh repositories that the test is authorized for."""
    number = next(_NUMBERS)
    raw = replace(served, repository=f"contract/first-{number}", neighbour=f"contract/second-{number}")
    if raw.kind == "emulator-acr":
        await _log_in(raw)
    return raw


async def _log_in(raw: RawRegistry) -> None:
    """Go through the token dance of ACR and keep the access token in the client."""
    service = raw.http.base_url.netloc.decode()
    raw.http.headers.pop("Authorization", None)
    claims = {
        "aud": "https://containerregistry.azure.net",
        "iss": "https://sts.windows.net/contract-tenant/",
        "oid": "contract-principal",
        "exp": int(time.time()) + 3600,
    }
    entra_token = jwt.encode(claims, "a key that nobody here verifies with", algorithm="HS256")
    form = {"grant_type": "access_token", "service": service, "access_token": entra_token}
    exchanged = await raw.http.post("/oauth2/exchange", data=form)
    scopes = [f"repository:{name}:pull,push,delete" for name in (raw.repository, raw.neighbour)]
    wish = {
        "grant_type": "refresh_token",
        "service": service,
        "scope": [*scopes, "registry:catalog:*"],
        "refresh_token": exchanged.json()["refresh_token"],
    }
    answered = await raw.http.post("/oauth2/token", data=wish)
    raw.http.headers["Authorization"] = f"Bearer {answered.json()['access_token']}"
