"""The fault script: what is told to go wrong goes wrong, as often as told, and is written in the journal."""

import httpx
import pytest

from devtools.emulator import Emulator
from devtools.emulator.faults import (
    Action,
    Answer,
    Corrupt,
    Delay,
    Drop,
    FaultRule,
    FaultScript,
    IgnoreRange,
    LieOnHead,
    Phase,
    Throttle,
    Truncate,
)
from devtools.raw_registry import ACCEPT, RawRegistry, digest_of, with_digest

CHUNK = {"Content-Type": "application/octet-stream"}


async def _read(registry: RawRegistry, emulator: Emulator, action: Action, **headers: str) -> httpx.Response:
    """Push a blob, then read it with a fault."""
    digest = await registry.push_blob(b"hello world")
    emulator.faults.add(FaultRule(method="GET", path="/blobs/", action=action))
    return await registry.http.get(registry.blob_path(digest), headers=headers)


def test_rules_count_what_they_match() -> None:
    """A rule lets `skip` matches pass, fires `times` times, and is silent then."""
    script = FaultScript()
    script.add(FaultRule(method="GET", path="/v2/.*/blobs/", skip=1, times=2, action=Delay(seconds=0)))
    asked = [("GET", "/v2/a/blobs/x"), ("HEAD", "/v2/a/blobs/x"), ("GET", "/v2/"), *[("GET", "/v2/a/blobs/x")] * 4]
    assert [len(script.take(method, path)) for method, path in asked] == [0, 0, 0, 1, 1, 0, 0]
    assert script.fired() == [2]


def test_disturbances_add_up_until_something_ends_the_exchange() -> None:
    """Rules are taken in order; after one that decides the answer the rest is not even counted."""
    script = FaultScript()
    actions: list[Action] = [Delay(seconds=0), Drop(), Answer(status=500)]
    for action in actions:
        script.add(FaultRule(action=action))
    assert script.take("GET", "/") == actions[:2]
    assert script.take("GET", "/") == actions[2:]
    assert script.take("GET", "/") == []


def test_a_rule_without_a_number_never_ends() -> None:
    """`times` None fires on every match."""
    script = FaultScript()
    script.add(FaultRule(times=None, action=Answer(status=503)))
    assert [len(script.take("GET", "/")) for _ in range(5)] == [1] * 5
    assert script.fired() == [5]


async def test_an_answer_before_has_no_effect(registry: RawRegistry, emulator: Emulator) -> None:
    """The registry is not asked: the chunk is not there."""
    started = await registry.start_upload()
    emulator.faults.add(
        FaultRule(method="PATCH", action=Answer(status=429, headers={"Retry-After": "60"}, body="slow down"))
    )
    answered = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    assert (answered.status_code, answered.headers["retry-after"], answered.text) == (429, "60", "slow down")
    assert status.headers["range"] == "0-0"


async def test_an_answer_after_has_its_effect(registry: RawRegistry, emulator: Emulator) -> None:
    """The registry took the chunk, and the client is told otherwise."""
    started = await registry.start_upload()
    emulator.faults.add(FaultRule(method="PATCH", action=Answer(status=500, phase=Phase.AFTER)))
    answered = await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    assert (answered.status_code, status.headers["range"]) == (500, "0-4")


