"""Mirrors: asked first and in order, passed over when they do not have it or do not answer, trusted with nothing."""

import pytest

from devtools.emulator.faults import Answer, Corrupt, FaultRule
from devtools.rehearsal import open_host
from devtools.serving import reserve_port, serving
from devtools.testing import running_emulator
from tests.integration.sources.dock import IMAGE, Dock, push
from tests.integration.sources.read_only_registry import ReadOnlyRegistry

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_content_comes_from_the_first_mirror_that_has_it(storage: str) -> None:
    """The registry itself is asked for nothing but its lists."""
    async with running_emulator() as (first, empty), running_emulator() as (second, full):
        await push(second)
        pushed = len(list(full.journal))
        registry = ReadOnlyRegistry(IMAGE)
        async with serving(registry.app()) as port:
            source = f"127.0.0.1:{port}"
            mirrored = {**open_host(), "mirrors": [first, second]}
            async with Dock.opened(storage, {source: mirrored, first: open_host(), second: open_host()}) as dock:
                await dock.require_arrived(await dock.import_from(f"{source}/app:1"))
        asked = {"first": list(empty.journal), "second": list(full.journal)[pushed:]}
        blobs = {name: [e for e in entries if "/blobs/" in e.path] for name, entries in asked.items()}
        assert [len(found) for found in blobs.values()] == [len(IMAGE.blobs)] * 2
        assert {entry.status for entry in blobs["first"]} == {404}
        assert registry.asked("GET", "/blobs/") == []
        assert {entry.method for entries in asked.values() for entry in entries} <= {"GET", "HEAD"}


@pytest.mark.parametrize("trouble", ["404", "500", "401", "unreachable"])
async def test_the_registry_itself_is_asked_where_no_mirror_helps(storage: str, trouble: str) -> None:
    """A mirror in trouble costs nothing but the question."""
    async with running_emulator() as (mirror, emulator):
        if trouble in {"500", "401"}:
            emulator.faults.add(FaultRule(path=".*", action=Answer(status=int(trouble)), times=10_000))
        named = f"127.0.0.1:{reserve_port()}" if trouble == "unreachable" else mirror
        registry = ReadOnlyRegistry(IMAGE)
        async with serving(registry.app()) as port:
            source = f"127.0.0.1:{port}"
            hosts = {source: {**open_host(), "mirrors": [named]}, named: open_host()}
            async with Dock.opened(storage, hosts) as dock:
                await dock.require_arrived(await dock.import_from(f"{source}/app:1"))
        assert len(registry.asked("GET", "/blobs/")) == len(IMAGE.blobs)


async def test_what_a_mirror_serves_is_verified(storage: str) -> None:
    """A mirror that alters a blob cannot bring it into the target."""
    async with running_emulator() as (mirror, emulator):
        await push(mirror)
        emulator.faults.add(FaultRule(method="GET", path="/blobs/", action=Corrupt(at=0), times=10_000))
        registry = ReadOnlyRegistry(IMAGE)
        async with serving(registry.app()) as port:
            source = f"127.0.0.1:{port}"
            hosts = {source: {**open_host(), "mirrors": [mirror]}, mirror: open_host()}
            async with Dock.opened(storage, hosts) as dock:
                record = await dock.import_from(f"{source}/app:1")
                assert (record["status"], record["error"]["code"]) == ("Failed", "digest_mismatch")
                assert dock.emulator.state()["repositories"].get("app", {}).get("tags", {}) == {}


async def test_credentials_of_the_registry_do_not_go_to_its_mirror(storage: str) -> None:
    """Which asks for a sign-in that it does not get, and is passed over."""
    mirror = ReadOnlyRegistry(IMAGE, challenge='Basic realm="mirror"', authorization="Basic never")
    registry = ReadOnlyRegistry(IMAGE, challenge='Basic realm="registry"', authorization="Basic cm9ib3Q6cjBib3Q=")
    async with serving(mirror.app()) as beside, serving(registry.app()) as port:
        source = f"127.0.0.1:{port}"
        hosts = {source: {**open_host(), "mirrors": [f"127.0.0.1:{beside}"]}, f"127.0.0.1:{beside}": open_host()}
        async with Dock.opened(storage, hosts) as dock:
            credentials = {"username": "robot", "password": "r0bot"}
            named = {"registryUri": source, "sourceImage": "app:1", "credentials": credentials}
            await dock.require_arrived(await dock.import_from(named))
    assert mirror.seen
    assert {seen.authorization for seen in mirror.seen} == {None}
