"""`local.settings.sample.json` as it is, beside a stack on the ports that it names: what `func start` finds, too."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from devtools.registry_content import RegistryContent
from devtools.sample_images import image, layer
from devtools.stack_process import running_stack

_ROOT = Path(__file__).parents[3]
_SETTINGS = json.loads((_ROOT / "local.settings.sample.json").read_text())["Values"]
_PORTS = (10000, 10001, 10002, 5000, 5001)
_IMAGE = image([layer(10_000)])

pytestmark = pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@asynccontextmanager
async def _host() -> AsyncIterator[str]:
    """Run the local Functions host with the sample's settings and no others; its address."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRANSLOAD_", "AZURE"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devtools.functions_host", "--app", str(_ROOT)),
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=kept | _SETTINGS,
    )
    try:
        assert process.stdout is not None
        yield str(json.loads(await process.stdout.readline())["url"])
    finally:
        process.terminate()
        await process.wait()


async def test_an_import_succeeds_with_the_sample_as_it_is() -> None:
    """Storage, sealing key, registries and target are those that the sample names; nothing else is set."""
    taken = [port for port in _PORTS if not _is_free(port)]
    if taken:
        pytest.skip(f"something listens at {taken} already")
    async with (
        running_stack("--host", "none", "--sample-ports", "--registries", "distribution"),
        RegistryContent.at("http://127.0.0.1:5000", "app") as source,
        RegistryContent.at("http://127.0.0.1:5001", "copy") as target,
        _host() as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as api,
    ):
        await source.push(_IMAGE, "1")
        assert (await api.get("/api/health")).status_code == 200
        answer = await api.post("/api/imports", json={"source": "127.0.0.1:5000/app:1", "target": "copy:1"})
        place = answer.headers["location"]
        while (record := (await api.get(place)).json())["status"] in {"Queued", "Running"}:
            await asyncio.sleep(0.2)
        assert record["status"] == "Succeeded", record["error"]
        assert await target.tag_digest("1") == _IMAGE.root