@pytest.mark.parametrize(("phase", "kept"), [(Phase.BEFORE, "0-0"), (Phase.AFTER, "0-4")])
async def test_a_connection_drops_without_an_answer(
    registry: RawRegistry, emulator: Emulator, phase: Phase, kept: str
) -> None:
    """The client sees a broken connection, and only the status tells whether the chunk was taken."""
    started = await registry.start_upload()
    emulator.faults.add(FaultRule(method="PATCH", action=Drop(phase=phase)))
    with pytest.raises(httpx.RemoteProtocolError):
        await registry.http.patch(registry.located(started), content=b"hello", headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    assert status.headers["range"] == kept
    assert [entry.dropped for entry in emulator.journal.select("PATCH")] == [True]


async def test_a_connection_drops_within_the_request(registry: RawRegistry, emulator: Emulator) -> None:
    """What came before the break stays, and the upload goes on from there."""
    data = b"0123456789"
    started = await registry.start_upload()
    emulator.faults.add(FaultRule(method="PATCH", action=Drop(after_request_bytes=4)))
    with pytest.raises(httpx.RemoteProtocolError):
        await registry.http.patch(registry.located(started), content=data, headers=CHUNK)
    status = await registry.http.get(registry.located(started))
    more = await registry.http.patch(registry.located(status), content=data[4:], headers=CHUNK)
    finished = await registry.http.put(with_digest(registry.located(more), digest_of(data)))
    assert (status.headers["range"], finished.status_code) == ("0-3", 201)


async def test_a_connection_drops_within_the_answer(registry: RawRegistry, emulator: Emulator) -> None:
    """The body breaks off; the journal knows after how many bytes."""
    with pytest.raises(httpx.RemoteProtocolError):
        await _read(registry, emulator, Drop(after_response_bytes=3))
    assert [entry.response_bytes for entry in emulator.journal.select("GET", "/blobs/")] == [3]


async def test_a_body_is_cut_with_a_length_that_agrees(registry: RawRegistry, emulator: Emulator) -> None:
    """Only the digest can tell."""
    answered = await _read(registry, emulator, Truncate(to=5))
    assert (answered.status_code, answered.headers["content-length"], answered.content) == (200, "5", b"hello")


async def test_a_byte_is_corrupted(registry: RawRegistry, emulator: Emulator) -> None:
    """One byte is another, and everything else is as it should be."""
    answered = await _read(registry, emulator, Corrupt(at=1))
    assert (answered.content[0:1], answered.content[2:]) == (b"h", b"llo world")
    assert answered.content[1] != b"hello"[1]


async def test_a_range_is_ignored(registry: RawRegistry, emulator: Emulator) -> None:
    """The answer is 200 with everything, as from a server that knows no ranges."""
    answered = await _read(registry, emulator, IgnoreRange(), Range="bytes=6-")
    assert (answered.status_code, answered.content) == (200, b"hello world")


async def test_a_slow_registry_still_tells_the_truth(registry: RawRegistry, emulator: Emulator) -> None:
    """Delay and throttle change when, never what."""
    digest = await registry.push_blob(b"hello world")
    emulator.faults.add(FaultRule(action=Delay(seconds=0.001)))
    emulator.faults.add(FaultRule(action=Throttle(bytes_per_second=1_000_000)))
    answered = await registry.http.get(registry.blob_path(digest))
    assert answered.content == b"hello world"
    assert emulator.journal.select("GET", digest)[-1].faults == ("delay", "throttle")


async def test_a_head_lies_that_nothing_is_there(registry: RawRegistry, emulator: Emulator) -> None:
    """The blob is there, and HEAD says 404."""
    digest = await registry.push_blob(b"hello")
    emulator.faults.add(FaultRule(method="HEAD", action=LieOnHead(exists=False)))
    head = await registry.http.head(registry.blob_path(digest))
    read = await registry.http.get(registry.blob_path(digest))
    assert (head.status_code, read.status_code) == (404, 200)


async def test_a_head_lies_that_something_is_there(registry: RawRegistry, emulator: Emulator) -> None:
    """The manifest is not there, and HEAD says 200 with its digest: oras calls this a phantom."""
    digest = digest_of(b"phantom")
    emulator.faults.add(FaultRule(method="HEAD", path="/manifests/", action=LieOnHead(exists=True)))
    head = await registry.http.head(registry.manifest_path(digest), headers=ACCEPT)
    read = await registry.http.get(registry.manifest_path(digest), headers=ACCEPT)
    assert (head.status_code, head.headers["docker-content-digest"], read.status_code) == (200, digest, 404)


async def test_the_script_can_be_written_over_http(registry: RawRegistry, emulator: Emulator) -> None:
    """POST adds rules, GET tells how often each fired, DELETE ends them."""
    rule = {"method": "GET", "path": "/tags/list$", "times": None, "action": {"kind": "answer", "status": 503}}
    added = await registry.http.post("/_emulator/faults", json=[rule])
    hit = await registry.http.get("/v2/a/tags/list")
    listed = await registry.http.get("/_emulator/faults")
    cleared = await registry.http.delete("/_emulator/faults")
    free = await registry.http.get("/v2/a/tags/list")
    assert (added.status_code, hit.status_code, cleared.status_code, free.status_code) == (204, 503, 204, 404)
    assert listed.json()[0]["fired"] == 1
    assert emulator.faults.rules() == []


async def test_a_rule_that_is_not_understood_is_refused(registry: RawRegistry, emulator: Emulator) -> None:
    """A misspelt script changes nothing, instead of a test that quietly proves nothing."""
    refused = await registry.http.post("/_emulator/faults", json={"pfad": "x", "action": {"kind": "drop"}})
    assert refused.status_code == 400
    assert emulator.faults.rules() == []
