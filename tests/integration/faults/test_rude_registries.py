"""What registries do that the spec does not foresee, or foresees and clients forget."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from devtools.emulator import EmulatorConfig
from devtools.emulator.faults import (
    AlterHeaders,
    Answer,
    Corrupt,
    FaultRule,
    LieOnHead,
    Relocate,
)
from devtools.sample_images import image, layer
from devtools.serving import serving
from devtools.testing import free_port
from tests.integration.faults.voyage import (
    CHUNK,
    IMAGE,
    LAYER,
    NAME,
    Voyage,
    closed_host,
    push,
    refusal,
    require_waiting,
    rule,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

MEBIBYTE = 1024 * 1024
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_an_hour_that_a_registry_asks_for_is_slept_in_the_queue(storage: str, form: str, method: str) -> None:
    """429 with Retry-After: asked once, then the message is invisible for that hour, and the bytes stay sent."""
    async with Voyage.begun(storage) as voyage:
        asked = "3600" if form == "seconds" else format_datetime(datetime.now(UTC) + HOUR, usegmt=True)
        busy = voyage.source if method == "GET" else voyage.target
        busy.faults.add(
            rule(refusal(429, "TOOMANYREQUESTS", Retry_After=asked), method, NAME if method == "GET" else "")
        )
        import_id = await voyage.submitted()
        record = await voyage.run_once(import_id)
        require_waiting(record, "rate_limited")
        asleep = datetime.fromisoformat(record["waitingUntil"]) - datetime.now(UTC)
        assert HOUR / 2 < asleep <= HOUR
        assert busy.faults.fired() == [1]
        record = await voyage.ended(import_id)
        await voyage.require_landed(record)
        assert (record["attempts"], record["resumptions"]) == (2, 1)
        assert voyage.bytes_sent() == IMAGE.size + (CHUNK if method == "PATCH" else 0)  # the refused chunk was drained


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_registry_that_is_ill_for_long_is_waited_for(storage: str, status: int, method: str) -> None:
    """More 5xx than one run bears: the import sleeps between, and goes on where it was."""
    async with Voyage.begun(storage) as voyage:
        ill, path = (voyage.source, NAME) if method == "GET" else (voyage.target, "")
        ill.faults.add(rule(refusal(status, Retry_After="11"), method, path, times=3))
        import_id = await voyage.submitted()
        require_waiting(await voyage.run_once(import_id), "registry_unavailable")
        await voyage.require_landed(await voyage.ended(import_id))
        assert ill.faults.fired() == [3]
        assert voyage.bytes_sent() == IMAGE.size + (3 * CHUNK if method == "PATCH" else 0)


ABOUT_THE_SESSION = {
    "token ended": (refusal(401, "UNAUTHORIZED"), False),
    "session unknown": (refusal(404, "BLOB_UPLOAD_UNKNOWN"), True),
    "session invalid": (refusal(404, "BLOB_UPLOAD_INVALID"), True),
    "range not satisfiable": (refusal(416, "RANGE_INVALID"), False),
}


@pytest.mark.parametrize(("answer", "is_lost"), ABOUT_THE_SESSION.values(), ids=ABOUT_THE_SESSION)
async def test_a_refused_chunk_is_mended(storage: str, answer: Answer, *, is_lost: bool) -> None:
    """In the middle of a layer: a lost session begins again, every other trouble goes on where the target stands."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(answer, "PATCH", skip=2))
        record = await voyage.ended()
        assert (record["status"], record["error"], record["attempts"]) == ("Succeeded", None, 1)
        again = 3 * CHUNK if is_lost else CHUNK  # the refused chunk was drained, and two were in the lost session
        assert voyage.bytes_sent() == IMAGE.size + again


async def test_a_credential_that_stays_refused_is_the_imports_end(storage: str) -> None:
    """A 401 that a fresh token does not mend is said as it is, after two tries."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(refusal(401, "UNAUTHORIZED"), "PATCH", times=None))
        await voyage.require_nothing_tagged(await voyage.ended(), "authentication_failed")
        assert voyage.target.faults.fired() == [2]


async def test_a_session_that_followed_a_lost_one_is_canceled(storage: str) -> None:
    """The blob began again, and was refused before a chunk had passed: the second session goes with the import."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(refusal(404, "BLOB_UPLOAD_UNKNOWN"), "PATCH", skip=2))
        voyage.target.faults.add(rule(refusal(403, "DENIED"), "PATCH", skip=2))
        record = await voyage.ended()
        assert (record["status"], record["error"]["code"]) == ("Failed", "access_denied")
        assert len(voyage.target.state()["uploads"]) == 1  # the one that the target claimed to have lost


