"""A public registry: tokens for nobody from another host, blobs behind redirects, and pulls that are counted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from devtools.emulator import EmulatorConfig, Identities, User
from devtools.rehearsal import open_host
from devtools.serving import serving
from devtools.testing import running_emulator
from tests.integration.sources.dock import IMAGE, Dock, push
from tests.integration.sources.read_only_registry import ReadOnlyRegistry, Storage, TokenService

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_token_for_nobody_comes_from_another_host_and_goes_to_no_third(storage: str) -> None:
    """As at Docker Hub and GHCR: realm elsewhere, blobs in a storage that refuses an Authorization."""
    tokens, stored = TokenService(), Storage(IMAGE)
    async with serving(tokens.app()) as realm, serving(stored.app()) as behind:
        registry = ReadOnlyRegistry(
            IMAGE,
            challenge=f'Bearer realm="http://127.0.0.1:{realm}/token",service="registry.example"',
            authorization="Bearer a-token",
            blobs_at=f"http://127.0.0.1:{behind}",
        )
        async with serving(registry.app()) as port:
            hosts = {f"127.0.0.1:{each}": open_host() for each in (port, realm, behind)}
            async with Dock.opened(storage, hosts) as dock:
                await dock.require_arrived(await dock.import_from(f"127.0.0.1:{port}/app:1"))
    assert stored.served == len(IMAGE.blobs)
    assert tokens.queries == [{"service": "registry.example", "scope": "repository:app:pull"}]


async def test_the_data_endpoint_of_an_acr_sees_no_authorization(storage: str) -> None:
    """An ACR that is open to all; its data endpoint answers 400 to whoever sends one."""
    pusher = User("pusher", "push-secret")
    config = EmulatorConfig(auth="acr", anonymous_pull=True, identities=Identities(users=(pusher,)))
    async with running_emulator(config, data_endpoint=True) as (source, emulator):
        await push(source, auth=httpx.BasicAuth(pusher.name, pusher.password))
        data = str(emulator.config.data_url).removeprefix("http://")
        async with Dock.opened(storage, {source: open_host(), data: open_host()}) as dock:
            await dock.require_arrived(await dock.import_from(f"{source}/app:1"))
        fetched = emulator.journal.select("GET", "/data/")
        assert len(fetched) == len(IMAGE.blobs)
        assert {entry.authorization for entry in fetched} == {None}


class Hub:
    """A registry that counts pulls, and an import from it."""

    def __init__(self, dock: Dock, registry: ReadOnlyRegistry, address: str) -> None:
        self.dock, self.registry, self.address = dock, registry, address

    @classmethod
    @asynccontextmanager
    async def counting(cls, storage: str, quota: Callable[[int], Response | dict[str, str]]) -> AsyncIterator["Hub"]:
        """Start it."""
        registry = ReadOnlyRegistry(IMAGE, quota=quota)
        async with serving(registry.app()) as port:
            address = f"127.0.0.1:{port}"
            async with Dock.opened(storage, {address: open_host()}) as dock:
                yield cls(dock, registry, address)

    async def asleep(self) -> dict[str, Any]:
        """Send an import, and give its record when it has gone to sleep."""
        answer = await self.dock.send(f"{self.address}/app:1")
        import_id = json.loads(answer.body)["id"]
        at_work = asyncio.create_task(self.dock.app.work_off())
        try:
            async with asyncio.timeout(20):
                while True:
                    record = await self.dock.app.record(import_id)
                    if record["waitingUntil"]:
                        return record
                    await asyncio.sleep(0.05)
        finally:
            at_work.cancel()
            await asyncio.gather(at_work, return_exceptions=True)


def too_many(**headers: str) -> Response:
    """Docker Hub's answer to whoever has pulled too much."""
    body = {"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."}]}
    return JSONResponse(body, 429, {name.replace("_", "-"): value for name, value in headers.items()})


def left(number: int, window: str = "100;w=21600") -> dict[str, str]:
    """What an answer says about the quota."""
    return {"ratelimit-limit": window, "ratelimit-remaining": f"{number};w=21600"}


@pytest.mark.parametrize(
    ("quota", "pause", "pulls"),
    [
        (lambda _: left(0), 216, 1),
        (lambda _: left(0, "10;w=21600"), 2160, 1),
        (lambda _: too_many(**left(0)), 216, 1),
        (lambda _: too_many(Retry_After="95", **left(0)), 95, 1),
        (lambda number: left(1) if number == 1 else too_many(**left(0)), 216, 3),
    ],
    ids=["none left", "a narrow window", "429", "429 with Retry-After", "none left on the way"],
)
async def test_an_import_sleeps_in_the_queue_until_there_is_a_pull(
    storage: str, quota: Callable[[int], Response | dict[str, str]], pause: int, pulls: int
) -> None:
    """A pull's share of the window, or what the registry says; nothing is asked for in vain."""
    async with Hub.counting(storage, quota) as hub:
        record = await hub.asleep()
    assert (record["status"], record["error"]["code"], record["error"]["side"]) == ("Running", "rate_limited", "source")
    slept = [event["detail"] for event in record["history"] if event["event"] == "Waiting"]
    again = int(slept[0].removeprefix("rate_limited; again in ").removesuffix(" s"))
    assert pause - 2 <= again <= pause
    assert datetime.fromisoformat(record["waitingUntil"]) > datetime.now(UTC) + timedelta(seconds=pause - 60)
    assert len(hub.registry.asked("GET", "/manifests/")) <= pulls


async def test_what_was_answered_is_told_as_it_was_said(storage: str) -> None:
    """The registry's own words stand in the record while the import sleeps."""
    async with Hub.counting(storage, lambda _: too_many(**left(0))) as hub:
        record = await hub.asleep()
    assert record["error"]["answers"] == ["TOOMANYREQUESTS: You have reached your pull rate limit."]
    assert "Credentials" in record["error"]["action"]


async def test_pulls_that_are_left_are_used(storage: str) -> None:
    """A quota that is not used up changes nothing."""
    async with Hub.counting(storage, lambda number: left(100 - number)) as hub:
        await hub.dock.require_arrived(await hub.dock.import_from(f"{hub.address}/app:1"))
