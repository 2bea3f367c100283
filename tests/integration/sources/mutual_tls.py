"""Debian's `docker-registry`, which lets nobody in without a certificate of a known authority."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from devtools.registry_content import RegistryContent
from devtools.sample_images import SampleImage
from devtools.testing import TlsFiles, docker_registry_path, free_port


@asynccontextmanager
async def mutual_tls_registry(folder: Path, files: TlsFiles) -> AsyncIterator[str]:
    """Run it in a folder of its own, and stop it at the end.

    Args:
        folder: An empty directory.
        files: The server's own certificate, and the authority of its clients.

    Yields:
        Its address "127.0.0.1:port".
    """
    program = docker_registry_path()
    if program is None:
        raise RuntimeError("docker-registry is not on PATH; on Debian: apt-get install docker-registry")
    port = free_port()
    tls = {"certificate": str(files.certfile), "key": str(files.keyfile), "clientcas": [str(files.authority)]}
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "content")}},
        "http": {"addr": f"127.0.0.1:{port}", "tls": tls},
    }
    (folder / "config.yml").write_text(json.dumps(config))  # YAML holds JSON
    with (folder / "registry.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, "serve", str(folder / "config.yml"), stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(20):
            await _until_listening(port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def push_with_certificate(address: str, image: SampleImage, server: TlsFiles, client: TlsFiles) -> None:
    """Push an image as `app:1`."""
    context = ssl.create_default_context(cafile=server.authority)
    context.load_cert_chain(client.certfile, client.keyfile)
    async with httpx.AsyncClient(base_url=f"https://{address}", verify=context, trust_env=False) as http:
        await RegistryContent(http, "app").push(image, "1")


async def _until_listening(port: int) -> None:
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.02)