@pytest.mark.parametrize("said", ["0-1", f"0-{10 * CHUNK}"], ids=["less", "more"])
async def test_a_range_that_is_not_what_was_sent_is_asked_again(storage: str, said: str) -> None:
    """The status knows better than the answer to the chunk; nothing that it has is sent again."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(AlterHeaders(headers={"Range": said}), "PATCH"))
        await voyage.require_landed(await voyage.ended())
        assert voyage.bytes_sent() == IMAGE.size


async def test_chunks_are_as_large_as_the_registry_wants_them(storage: str) -> None:
    """OCI-Chunk-Min-Length is above the configured size."""
    async with Voyage.begun(storage, target=EmulatorConfig(chunk_at_least=3 * CHUNK)) as voyage:
        await voyage.require_landed(await voyage.ended())
        assert [entry.request_bytes for entry in voyage.target.journal.select("PATCH")] == [3 * CHUNK, CHUNK]


@pytest.mark.parametrize("path", [NAME, "/manifests/"], ids=["blob", "manifest"])
async def test_bytes_with_another_digest_are_never_tagged(storage: str, path: str) -> None:
    """The source serves altered bytes, again and again: the import ends and says so."""
    async with Voyage.begun(storage) as voyage:
        voyage.source.faults.add(rule(Corrupt(at=60), "GET", path, times=None))
        record = await voyage.ended()
        await voyage.require_nothing_tagged(record, "digest_mismatch")
        assert record["error"]["side"] == "source"


async def test_bytes_that_were_altered_once_are_read_again(storage: str) -> None:
    """A cache was broken for a moment; the blob begins again, and the altered one was never closed."""
    async with Voyage.begun(storage) as voyage:
        voyage.source.faults.add(rule(Corrupt(at=60), "GET", NAME))
        await voyage.require_landed(await voyage.ended())
        assert voyage.bytes_sent() == IMAGE.size + len(LAYER)


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
async def test_a_target_that_computes_another_digest(storage: str, times: int | None) -> None:
    """DIGEST_INVALID at the closing PUT: the blob begins again, three times at most."""
    async with Voyage.begun(storage, image([LAYER])) as voyage:
        voyage.target.faults.add(rule(refusal(400, "DIGEST_INVALID"), "PUT", "/uploads/", skip=1, times=times))
        record = await voyage.ended()
        if times:
            assert (record["status"], record["attempts"]) == ("Succeeded", 1)
            assert voyage.bytes_sent() == IMAGE.size + len(LAYER)
        else:
            assert (record["status"], record["error"]["code"]) == ("Failed", "digest_mismatch")
            assert record["error"]["side"] == "target"
            assert voyage.bytes_sent() == IMAGE.size + 3 * len(LAYER)


async def test_a_head_that_denies_what_is_there_costs_bytes_alone(storage: str) -> None:
    """Every blob stands there already; a registry that says no gets them once more."""
    async with Voyage.begun(storage) as voyage:
        await voyage.ended()
        voyage.target.faults.add(rule(LieOnHead(exists=False), "HEAD", "/blobs/", times=None))
        await voyage.require_landed(await voyage.ended())
        assert voyage.bytes_sent() == 2 * IMAGE.size


async def test_a_head_that_claims_what_is_not_there_tags_nothing(storage: str) -> None:
    """The manifest is refused because its layer is missing; the next run asks again, and brings it."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(LieOnHead(exists=True, size=len(LAYER)), "HEAD", f"/blobs/{NAME}"))
        import_id = await voyage.submitted()
        require_waiting(await voyage.run_once(import_id), "content_missing_at_target")
        assert voyage.target.state()["repositories"]["copy"]["tags"] == {}
        await voyage.require_landed(await voyage.ended(import_id))
        assert voyage.bytes_sent() == IMAGE.size


