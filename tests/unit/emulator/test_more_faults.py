"""The fault script's finer lies: headers that are not true, another host's Location, a body that stops moving."""

import httpx
import pytest

from devtools.emulator import Emulator, EmulatorConfig, create_emulator
from devtools.emulator.faults import AlterHeaders, Drop, FaultRule, LieOnHead, Relocate, Stall
from devtools.raw_registry import RawRegistry, digest_of, with_digest
from tests.unit.emulator.conftest import Connect

CHUNK = {"Content-Type": "application/octet-stream"}


async def test_an_answer_goes_out_with_other_headers(registry: RawRegistry, emulator: Emulator) -> None:
    """The chunk was taken; the range that is answered says less."""
    started = await registry.start_upload()
    emulator.faults.add(FaultRule(method="PATCH", action=AlterHeaders(headers={"Range": "0-1"})))
    lied = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    assert (lied.status_code, lied.headers["range"], status.headers["range"]) == (202, "0-1", "0-4")


async def test_a_location_leads_to_another_origin(registry: RawRegistry, emulator: Emulator) -> None:
    """Path and query are the true ones; an answer without a Location stays without."""
    emulator.faults.add(FaultRule(times=None, action=Relocate(origin="http://elsewhere.example")))
    started = await registry.start_upload()
    there = registry.located(started)
    listed = await registry.http.get("/v2/")
    here = with_digest(there.copy_with(host="registry.example"), digest_of(b"x"))
    finished = await registry.http.put(here, content=b"x")
    assert (there.host, finished.status_code, "location" in listed.headers) == ("elsewhere.example", 201, False)


async def test_a_head_lies_about_the_size_that_is_told(registry: RawRegistry, emulator: Emulator) -> None:
    """A phantom with the length that the client expects."""
    emulator.faults.add(FaultRule(method="HEAD", action=LieOnHead(exists=True, size=5)))
    found = await registry.http.head(registry.blob_path(digest_of(b"hello")))
    assert (found.status_code, found.headers["content-length"]) == (200, "5")


async def test_a_request_stalls_and_then_breaks(registry: RawRegistry, emulator: Emulator) -> None:
    """What came before is kept; the connection hangs for the time that is told, and then it is gone."""
    started = await registry.start_upload()
    emulator.faults.add(FaultRule(method="PATCH", action=Stall(after_request_bytes=2, seconds=3600)))
    with pytest.raises(httpx.RemoteProtocolError):
        await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    assert status.headers["range"] == "0-1"


async def test_an_answer_stalls_and_then_breaks(registry: RawRegistry, emulator: Emulator) -> None:
    """The first bytes come, and no more."""
    digest = await registry.push_blob(b"hello world")
    emulator.faults.add(FaultRule(method="GET", action=Stall(after_response_bytes=4, seconds=3600)))
    with pytest.raises(httpx.RemoteProtocolError):
        await registry.http.get(registry.blob_path(digest))
    assert emulator.journal.select("GET", digest)[0].response_bytes == 4


async def test_a_put_can_be_too_large_where_a_chunk_is_not(connect: Connect) -> None:
    """As proxies in front of a registry have it."""
    registry = connect(create_emulator(EmulatorConfig(largest_put=4)))
    started = await registry.start_upload()
    refused = await registry.http.put(with_digest(registry.located(started), digest_of(b"hello")), content=b"hello")
    taken = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    finished = await registry.http.put(with_digest(registry.located(taken), digest_of(b"hello")))
    assert (refused.status_code, taken.status_code, finished.status_code) == (413, 202, 201)


async def test_a_drop_without_a_place_still_ends_the_exchange(registry: RawRegistry, emulator: Emulator) -> None:
    """Nothing is answered."""
    emulator.faults.add(FaultRule(method="GET", action=Drop()))
    with pytest.raises(httpx.RemoteProtocolError):
        await registry.http.get("/v2/")
    assert emulator.journal.select("GET")[0].status is None
