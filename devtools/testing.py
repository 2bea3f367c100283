"""For tests: registries on real sockets, the emulated one in process and Debian's `docker-registry` beside it."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from devtools.emulator import Emulator, EmulatorConfig, create_emulator
from devtools.serving import reserve_port, serving

_READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files for a server: certificate chain and key; `authority` is what its clients must trust."""

    certfile: Path
    keyfile: Path
    authority: Path | None = None


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    return reserve_port()


@asynccontextmanager
async def running_emulator(
    config: EmulatorConfig | None = None, *, port: int = 0, tls: TlsFiles | None = None, data_endpoint: bool = False
) -> AsyncIterator[tuple[str, Emulator]]:
    """Serve an emulated registry in the running loop.

    Args:
        config: Its manners; None is an open registry in memory.
        port: The port; 0 takes a free one.
        tls: Serve https with these files; None is plain http.
        data_endpoint: Redirect blob GETs to a second port.

    Yields:
        The registry's address "127.0.0.1:port", and the emulator itself.
    """
    config = config or EmulatorConfig()
    files = {} if tls is None else {"certfile": tls.certfile, "keyfile": tls.keyfile}
    data_port = free_port()
    if data_endpoint:
        config = replace(config, data_url=f"{'https' if tls else 'http'}://127.0.0.1:{data_port}")
    emulator = create_emulator(config)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(emulator.close)
        stack.push_async_callback(emulator.announcements.aclose)
        bound = await stack.enter_async_context(serving(emulator.app, port, **files))
        if data_endpoint:
            await stack.enter_async_context(serving(emulator.app, data_port, **files))
        yield f"127.0.0.1:{bound}", emulator


def docker_registry_path() -> str | None:
    """Where Debian's `docker-registry` is; None when it is not installed."""
    return shutil.which("docker-registry")


@asynccontextmanager
async def running_docker_registry(
    folder: Path, tls: TlsFiles | None = None, auth: Mapping[str, object] | None = None
) -> AsyncIterator[str]:
    """Run Debian's `docker-registry` (distribution 2.8) with deletion enabled, and stop it at the end.

    Args:
        folder: An empty directory for its configuration, log and content.
        tls: Serve https with these files; None is plain http.
        auth: The section `auth` of its configuration; None lets everybody in.

    Yields:
        Its address "127.0.0.1:port".

    Raises:
        RuntimeError: It is not installed, or it does not get ready.
    """
    program = docker_registry_path()
    if program is None:
        raise RuntimeError("docker-registry is not on PATH; on Debian: apt-get install docker-registry")
    address = f"127.0.0.1:{free_port()}"
    http: dict[str, object] = {"addr": address, "secret": "one-process"}
    if tls is not None:
        http["tls"] = {"certificate": str(tls.certfile), "key": str(tls.keyfile)}
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "content")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": http,
        **({"auth": auth} if auth else {}),
    }
    (folder / "config.yml").write_text(json.dumps(config))  # YAML holds JSON
    with (folder / "registry.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, "serve", str(folder / "config.yml"), stdout=log, stderr=log
        )
    try:
        await _until_ready(f"{'https' if tls else 'http'}://{address}/v2/", process, folder / "registry.log")
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS), httpx.AsyncClient(verify=False) as client:  # noqa: S501 (only asks whether it listens)
            while process.returncode is None:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(url)
                    return
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        raise RuntimeError(f"docker-registry did not get ready; its log is {log}") from error
    raise RuntimeError(f"docker-registry ended; its log is {log}")