async def test_a_tag_that_moves_during_the_import_changes_nothing(storage: str) -> None:
    """The tag was resolved once; what it stands on later is another import."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(refusal(429, Retry_After="3600"), "PATCH", skip=1))
        import_id = await voyage.submitted()
        require_waiting(await voyage.run_once(import_id), "rate_limited")
        await push(voyage.source_host, image([layer(2 * CHUNK, seed=7)]))
        await voyage.require_landed(await voyage.ended(import_id))


ODD_MANIFESTS = {
    "larger than 4 MiB": ("{" + " " * 4 * MEBIBYTE + "}", "unsupported_content"),
    "malformed": ('{"schemaVersion": 2, "layers": [', "content_invalid"),
    "no object": ("[]", "content_invalid"),
}


@pytest.mark.parametrize(("body", "code"), ODD_MANIFESTS.values(), ids=ODD_MANIFESTS)
async def test_a_manifest_that_cannot_be_one_ends_the_import(storage: str, body: str, code: str) -> None:
    """Asked for once, said as it is, and no byte is sent."""
    async with Voyage.begun(storage) as voyage:
        headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
        voyage.source.faults.add(rule(Answer(status=200, headers=headers, body=body), "GET", "/manifests/", times=None))
        record = await voyage.ended()
        await voyage.require_nothing_tagged(record, code)
        assert voyage.source.faults.fired() == [1]
        assert voyage.bytes_sent() == 0


async def test_a_location_on_another_host_that_is_known_is_followed(storage: str) -> None:
    """The upload goes to the registry's second host."""
    port = free_port()
    async with Voyage.begun(storage, hosts=(f"127.0.0.1:{port}",)) as voyage, serving(voyage.target.app, port):
        voyage.target.faults.add(rule(Relocate(origin=f"http://127.0.0.1:{port}"), "POST", times=None))
        await voyage.require_landed(await voyage.ended())
        assert voyage.bytes_sent() == IMAGE.size


async def test_a_location_on_a_host_that_nobody_configured_is_not_opened(storage: str) -> None:
    """A private address that the settings do not name: refused, without its path and query."""
    async with Voyage.begun(storage) as voyage:
        voyage.target.faults.add(rule(Relocate(origin=f"http://{closed_host()}"), "POST", times=None))
        record = await voyage.ended()
        assert (record["status"], record["error"]["code"]) == ("Failed", "unsafe_url")
        assert "_state" not in str(record)
        assert voyage.bytes_sent() == 0


NO_CHUNKS: dict[str, FaultRule] = {
    "405": rule(refusal(405, "UNSUPPORTED"), "PATCH", times=None),
    "415": rule(refusal(415), "PATCH", times=None),
    "501": rule(refusal(501), "PATCH", times=None),
    "404 twice": rule(refusal(404), "PATCH", times=None),
}


@pytest.mark.parametrize("fault", NO_CHUNKS.values(), ids=NO_CHUNKS)
async def test_a_registry_that_takes_no_chunks_gets_one_put(storage: str, fault: FaultRule) -> None:
    """The layer goes whole, and the next one without asking for chunks again."""
    content = image([LAYER, layer(3 * CHUNK, seed=5)])
    async with Voyage.begun(storage, content, TRANSLOAD_PARALLEL_TRANSFERS="1") as voyage:
        voyage.target.faults.add(fault)
        await voyage.require_landed(await voyage.ended(), content)
        refused = voyage.target.journal.select("PATCH")
        assert len(refused) == (2 if fault.action == refusal(404) else 1)
        puts = [entry.request_bytes for entry in voyage.target.journal.select("PUT", "/blobs/uploads/")]
        assert sorted(puts)[1:] == [3 * CHUNK, 4 * CHUNK]


async def test_a_registry_that_takes_no_large_put_gets_chunks(storage: str) -> None:
    """No PUT above 20 MiB, as a proxy has it: what is larger never goes that way."""
    content = image([layer(21 * MEBIBYTE)])
    config = EmulatorConfig(largest_put=20 * MEBIBYTE)
    async with Voyage.begun(storage, content, target=config, TRANSLOAD_CHUNK_BYTES=str(32 * MEBIBYTE)) as voyage:
        await voyage.require_landed(await voyage.ended(), content)
        assert voyage.bytes_sent() == content.size


async def test_a_registry_that_takes_no_large_chunk_gets_smaller_ones(storage: str) -> None:
    """413 teaches the size."""
    content = image([layer(21 * MEBIBYTE)])
    config = EmulatorConfig(largest_chunk=10 * MEBIBYTE)
    async with Voyage.begun(storage, content, target=config, TRANSLOAD_CHUNK_BYTES=str(32 * MEBIBYTE)) as voyage:
        await voyage.require_landed(await voyage.ended(), content)
        taken = [e.request_bytes for e in voyage.target.journal.select("PATCH") if e.status == 202]
        assert max(taken) == 8 * MEBIBYTE
