"""What a platform does to an import: time slices, SIGTERM, frozen processes, poison, lost storage, a user's cancel."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from devtools.demo.proof import content_of
from devtools.demo.watch import worker_of
from devtools.sample_images import SampleImage, multi_platform
from devtools.stack_process import Stack, running_stack
from importcore.reference import Reference
from importcore.state.record import new_import_id

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

MEBIBYTE = 1024 * 1024
CHUNK = MEBIBYTE
IMAGE = multi_platform([20 * MEBIBYTE, 4 * MEBIBYTE], ["linux/amd64", "linux/arm64"])
FINAL = {"Succeeded", "Failed", "Canceled"}


class Scene:
    """A stack with a slow target, and one import under way."""

    def __init__(self, stack: Stack, api: httpx.AsyncClient, data: Path) -> None:
        self.stack, self.api, self.data = stack, api, data
        self.target = f"{stack.target}/copy:1"
        self.id = ""

    @classmethod
    @asynccontextmanager
    async def with_import(
        cls, data: Path, *options: str, image: SampleImage = IMAGE, parallel: int = 2
    ) -> AsyncIterator["Scene"]:
        """Start the stack, push the image, submit the import."""
        slow = ("--chunk-bytes", str(CHUNK), "--bytes-per-second", str(12 * MEBIBYTE), "--data", str(data))
        environment = {"TRANSLOAD_PARALLEL_TRANSFERS": str(parallel)}
        async with (
            running_stack(*slow, *options, environment=environment) as stack,
            httpx.AsyncClient(base_url=stack.api, timeout=60, trust_env=False) as api,
        ):
            scene = cls(stack, api, data)
            source = Reference.in_registry(stack.source, "app:1")
            async with content_of(source, stack.identity) as content:
                await content.push(image, "1")
            answer = await api.post("/api/imports", json={"source": str(source), "target": scene.target})
            scene.id = answer.json()["id"]
            yield scene

    async def record(self) -> dict[str, Any]:
        """The record now."""
        found: dict[str, Any] = (await self.api.get(f"/api/imports/{self.id}")).json()
        return found

    async def until(self, share: float) -> None:
        """Wait until this share of the bytes is at the target."""
        while not (progress := (await self.record())["progress"])["bytesTotal"] or (
            progress["bytesDone"] < share * progress["bytesTotal"]
        ):
            await asyncio.sleep(0.05)

    async def ended(self) -> dict[str, Any]:
        """Wait for the end."""
        while (record := await self.record())["status"] not in FINAL:
            await asyncio.sleep(0.1)
        return record

    async def bytes_received(self) -> int:
        """What the target was sent, by its own journal."""
        return sum(e["request_bytes"] for e in await self._emulator("journal") if "/blobs/uploads/" in e["path"])

    async def state(self) -> dict[str, Any]:
        """What the target holds."""
        found: dict[str, Any] = await self._emulator("state")
        return found

    async def _emulator(self, what: str) -> Any:  # noqa: ANN401 (JSON)
        async with httpx.AsyncClient(base_url=f"http://{self.stack.target}", trust_env=False) as http:
            return (await http.get(f"/_emulator/{what}")).json()

    def pids(self) -> dict[str, Any]:
        """The process ids now."""
        found: dict[str, Any] = json.loads((self.data / "processes.json").read_text())
        return found

    async def require_equal(self, image: SampleImage = IMAGE) -> None:
        """The target serves the image, byte for byte."""
        wanted = Reference.parse(self.target)
        async with content_of(wanted, self.stack.identity) as content:
            found = await content.read("1")
        assert (found.root, set(found.blobs)) == (image.root, set(image.blobs))


def events_of(record: dict[str, Any]) -> list[str]:
    """The names in the history."""
    return [event["event"] for event in record["history"]]


async def test_slices_of_a_second_make_many_runs_and_send_nothing_twice(tmp_path: Path) -> None:
    """An import that needs many time slices is continued again and again, each time where it was."""
    async with Scene.with_import(tmp_path, "--slice-seconds", "1", "--lease-seconds", "30") as scene:
        record = await scene.ended()
        assert (record["status"], record["error"]) == ("Succeeded", None)
        assert record["attempts"] == record["resumptions"] + 1 > 3
        assert events_of(record).count("HandedOver") == record["resumptions"]
        assert await scene.bytes_received() == IMAGE.size
        await scene.require_equal()


async def test_sigterm_hands_over_at_once(tmp_path: Path) -> None:
    """A worker that is told to end lets go of its import; another goes on long before the lease would have ended."""
    async with Scene.with_import(tmp_path, "--hosts", "2", "--lease-seconds", "170") as scene:
        await scene.until(0.2)
        for worker in scene.pids()["workers"]:
            os.kill(worker, signal.SIGTERM)
        record = await scene.ended()
        assert record["status"] == "Succeeded"
        assert "HandedOver" in events_of(record)
        assert "TakenOver" not in events_of(record)
        await scene.require_equal()


async def test_a_frozen_worker_wakes_up_fenced(tmp_path: Path) -> None:
    """A worker is frozen past its lease: another takes over and finishes; the sleeper wakes up and changes nothing."""
    async with Scene.with_import(tmp_path, "--hosts", "2", "--lease-seconds", "2") as scene:
        await scene.until(0.2)
        running = worker_of(await scene.record())
        os.kill(running, signal.SIGSTOP)
        record = await scene.ended()
        os.kill(running, signal.SIGCONT)
        await asyncio.sleep(3)
        assert record["status"] == "Succeeded"
        assert "TakenOver" in events_of(record)
        assert await scene.record() == record
        await scene.require_equal()
        logs = "".join(path.read_text() for path in (scene.data / "logs").iterdir())
        assert "this run stops" in logs


async def test_a_canceled_import_leaves_nothing_behind(tmp_path: Path) -> None:
    """Canceled in the middle: it stops within a heartbeat, its uploads are gone, and nothing is tagged."""
    async with Scene.with_import(tmp_path, "--lease-seconds", "6") as scene:
        await scene.until(0.2)
        answer = await scene.api.post(f"/api/imports/{scene.id}/cancel")
        assert (answer.status_code, answer.json()["cancelRequested"]) == (202, True)
        record = await scene.ended()
        assert (record["status"], events_of(record)[-2:]) == ("Canceled", ["CancelRequested", "Canceled"])
        state = await scene.state()
        assert state["uploads"] == []
        assert all(not repository["tags"] for repository in state["repositories"].values())


async def test_storage_that_is_away_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """Azurite stands still for 20 seconds: a POST in between is refused or accepted whole, and the import ends well."""
    async with Scene.with_import(tmp_path, "--lease-seconds", "60") as scene:
        await scene.until(0.2)
        azurite = scene.pids()["azurite"]
        os.kill(azurite, signal.SIGSTOP)
        source = f"{scene.stack.source}/app:1"
        refused = asyncio.create_task(
            scene.api.post("/api/imports", json={"source": source, "target": f"{scene.stack.target}/other:1"})
        )
        await asyncio.sleep(20)
        os.kill(azurite, signal.SIGCONT)
        answer = await refused
        assert answer.status_code in {202, 503}
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "storage_unavailable"
        record = await scene.ended()
        assert (record["status"], record["error"]) == ("Succeeded", None)
        assert await scene.bytes_received() <= IMAGE.size + 2 * CHUNK + (IMAGE.size if answer.status_code == 202 else 0)
        await scene.require_equal()


async def test_messages_that_nobody_can_read_do_no_harm(tmp_path: Path) -> None:
    """Garbage ends in the poison queue; a message of a newer version ends its import with the reason."""
    small = multi_platform([1_000], ["linux/amd64"])
    async with Scene.with_import(tmp_path, image=small) as scene:
        await scene.ended()
        storage = scene.stack.ready["azurite"]["connectionString"]
        policy = TextBase64EncodePolicy()
        async with QueueClient.from_connection_string(storage, "imports", message_encode_policy=policy) as queue:
            await queue.send_message("no JSON at all")
            await queue.send_message(json.dumps({"v": 99, "importId": new_import_id()}))
            while (await queue.get_queue_properties()).approximate_message_count:
                await asyncio.sleep(0.2)
        body = {"source": f"{scene.stack.source}/app:1", "target": f"{scene.stack.target}/after:1"}
        scene.id = (await scene.api.post("/api/imports", json=body)).json()["id"]
        assert (await scene.ended())["status"] == "Succeeded"
