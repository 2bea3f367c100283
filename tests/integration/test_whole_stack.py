"""The local stack as a user has it: its processes, its HTTP API, and what happens when one of them is killed."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from devtools.demo.proof import content_of
from devtools.receiver import Receiver
from devtools.stack_process import running_stack
from devtools.stack_user import CALLBACK_KEY, IMAGE, StackUser
from importcore.reference import Reference

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]


async def test_one_call_imports_an_image(user: StackUser) -> None:
    """202 with Location and Retry-After, then a record that ends Succeeded, and equal bytes at the target."""
    target = f"{user.stack.target}/one/call:1"
    answer = await user.api.post("/api/imports", json={"source": await user.push("one"), "target": target})
    assert answer.status_code == 202
    queued = answer.json()
    assert answer.headers["location"] == f"/api/imports/{queued['id']}"
    assert int(answer.headers["retry-after"]) > 0
    assert queued["status"] == "Queued"
    record = await user.ended(queued["id"])
    assert (record["status"], record["attempts"], record["resumptions"]) == ("Succeeded", 1, 0)
    assert [event["event"] for event in record["history"]] == ["Queued", "Started", "Planned", "Succeeded"]
    await user.require_equal(target)


async def test_the_words_of_acr_are_understood(user: StackUser) -> None:
    """`ImportImageParameters` as ACR has them, with the default target registry and the default tag."""
    await user.push("words")
    body = {"source": {"registryUri": user.stack.source, "sourceImage": "words:1"}, "mode": "Force"}
    record = await user.ended((await user.api.post("/api/imports", json=body)).json()["id"])
    assert record["status"] == "Succeeded"
    (target,) = record["targets"]
    assert (target["reference"], target["digest"]) == (f"{user.stack.target}/words:1", IMAGE.root)


async def test_one_call_waits_for_the_end(user: StackUser) -> None:
    """`Prefer: wait`: 200 with the record when the image is there, 422 when it could not be brought."""
    wait = {"Prefer": "wait=60"}
    good = {"source": await user.push("waited"), "target": f"{user.stack.target}/waited:1"}
    bad = good | {"source": f"{user.stack.source}/waited:missing"}
    answers = [await user.api.post("/api/imports", json=body, headers=wait, timeout=90) for body in (good, bad)]
    assert [(each.status_code, each.headers["preference-applied"]) for each in answers] == [
        (200, "wait=60"),
        (422, "wait=60"),
    ]
    assert [each.json()["status"] for each in answers] == ["Succeeded", "Failed"]
    again = await user.api.get(f"/api/imports/{answers[1].json()['id']}", headers=wait)
    assert (again.status_code, again.json()["error"]["code"]) == (422, "not_found")
    await user.require_equal(good["target"])


async def test_whoever_asked_is_called_back(user: StackUser) -> None:
    """The host's own triggers bring a notice from its queue to its receiver, signed, after a success and a failure."""
    more = {"target": f"{user.stack.target}/told:1", "callbackUrl": user.callback_url}
    good = await user.api.post("/api/imports", json={"source": await user.push("told"), **more})
    bad = await user.api.post("/api/imports", json={"source": f"{user.stack.source}/told:missing", **more})
    records = [await user.told(answer.json()["id"]) for answer in (good, bad)]
    told = {each.event["id"]: each for each in user.receiver.deliveries}
    assert {told[record["id"]].event["type"] for record in records} == {
        "Transload.Import.Succeeded",
        "Transload.Import.Failed",
    }
    assert all(each.is_signed_with(CALLBACK_KEY) for each in told.values())


