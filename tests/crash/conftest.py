"""What the crash tests stand on: one Azurite for all of them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from devtools.azurite import running_azurite


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def storage() -> AsyncIterator[str]:
    """The connection string of a real Azurite that lives as long as the tests."""
    async with running_azurite() as azurite:
        yield azurite.connection_string
