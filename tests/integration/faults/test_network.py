"""What a network can do to an import: each fault on a real socket, and the same bytes at the target all the same."""

import socket
import ssl

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from devtools.emulator.faults import Answer, Delay, Drop, FaultRule, IgnoreRange, Phase, Stall, Truncate
from devtools.sample_images import digest, image, layer
from devtools.testing import running_emulator
from importcore.registry.origin import OriginGate
from importcore.registry.pool_transport import PoolTransport
from tests.integration.faults.voyage import CHUNK, IMAGE, NAME, Voyage, closed_host, push, require_waiting, rule

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

LOST = Drop(phase=Phase.AFTER)
AT_SOURCE = {
    "reset before an answer": rule(Drop(), "GET", NAME),
    "reset in the answer's body": rule(Drop(after_response_bytes=100_000), "GET", NAME),
    "stall in the answer's body": rule(Stall(after_response_bytes=100_000, seconds=30), "GET", NAME),
    "stall before the answer": rule(Delay(seconds=4), "GET", "/manifests/"),
    "truncated with a right length": rule(Truncate(to=100_000), "GET", NAME),
}
AT_TARGET = {
    "lost answer to POST": rule(LOST, "POST"),
    "lost answer to PATCH": rule(LOST, "PATCH", skip=1),
    "lost answer to the closing PUT": rule(LOST, "PUT", "/uploads/", skip=1),
    "lost answer to a small blob's PUT": rule(LOST, "PUT", "/uploads/"),
    "lost answer to a manifest": rule(LOST, "PUT", "/manifests/sha256:"),
    "lost answer to a tag": rule(LOST, "PUT", "/manifests/1$"),
}


@pytest.mark.parametrize("fault", AT_SOURCE.values(), ids=AT_SOURCE)
async def test_what_breaks_at_the_source_costs_no_byte_at_the_target(storage: str, fault: FaultRule) -> None:
    """The source is opened again where the target stands, which is asked: nothing is sent twice."""
    async with Voyage.begun(storage) as voyage:
        voyage.source.faults.add(fault)
        await voyage.require_landed(await voyage.ended())
        assert voyage.source.faults.fired() == [1]
        assert voyage.bytes_sent() == IMAGE.size


@pytest.mark.parametrize("fault", AT_TARGET.values(), ids=AT_TARGET)
async def test_what_breaks_at_the_target_is_asked_for(storage: str, fault: FaultRule) -> None:
    """What became of a request without an answer is found out; what was acknowledged is not sent again."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(fault)
        await voyage.require_landed(await voyage.ended())
        assert voyage.target.faults.fired() == [1]
        assert voyage.bytes_sent() == IMAGE.size
        assert len(voyage.target.journal.select("PUT", "/blobs/uploads/")) == len(IMAGE.blobs)  # asked, not repeated


async def test_a_chunk_that_broke_goes_on_behind_what_was_kept(storage: str) -> None:
    """The target hung up in a chunk and kept its beginning: the rest alone is sent again."""
    kept = 10_000
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(Drop(after_request_bytes=kept), "PATCH"))
        await voyage.require_landed(await voyage.ended())
        assert voyage.bytes_sent() == IMAGE.size + CHUNK - kept  # the journal counts what was read and thrown away


@pytest.mark.timeout(30)  # without a limit for writing, it would hang for minutes
async def test_a_target_that_takes_no_byte_is_given_up(storage: str) -> None:
    """The socket's buffers are full and nobody reads: after the idle time the request ends, and the blob goes on."""
    large = image([layer(16 * 1024 * 1024)])
    async with Voyage.begun(storage, large, TRANSLOAD_CHUNK_BYTES=str(16 * 1024 * 1024)) as voyage:
        voyage.target.faults.add(rule(Stall(after_request_bytes=1_000, seconds=300), "PATCH"))
        await voyage.require_landed(await voyage.ended(), large)
        assert voyage.bytes_sent() <= large.size + 16 * 1024 * 1024


async def test_a_body_longer_than_announced_is_no_blob(storage: str) -> None:
    """The source sends ten bytes more than the descriptor says, and once more the right ones."""
    text = b"a" * (4 * CHUNK)
    content = image([text])
    async with Voyage.begun(storage, content) as voyage:
        longer = Answer(status=200, body="a" * (len(text) + 10))
        voyage.source.faults.add(rule(longer, "GET", digest(text)))
        await voyage.require_landed(await voyage.ended(), content)
        assert voyage.source.faults.fired() == [1]


async def test_a_source_that_ignores_range_is_read_from_its_beginning(storage: str) -> None:
    """It answers 200 with the whole where a part was asked for: what is known is skipped, not sent."""
    async with Voyage.begun(storage) as voyage:
        voyage.source.faults.add(rule(Drop(after_response_bytes=100_000), "GET", NAME))
        voyage.source.faults.add(rule(IgnoreRange(), "GET", NAME, times=None))
        await voyage.require_landed(await voyage.ended())
        whole = [entry.status for entry in voyage.source.journal.select("GET", NAME) if entry.range]
        assert whole
        assert set(whole) == {200}
        assert voyage.bytes_sent() == IMAGE.size


async def test_a_redirect_that_fails_is_tried_again(storage: str) -> None:
    """The storage behind the registry does not listen; asked again, the registry serves the blob itself."""
    nobody = closed_host()
    async with Voyage.begun(storage, hosts=(nobody,)) as voyage:
        away = Answer(status=307, headers={"Location": f"http://{nobody}/blob?signature=secret"})
        voyage.source.faults.add(rule(away, "GET", NAME))
        record = await voyage.ended()
        await voyage.require_landed(record)
        assert "secret" not in str(record)
        assert voyage.bytes_sent() == IMAGE.size


async def test_a_refused_connection_waits_in_the_queue(storage: str) -> None:
    """Nothing listens at the source; when it is there again, the import ends as if nothing had been."""
    source = closed_host()
    async with Voyage.begun(storage, hosts=(source,)) as voyage:
        import_id = await voyage.submitted(source)
        record = await voyage.run_once(import_id)
        require_waiting(record, "registry_unavailable")
        async with running_emulator(port=int(source.rpartition(":")[2])) as (_, late):
            await push(source)
            await voyage.require_landed(await voyage.ended(import_id))
        assert late.journal.select("GET", NAME)
        assert voyage.bytes_sent() == IMAGE.size


class _Names(AbstractResolver):
    """Knows no name at first."""

    def __init__(self) -> None:
        self.knows = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if not self.knows:
            raise OSError(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0),
        ]

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_name_that_is_not_known_waits_in_the_queue(storage: str) -> None:
    """DNS fails; when it answers again, the import ends as if nothing had been."""
    names = _Names()

    def transport(gate: OriginGate, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
        return PoolTransport(gate, tls, names)

    port = closed_host().rpartition(":")[2]
    source = f"registry.test:{port}"
    async with (
        Voyage.begun(storage, transport=transport, hosts=(source,)) as voyage,
        running_emulator(port=int(port)),
    ):
        await push(f"127.0.0.1:{port}")
        import_id = await voyage.submitted(source)
        require_waiting(await voyage.run_once(import_id), "registry_unavailable")
        names.knows = True
        await voyage.require_landed(await voyage.ended(import_id))
        assert voyage.bytes_sent() == IMAGE.size
