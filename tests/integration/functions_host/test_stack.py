"""`python -m devtools up` as a process: what it starts again, and what it leaves behind."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

_ROOT = Path(__file__).parents[3]
_SAMPLE_APP = Path(__file__).parent / "sample_app"

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed"),
]


@dataclass(frozen=True, slots=True)
class UpProcess:
    """A running `python -m devtools up`, and what it printed."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    def processes(self) -> dict[str, Any]:
        """Read the current process ids."""
        found: dict[str, Any] = json.loads((Path(self.ready["data"]) / "processes.json").read_text())
        return found

    def has_data(self) -> bool:
        """Tell whether its directory is still there."""
        return Path(self.ready["data"]).exists()

    def pids(self) -> list[int]:
        """Give the ids of all processes but its own."""
        listed = self.processes()
        return [*listed.pop("workers"), *(pid for name, pid in listed.items() if name != "stack")]


@asynccontextmanager
async def _up(folder: Path, *options: str) -> AsyncIterator[UpProcess]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devtools", "up", "--app", str(_SAMPLE_APP), "--registries", "distribution", *options),
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env={**os.environ, "SAMPLE_QUEUE": "imports", "SAMPLE_LOG": str(folder / "notes")},
    )
    try:
        assert process.stdout is not None
        yield UpProcess(process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def _until_all_ended(pids: list[int]) -> None:
    while any(map(_is_alive, pids)):
        await asyncio.sleep(0.05)


async def test_a_killed_worker_is_replaced_while_the_api_answers(tmp_path: Path) -> None:
    """Kill -9 of a worker: the API goes on, a new worker runs, the other one is left alone."""
    async with _up(tmp_path, "--hosts", "2") as up, httpx.AsyncClient(base_url=up.ready["api"]) as api:
        before = up.processes()
        killed, spared = before["workers"]
        os.kill(killed, signal.SIGKILL)
        while killed in (now := up.processes())["workers"] or None in now["workers"]:
            assert (await api.get("/api/pid")).text == f"{before['api']} False"
            await asyncio.sleep(0.05)
        assert now["workers"][1] == spared
        assert now["workers"][0] not in before["workers"]
        assert now["api"] == before["api"]


async def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    """After SIGTERM every process has ended, the temporary directory is gone, and the exit status is 0."""
    async with _up(tmp_path) as up:
        pids = up.pids()
        assert len(pids) == len(set(pids)) == 6
        up.process.terminate()
        assert await up.process.wait() == 0
        assert not any(map(_is_alive, pids))
        assert not up.has_data()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="only Linux ends the children of a killed process")
async def test_a_killed_stack_leaves_no_process_behind(tmp_path: Path) -> None:
    """After kill -9 of the stack itself every process ends, too."""
    async with _up(tmp_path, "--data", str(tmp_path / "data")) as up:
        pids = up.pids()
        up.process.kill()
        await up.process.wait()
        await _until_all_ended(pids)


async def test_a_restart_with_the_same_data_finds_the_same_registries_and_key(tmp_path: Path) -> None:
    """With --data the addresses that imports remember and the key that seals credentials survive."""
    data = ("--data", str(tmp_path / "data"))
    async with _up(tmp_path, *data) as first:
        key = (tmp_path / "data/sealing-key").read_text()
    async with _up(tmp_path, *data) as second:
        assert [second.ready[name] for name in ("source", "target")] == [
            first.ready[name] for name in ("source", "target")
        ]
        assert (tmp_path / "data/sealing-key").read_text() == key


async def test_a_stack_that_cannot_start_says_why(tmp_path: Path) -> None:
    """An app that does not exist ends the command with status 1 and the host's own words, and nothing stays."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devtools", "up", "--registries", "distribution", "--app", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert b"there is no" in errors
