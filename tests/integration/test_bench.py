"""The bench runs, and what it lets the contestants copy really is copied."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from bench.stage import differences, empty_registry, make_tls, registry_client
from bench.subjects import Subject, push
from devtools.testing import docker_registry_path

_ROOT = Path(__file__).parents[2]
_PEERS = ("skopeo", "crane", "regctl", "oras")

pytestmark = [
    pytest.mark.skipif(docker_registry_path() is None, reason="needs docker-registry"),
    pytest.mark.enable_socket,
]


@pytest.mark.timeout(300)
async def test_every_contestant_on_path_copies_both_images_equal(tmp_path: Path) -> None:
    """Transload and each peer that is installed copy the large and the layered image, equal digest by digest."""
    numbers = tmp_path / "numbers.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.copy_images", "--quick", "--json", str(numbers), "--folder", str(tmp_path),
        cwd=_ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    report = json.loads(numbers.read_text(encoding="utf-8"))
    present = {"Transload", *(peer for peer in _PEERS if shutil.which(peer))}
    assert report["not on PATH"] == [peer for peer in _PEERS if peer not in present]
    assert len(report["subjects"]) == 2
    for subject in report["subjects"]:
        assert {run["contestant"] for run in subject["runs"]} == present
        assert [run["wrong"] for run in subject["runs"]] == [[] for _ in present]
        assert all(run["cost"]["cpu"] > 0 and run["cost"]["peak"] > 0 for run in subject["runs"])


async def test_a_copy_that_differs_is_named(tmp_path: Path) -> None:
    """Where a registry holds another image than the one that should be there, every difference is listed."""
    tls = make_tls(tmp_path)
    async with empty_registry(tmp_path, tls) as address, registry_client(address, tls) as http:
        asked_for = await push(http, Subject("one", "bench/one", (2048,)))
        assert await differences(http, asked_for) == []

        await push(http, Subject("another", "bench/one", (4096,)))
        (wrong,) = await differences(http, asked_for)
        assert asked_for.manifest in wrong

        (await http.delete(f"/v2/bench/one/blobs/{asked_for.blobs[-1]}")).raise_for_status()
        assert [asked_for.blobs[-1] in line for line in await differences(http, asked_for)] == [False, True]
