"""The local Functions host as a process, in front of the real Azurite."""

import os
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from azure.storage.queue.aio import QueueServiceClient

from devtools.azurite import Azurite, running_azurite
from devtools.functions_host.testing import ObservedHost, ObservedQueue, StartHost
from devtools.stack.child import Child, ChildSpec

SAMPLE_APP = Path(__file__).parent / "sample_app"
REPOSITORY_ROOT = Path(__file__).parents[3]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    """One Azurite for all tests of this folder."""
    async with running_azurite() as running:
        yield running


@pytest.fixture
async def queue(azurite: Azurite) -> AsyncIterator[ObservedQueue]:
    """A queue that exists."""
    name = f"q-{uuid.uuid4().hex[:12]}"
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        await service.create_queue(name)
        yield ObservedQueue(service, name)


@pytest.fixture
def start_host(azurite: Azurite, queue: ObservedQueue, tmp_path: Path) -> StartHost:
    """Start a host on the sample app; keyword arguments are app settings, positional ones go to the command line."""

    @asynccontextmanager
    async def start(*arguments: str, **settings: str) -> AsyncIterator[ObservedHost]:
        environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY_ROOT),
            "AzureWebJobsStorage": azurite.connection_string,
            "SAMPLE_QUEUE": queue.name,
            "SAMPLE_LOG": str(tmp_path / "notes"),
            **settings,
        }
        command = (sys.executable, "-m", "devtools.functions_host", "--app", str(SAMPLE_APP), *arguments)
        child = await Child.start(ChildSpec("host", command, tmp_path / "host.log", environment, SAMPLE_APP))
        try:
            yield ObservedHost(child, tmp_path / "notes")
        finally:
            await child.stop()

    return start
