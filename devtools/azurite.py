"""Runs Azurite, the storage emulator, as its own process; the version is pinned in package.json.

`--skipApiVersionCheck` is needed because the newest storage SDKs name an API version that Azurite does not know yet.
"""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devtools.stack.tether import tethered

_SCRIPT = Path(__file__).parent.parent / "node_modules/azurite/dist/src/azurite.js"
_READY_SECONDS = 30.0
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's well-known account; it protects nothing."""


class AzuriteError(RuntimeError):
    """Azurite is not installed, or it did not start."""


@dataclass(frozen=True, slots=True)
class AzuritePorts:
    """Where the three services listen on 127.0.0.1."""

    blob: int
    queue: int
    table: int

    @classmethod
    def free(cls) -> "AzuritePorts":
        """Choose three different ports that were free a moment ago."""
        with contextlib.ExitStack() as stack:
            probes = [stack.enter_context(socket.socket()) for _ in range(3)]
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            return cls(*(probe.getsockname()[1] for probe in probes))


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running Azurite: the endpoints of its services, with the account in their path."""

    blob: str
    queue: str
    table: str

    account: str = ACCOUNT

    @classmethod
    def at(cls, ports: AzuritePorts, account: str = ACCOUNT) -> "Azurite":
        """Describe the Azurite that listens on these ports, for one of its accounts."""
        blob, queue, table = (f"http://127.0.0.1:{port}/{account}" for port in (ports.blob, ports.queue, ports.table))
        return cls(blob, queue, table, account)

    @property
    def ports(self) -> AzuritePorts:
        """Where it listens."""
        return AzuritePorts(*(urlsplit(url).port or 0 for url in (self.blob, self.queue, self.table)))

    @property
    def connection_string(self) -> str:
        """What `AzureWebJobsStorage` is set to."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={self.blob};QueueEndpoint={self.queue};TableEndpoint={self.table};"
        )


def azurite_command(ports: AzuritePorts, location: Path | None) -> list[str]:
    """Give the command that runs Azurite.

    Args:
        ports: Where it shall listen.
        location: Where it keeps its data; None keeps all in memory.

    Raises:
        AzuriteError: Node or the package is missing.
    """
    node = shutil.which("node")
    if node is None or not _SCRIPT.is_file():
        missing = "node is not on PATH" if node is None else f"{_SCRIPT} is missing"
        raise AzuriteError(f"Azurite is not installed ({missing}): run make setup")
    keep = ["--inMemoryPersistence"] if location is None else ["--location", str(location)]
    services = [("--blobPort", ports.blob), ("--queuePort", ports.queue), ("--tablePort", ports.table)]
    flags = [text for name, port in services for text in (name, str(port))]
    return [node, str(_SCRIPT), *keep, "--skipApiVersionCheck", "--disableTelemetry", "--silent", *flags]


async def until_listening(ports: AzuritePorts) -> None:
    """Return when all three services accept connections (the table service is the last)."""
    for port in (ports.blob, ports.queue, ports.table):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                break


@asynccontextmanager
async def running_azurite(location: Path | None = None, accounts: Sequence[str] = ()) -> AsyncIterator[Azurite]:
    """Run Azurite on free ports as long as the context lasts.

    Args:
        location: Where it keeps its data; None keeps all in memory.
        accounts: The names of its accounts, all with the well-known key; its own one alone where none is named.

    Raises:
        AzuriteError: It is not installed, or it did not start.
    """
    ports = AzuritePorts.free()
    named = ";".join(f"{account}:{ACCOUNT_KEY}" for account in accounts)
    process = await asyncio.create_subprocess_exec(
        *tethered(azurite_command(ports, location)),
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **({"AZURITE_ACCOUNTS": named} if named else {})},
    )
    try:
        await _until_ready(process, ports)
        yield Azurite.at(ports)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, ports: AzuritePorts) -> None:
    ready, ended = asyncio.create_task(until_listening(ports)), asyncio.create_task(process.wait())
    await asyncio.wait({ready, ended}, timeout=_READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    is_ready = ready.done()
    for task in (ready, ended):
        task.cancel()
    if not is_ready:
        raise AzuriteError(f"Azurite did not start (exit status {process.returncode})")