async def test_every_wrong_field_is_named_and_nothing_is_queued(user: StackUser) -> None:
    """One answer names them all; the list of imports is as long as before."""
    before = (await user.api.get("/api/imports?top=200")).json()["value"]
    body = {
        "source": {"registryUri": "no host!", "sourceImage": "UPPER:1", "credentials": {"username": "u"}},
        "targetTags": ["ok:1", "bad tag"],
        "mode": "Maybe",
        "surprise": 1,
    }
    answer = await user.api.post("/api/imports", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_request"
    assert {problem["target"] for problem in error["details"]} == {
        "source.registryUri",
        "source.credentials.password",
        "targetTags.1",
        "mode",
        "surprise",
    }
    assert (await user.api.get("/api/imports?top=200")).json()["value"] == before


async def test_a_repeated_key_answers_the_first_record(user: StackUser) -> None:
    """The same Idempotency-Key gives the same import; another request under that key is a conflict."""
    body = {"source": await user.push("twice"), "target": f"{user.stack.target}/twice:1"}
    first = await user.api.post("/api/imports", json=body, headers={"Idempotency-Key": "k-1"})
    again = await user.api.post("/api/imports", json=body, headers={"Idempotency-Key": "k-1"})
    other = await user.api.post("/api/imports", json={**body, "mode": "Force"}, headers={"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")


async def test_the_list_is_newest_first_and_paged(user: StackUser) -> None:
    """Pages of two follow each other without gap or overlap, newest first; a status filters."""
    for number in range(3):
        body = {"source": await user.push("listed"), "target": f"{user.stack.target}/listed:{number}"}
        await user.ended((await user.api.post("/api/imports", json=body)).json()["id"])
    everything = (await user.api.get("/api/imports?top=200")).json()["value"]
    assert [r["createdAt"] for r in everything] == sorted((r["createdAt"] for r in everything), reverse=True)
    first = (await user.api.get("/api/imports?top=2")).json()
    second = (
        await user.api.get("/api/imports", params={"top": 2, "continuationToken": first["continuationToken"]})
    ).json()
    assert [r["id"] for r in first["value"] + second["value"]] == [r["id"] for r in everything[:4]]
    failed = (await user.api.get("/api/imports?status=Failed")).json()["value"]
    assert {r["status"] for r in failed} <= {"Failed"}
    assert (await user.api.get("/api/imports?status=Nope&top=0")).status_code == 400


async def test_unknown_imports_and_routes_are_404(user: StackUser) -> None:
    """An id that is none is 404 with a code; a wrong method is 404 as on the real host."""
    missing = await user.api.get("/api/imports/0123456789abcdefghj")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "import_not_found")
    assert (await user.api.delete("/api/imports")).status_code == 404


async def test_a_finished_import_cannot_be_canceled(user: StackUser) -> None:
    """Cancel after the end is a conflict and changes nothing."""
    body = {"source": await user.push("over"), "target": f"{user.stack.target}/over:1"}
    record = await user.ended((await user.api.post("/api/imports", json=body)).json()["id"])
    answer = await user.api.post(f"/api/imports/{record['id']}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def test_a_registry_that_is_not_allowed_is_refused(user: StackUser) -> None:
    """A target that this installation does not serve is 403, with the setting that decides it."""
    answer = await user.api.post("/api/imports", json={"source": "alpine", "target": "other.azurecr.io/a:1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert "TRANSLOAD_TARGET_REGISTRIES" in answer.json()["error"]["action"]


async def test_health_and_description_answer(user: StackUser) -> None:
    """Health names each part; the description has the paths that this test file uses."""
    health = await user.api.get("/api/health")
    assert health.json() == {
        "status": "ok",
        "parts": {"settings": "ok", "queue": "ok", "records": "ok", "plans": "ok", "rules": "ok"},
    }
    description = (await user.api.get("/api/openapi.json")).json()
    assert {"/imports", "/imports/{id}", "/imports/{id}/cancel"} <= set(description["paths"])


async def test_two_gibibytes_survive_a_kill_in_little_memory(tmp_path: Path) -> None:
    """Kill -9 in the middle of a 2 GiB layer: another run goes on, one chunk at most is sent twice, 150 MiB suffice."""
    block = os.urandom(1 << 20)
    chunk = 32 * 1024 * 1024
    async with running_stack("--lease-seconds", "3", "--data", str(tmp_path)) as stack:
        reference = Reference.in_registry(stack.source, "huge:1")
        async with content_of(reference, stack.identity) as content:
            original = await content.push_large(block, 2048, "1")
        async with httpx.AsyncClient(base_url=stack.api, timeout=30, trust_env=False) as api:
            user = StackUser(stack, api, Receiver(), "", tmp_path)
            body = {"source": str(reference), "target": f"{stack.target}/huge:1"}
            import_id = (await api.post("/api/imports", json=body)).json()["id"]
            while (await api.get(f"/api/imports/{import_id}")).json()["progress"]["bytesDone"] < 600 * 1024 * 1024:
                await asyncio.sleep(0.05)
            first_peak = peak_memory(stack.worker)
            os.kill(stack.worker, signal.SIGKILL)
            record = await user.ended(import_id)
            second_peak = peak_memory(await current_worker(tmp_path))
        async with httpx.AsyncClient(base_url=f"http://{stack.target}", trust_env=False) as http:
            journal = (await http.get("/_emulator/journal")).json()
        received = sum(entry["request_bytes"] for entry in journal if "/blobs/uploads/" in entry["path"])
        async with content_of(Reference.parse(body["target"]), stack.identity) as content:
            found = await content.read("1")
    assert (record["status"], record["error"]) == ("Succeeded", None)
    assert (record["attempts"], record["resumptions"]) == (2, 1)
    assert found == original
    size = sum(original.blobs.values())
    assert size <= received <= size + chunk
    assert max(first_peak, second_peak) < 150 * 1024 * 1024


def peak_memory(pid: int) -> int:
    """The most memory that a process has had resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


async def current_worker(data: Path) -> int:
    """The worker that the supervisor started instead of the killed one."""
    return int(json.loads((data / "processes.json").read_text())["workers"][0])


async def test_the_demo_succeeds() -> None:
    """`python -m devtools demo` ends with exit code 0, which it does only if all that it claims was true."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devtools", "demo"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert b"kill -9" in output
    assert b"the webhook was answered 202" in output
