"""What only a socket shows: connections that break within a body, throttling of both bodies, and TLS."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from devtools.emulator import Emulator, EmulatorConfig
from devtools.emulator.faults import Drop, FaultRule, Phase
from devtools.raw_registry import RawRegistry
from devtools.testing import TlsFiles, docker_registry_path, running_docker_registry, running_emulator

MIB = 1 << 20


def _raw(address: str, scheme: str = "http", verify: ssl.SSLContext | bool = True) -> RawRegistry:  # noqa: FBT001, FBT002 (httpx's own argument)
    return RawRegistry("socket", httpx.AsyncClient(base_url=f"{scheme}://{address}", verify=verify, trust_env=False))


async def _collect(raw: RawRegistry, digest: str, received: bytearray) -> None:
    """Read a blob into a buffer that outlives a broken connection."""
    async with raw.http.stream("GET", raw.blob_path(digest)) as answer:
        async for piece in answer.aiter_raw():
            received += piece


async def test_an_answer_breaks_off_after_exactly_so_many_bytes() -> None:
    """The client gets the first bytes, true ones, and then the end of the connection."""
    data = bytes(range(256)) * 4096
    async with running_emulator() as (address, emulator):
        raw = _raw(address)
        async with raw.http:
            digest = await raw.push_blob(data)
            emulator.faults.add(FaultRule(method="GET", path="/blobs/", action=Drop(after_response_bytes=300_000)))
            received = bytearray()
            with pytest.raises(httpx.RemoteProtocolError):
                await _collect(raw, digest, received)
            again = await raw.http.get(raw.blob_path(digest))
    assert received == data[:300_000]
    assert again.content == data


@pytest.mark.parametrize("action", [Drop(), Drop(phase=Phase.AFTER), Drop(after_request_bytes=100_000)])
async def test_a_connection_breaks_without_an_answer(action: Drop) -> None:
    """However the registry hangs up, the client sees a transport error, and a new connection works at once."""
    async with running_emulator() as (address, emulator):
        raw = _raw(address)
        async with raw.http:
            started = await raw.start_upload()
            emulator.faults.add(FaultRule(method="PATCH", action=action))
            with pytest.raises(httpx.TransportError):
                await raw.http.patch(raw.located(started), content=b"x" * MIB)
            status = await raw.http.get(raw.located(started))
    kept = {Phase.AFTER: MIB - 1}.get(action.phase, (action.after_request_bytes or 1) - 1)
    assert status.headers["range"] == f"0-{kept}"


async def _take_one_piece(raw: RawRegistry, digest: str) -> None:
    """Begin to read a blob and hang up."""
    async with raw.http.stream("GET", raw.blob_path(digest)) as answer:
        await anext(answer.aiter_raw())


async def _dropped_reads(emulator: Emulator) -> int:
    """How much of the answer was produced, once it stays the same."""
    seen = -1
    while (now := emulator.journal.select("GET", "/blobs/")[0].response_bytes) != seen:
        seen = now
        await asyncio.sleep(0.05)
    return seen


async def test_nobody_reads_for_a_client_that_is_gone() -> None:
    """When the client hangs up in the middle of a large blob, the registry stops as well."""
    async with running_emulator() as (address, emulator):
        raw = _raw(address)
        async with raw.http:
            digest = await raw.push_blob(bytes(64 * MIB))
            await _take_one_piece(raw, digest)
            produced = await _dropped_reads(emulator)
    assert produced < 64 * MIB


async def test_a_throttled_registry_still_tells_the_truth() -> None:
    """The pace of the registry changes no byte in either direction."""
    data = bytes(range(256)) * 400
    async with running_emulator(EmulatorConfig(bytes_per_second=1_000_000)) as (address, _):
        raw = _raw(address)
        async with raw.http:
            digest = await raw.push_blob(data)
            read = await raw.http.get(raw.blob_path(digest))
    assert read.content == data


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    """A certificate for 127.0.0.1, and the authority that made it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(files.certfile)
    certificate.private_key_pem.write_to_path(files.keyfile)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return files


async def test_the_emulator_speaks_tls(tls: TlsFiles) -> None:
    """With a certificate the challenge's realm is https too."""
    trusting = ssl.create_default_context(cafile=tls.authority)
    async with running_emulator(EmulatorConfig(auth="acr"), tls=tls) as (address, _):
        raw = _raw(address, "https", trusting)
        async with raw.http:
            door = await raw.http.get("/v2/")
    assert door.headers["www-authenticate"].startswith(f'Bearer realm="https://{address}/oauth2/token"')


@pytest.mark.skipif(docker_registry_path() is None, reason="docker-registry is not on PATH")
async def test_docker_registry_speaks_tls(tls: TlsFiles, tmp_path: Path) -> None:
    """The real registry takes the same files."""
    trusting = ssl.create_default_context(cafile=tls.authority)
    async with running_docker_registry(tmp_path, tls) as address:
        raw = _raw(address, "https", trusting)
        async with raw.http:
            door = await raw.http.get("/v2/")
    assert door.status_code == 200
