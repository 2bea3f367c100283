"""The emulator as a process of its own: it is killed, and comes back with all that it had."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from devtools.raw_registry import ACCEPT, RawRegistry, digest_of, with_digest

PROJECT = Path(__file__).parents[2]


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """Start the emulator, wait for its line, and see to it that it is gone at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devtools.emulator", *arguments, stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_killed_registry_goes_on_with_the_upload(tmp_path: Path) -> None:
    """SIGKILL between two chunks costs nothing: the status under the old Location says where to go on."""
    async with httpx.AsyncClient(trust_env=False) as http:
        async with _process("--data", str(tmp_path)) as (first, ready):
            http.base_url = httpx.URL(f"http://{ready['registry']}")
            raw = RawRegistry("process", http)
            manifest = await raw.push_image("v1")
            sent = await http.patch(raw.located(await raw.start_upload()), content=b"hello ")
            first.kill()
            await first.wait()
        port = ready["registry"].rpartition(":")[2]
        async with _process("--data", str(tmp_path), "--port", port):
            status = await http.get(raw.located(sent))
            rest = await http.patch(raw.located(status), content=b"world")
            finished = await http.put(with_digest(raw.located(rest), digest_of(b"hello world")))
            read = await http.get(raw.manifest_path("v1"), headers=ACCEPT)
    assert (status.headers["range"], finished.status_code) == ("0-5", 201)
    assert read.content == manifest


async def test_it_stops_when_asked() -> None:
    """SIGTERM ends it with status 0."""
    async with _process("--memory") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_data_port_is_another_origin() -> None:
    """With --data-port, a blob is redirected there and served."""
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        _process("--memory", "--data-port", "0") as (_, ready),
    ):
        http.base_url = httpx.URL(f"http://{ready['registry']}")
        raw = RawRegistry("process", http)
        digest = await raw.push_blob(b"hello")
        redirect = await http.get(raw.blob_path(digest))
        read = await http.get(raw.located(redirect))
    assert raw.located(redirect).netloc.decode() == ready["data"] != ready["registry"]
    assert read.content == b"hello"


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not on PATH (Debian package skopeo)")
async def test_skopeo_can_log_in_and_copy(tmp_path: Path) -> None:
    """A client that knows nothing of this project copies from one repository to another, through the token service."""
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        _process("--memory", "--auth", "acr", "--user", "robot:secret") as (_, ready),
    ):
        http.base_url = httpx.URL(f"http://{ready['registry']}")
        http.auth = httpx.BasicAuth("robot", "secret")
        raw = RawRegistry("process", http)
        manifest = await raw.push_image("v1", config=b'{"architecture":"amd64","os":"linux"}', layers=())
        command = [
            "skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false",
            "--src-creds", "robot:secret", "--dest-creds", "robot:secret",
            f"docker://{ready['registry']}/{raw.repository}:v1", f"docker://{ready['registry']}/copied:v2",
        ]  # fmt: skip
        skopeo = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path
        )
        output, _error = await skopeo.communicate()
        read = await http.get(raw.manifest_path("v2", "copied"), headers=ACCEPT)
    assert skopeo.returncode == 0, output.decode()
    assert read.content == manifest
