"""What the settings say about one host: client certificates, transfers at once, chunks, requests and bytes a second."""

from pathlib import Path

import pytest

from devtools.rehearsal import open_host
from devtools.sample_images import image, layer, multi_platform
from devtools.serving import serving
from devtools.testing import TlsFiles
from tests.integration.sources.dock import IMAGE, Dock
from tests.integration.sources.mutual_tls import mutual_tls_registry, push_with_certificate
from tests.integration.sources.read_only_registry import ReadOnlyRegistry

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_client_certificate_is_shown_to_its_host(
    storage: str, tmp_path: Path, tls: TlsFiles, client_tls: TlsFiles
) -> None:
    """A real registry that lets nobody in without one serves the image."""
    async with mutual_tls_registry(tmp_path, tls) as source:
        await push_with_certificate(source, IMAGE, tls, client_tls)
        host = {
            "private": True,
            "caFile": str(tls.authority),
            "clientCertFile": str(client_tls.certfile),
            "clientKeyFile": str(client_tls.keyfile),
        }
        async with Dock.opened(storage, {source: host}) as dock:
            await dock.require_arrived(await dock.import_from(f"{source}/app:1"))


async def test_without_the_certificate_the_setting_that_would_help_is_named(
    storage: str, tmp_path: Path, tls: TlsFiles
) -> None:
    """At once: it will not pass by itself."""
    async with mutual_tls_registry(tmp_path, tls) as source:
        host = {"private": True, "caFile": str(tls.authority)}
        async with Dock.opened(storage, {source: host}) as dock:
            error = (await dock.import_from(f"{source}/app:1"))["error"]
    assert (error["code"], error["side"], "clientCertFile" in error["action"]) == ("unsafe_url", "source", True)


async def read_at_once(storage: str, **host: int) -> int:
    """How many blobs were read at once, at most, from a registry with these settings."""
    many = multi_platform([500] * 4, ["linux/amd64", "linux/arm64"])
    registry = ReadOnlyRegistry(many, blob_seconds=0.05)
    async with (
        serving(registry.app()) as port,
        Dock.opened(storage, {f"127.0.0.1:{port}": {**open_host(), **host}}) as dock,
    ):
        await dock.require_arrived(await dock.import_from(f"127.0.0.1:{port}/app:1"), many)
    return registry.most_at_once


async def test_so_many_blobs_are_read_at_once(storage: str) -> None:
    """From a registry with a limit of its own; without one it is that of the process."""
    assert await read_at_once(storage) > 2
    assert await read_at_once(storage, parallelTransfers=2) == 2
    assert await read_at_once(storage, parallelTransfers=1) == 1


async def test_the_limit_of_the_target_counts_as_well(storage: str) -> None:
    """Blobs that go to a slow target are not even begun to be read."""
    many = image([layer(500, seed) for seed in range(6)])
    registry = ReadOnlyRegistry(many, blob_seconds=0.05)
    async with serving(registry.app()) as port:
        hosts = {f"127.0.0.1:{port}": open_host()}
        async with Dock.opened(storage, hosts, target_host={"parallelTransfers": 1}) as dock:
            await dock.require_arrived(await dock.import_from(f"127.0.0.1:{port}/app:1"), many)
    assert registry.most_at_once == 1


async def test_chunks_are_as_large_as_the_target_wants_them(storage: str) -> None:
    """A layer of 300 KB goes in chunks of 128 KiB at most."""
    large = image([layer(300_000)])
    registry = ReadOnlyRegistry(large)
    async with serving(registry.app()) as port:
        hosts = {f"127.0.0.1:{port}": open_host()}
        async with Dock.opened(storage, hosts, target_host={"chunkBytes": 128 * 1024}) as dock:
            await dock.require_arrived(await dock.import_from(f"127.0.0.1:{port}/app:1"), large)
            chunks = [entry.range for entry in dock.emulator.journal.select("PATCH")]
    assert chunks == ["0-131071", "131072-262143", "262144-299999"]


async def test_a_paced_registry_is_read_and_written_whole(storage: str) -> None:
    """Pacing changes when bytes go, never which: those of a large blob in chunks, and of a small one in one request."""
    large = image([layer(300_000), layer(10)])
    registry = ReadOnlyRegistry(large)
    paces = {"requestsPerSecond": 500, "bytesPerSecond": 4_000_000}
    async with serving(registry.app()) as port:
        hosts = {f"127.0.0.1:{port}": {**open_host(), **paces}}
        async with Dock.opened(storage, hosts, target_host={**paces, "chunkBytes": 128 * 1024}) as dock:
            await dock.require_arrived(await dock.import_from(f"127.0.0.1:{port}/app:1"), large)
