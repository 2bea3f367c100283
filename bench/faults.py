"""Does every import survive everything at once? Run as `python -m bench.faults`.

A hundred imports of mixed images, on the local stack with three worker hosts. Meanwhile the registries answer falsely
every few requests, and one of the hosts is killed with SIGKILL every few seconds. At the end every byte is read back.
The exit code is 1 when a promise was broken.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.fault_rain import rain
from bench.soak_tally import Tally
from devtools.demo.proof import content_of
from devtools.registry_content import BrokenContentError
from devtools.sample_images import SampleImage, image, layer, multi_platform
from devtools.stack_process import Stack, running_stack
from importcore.reference import Reference

KIBIBYTE = 1024
CHUNK = 256 * KIBIBYTE
LEASE_SECONDS = 5
PARALLEL = 6
_FINAL = frozenset({"Succeeded", "Failed", "Canceled"})


def subject(number: int) -> SampleImage:
    """The image of one import; every one has bytes of its own."""
    kind, seed = number % 5, 10_000 * number
    if kind == 0:
        return multi_platform([300 * KIBIBYTE, 2_000], ["linux/amd64", "linux/arm64"], seed)
    if kind == 1:
        return image([layer(1_200 * KIBIBYTE, seed)])
    return image([layer(700 * KIBIBYTE * (kind == 2) + 5_000 * (i + 1), seed + i) for i in range(2 + kind)])


class Soak:
    """One stack under fire."""

    def __init__(self, stack: Stack, folder: Path, imports: int, dice: random.Random) -> None:
        self._stack, self._folder, self._dice = stack, folder, dice
        self._images = [subject(number) for number in range(imports)]
        self._kills: list[tuple[datetime, str]] = []
        self._api = httpx.AsyncClient(base_url=stack.api, timeout=120, trust_env=False)
        self._control = httpx.AsyncClient(timeout=120, trust_env=False)
        self.tally = Tally(imports, lease_seconds=LEASE_SECONDS, chunk_bytes=CHUNK, parallel=PARALLEL)

    async def run(self, every_requests: int, every_seconds: float, at_most: float) -> Tally:
        """Push the images, rain faults and kills while the imports run, and count what became of them."""
        for number, content in enumerate(self._images):
            async with content_of(Reference.parse(f"{self._stack.source}/app{number}:1"), self._stack.identity) as to:
                await to.push(content, "1")
        began = time.monotonic()
        for host in (self._stack.source, self._stack.target):
            rules = rain(40 * len(self._images) // every_requests + 20, every_requests, self._dice)
            (await self._control.post(f"http://{host}/_emulator/faults", json=rules)).raise_for_status()
        ids = [await self._submit(number) for number in range(len(self._images))]
        tormentors = [asyncio.create_task(self._kill(every_seconds)), asyncio.create_task(self._watch_tags())]
        try:
            async with asyncio.timeout(at_most):
                records = await asyncio.gather(*map(self._ended, ids))
        except TimeoutError:
            records = [(await self._api.get(f"/api/imports/{import_id}")).json() for import_id in ids]
        finally:
            for task in tormentors:
                task.cancel()
            await asyncio.gather(*tormentors, return_exceptions=True)
        self.tally.seconds = time.monotonic() - began
        self.tally.kills = len(self._kills)
        await self._count(records)
        await self._api.aclose()
        await self._control.aclose()
        return self.tally

    async def _submit(self, number: int) -> str:
        body = {"source": f"{self._stack.source}/app{number}:1", "target": f"{self._stack.target}/copy{number}:1"}
        answer = await self._api.post("/api/imports", json=body)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise RuntimeError(f"not accepted: {answer.text}")
        return str(answer.json()["id"])

    async def _ended(self, import_id: str) -> dict[str, Any]:
        while True:
            record: dict[str, Any] = (await self._api.get(f"/api/imports/{import_id}")).json()
            if record["status"] in _FINAL:
                return record
            await asyncio.sleep(2)

    async def _kill(self, every_seconds: float) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(0.5, 1.5) * every_seconds)
            workers = json.loads((self._folder / "processes.json").read_text())["workers"]
            alive = [pid for pid in workers if pid]
            if not alive:
                continue
            victim = self._dice.choice(alive)
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                self._kills.append((datetime.now(UTC), str(victim)))

    async def _watch_tags(self) -> None:
        """Look at the target again and again: what a tag stands on must be there whole, whenever the tag is seen."""
        by_root = {content.root: content for content in self._images}
        while True:
            state = (await self._control.get(f"http://{self._stack.target}/_emulator/state")).json()
            for name, repository in state["repositories"].items():
                for root in repository["tags"].values():
                    content = by_root[root]
                    missing = (content.manifests.keys() - repository["manifests"].keys()) | (
                        content.blobs.keys() - set(repository["blobs"])
                    )
                    if missing:
                        self.tally.early_tags.append(f"{name}: {min(missing)}")
            await asyncio.sleep(0.5)

    async def _count(self, records: list[dict[str, Any]]) -> None:
        tally = self.tally
        fired = {}
        for host in (self._stack.source, self._stack.target):
            fired[host] = (await self._control.get(f"http://{host}/_emulator/faults")).json()
            tally.faults += sum(rule["fired"] for rule in fired[host])
            (await self._control.delete(f"http://{host}/_emulator/faults")).raise_for_status()
        journal = (await self._control.get(f"http://{self._stack.target}/_emulator/journal")).json()
        tally.sent_bytes = sum(entry["request_bytes"] for entry in journal if "/blobs/uploads/" in entry["path"])
        tally.image_bytes = sum(content.size for content in self._images)
        puts = [e["path"] for e in journal if e["method"] == "PUT" and "/manifests/" in e["path"]]
        tally.manifests_again = len(puts) - len(set(puts))
        for number, record in enumerate(records):
            tally.runs += record["attempts"]
            tally.note_takeovers(record, self._kills)
            if record["status"] not in _FINAL:
                tally.lost.append(record["id"])
            elif record["status"] != "Succeeded":
                tally.failed.append(f"{record['id']}: {json.dumps(record['error'])}")
            elif not await self._is_equal(number):
                tally.wrong.append(record["id"])

    async def _is_equal(self, number: int) -> bool:
        wanted = self._images[number]
        async with content_of(Reference.parse(f"{self._stack.target}/copy{number}:1"), self._stack.identity) as content:
            try:
                found = await content.read("1")
            except BrokenContentError:
                return False
        return (found.root, set(found.blobs)) == (wanted.root, set(wanted.blobs))


async def soak(options: argparse.Namespace) -> Tally:
    """Start a stack and let it rain."""
    with tempfile.TemporaryDirectory(prefix="transload-soak-") as folder:
        stack = running_stack(
            *("--hosts", "3", "--lease-seconds", str(LEASE_SECONDS), "--chunk-bytes", str(CHUNK), "--data", folder),
            environment={"TRANSLOAD_PARALLEL_TRANSFERS": str(PARALLEL)},
        )
        async with stack as started:
            dice = random.Random(options.seed)  # noqa: S311 (chance, no secret)
            run = Soak(started, Path(folder), options.imports, dice)
            return await run.run(options.fault_every, options.kill_every, options.seconds_at_most)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description="A soak under faults and kills")
    parser.add_argument("--imports", type=int, default=100)
    parser.add_argument("--fault-every", type=int, default=8, help="requests between two faults, on average")
    parser.add_argument("--kill-every", type=float, default=4.0, help="seconds between two kills, on average")
    parser.add_argument("--seconds-at-most", type=float, default=1500.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = asyncio.run(soak(options))
    print(tally.table())
    for name in ("lost", "failed", "wrong", "early_tags"):
        for line in getattr(tally, name):
            print(f"{name}: {line}")
    sys.exit(0 if tally.kept else 1)


if __name__ == "__main__":
    main()
