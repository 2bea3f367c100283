"""Emulators in process, reached through httpx without a socket."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import jwt
import pytest

from devtools.emulator import Emulator, EmulatorConfig, create_emulator
from devtools.raw_registry import RawRegistry

Connect = Callable[[Emulator], RawRegistry]
EntraToken = Callable[..., str]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes a bare client for an emulator; all are closed at the end."""
    async with AsyncExitStack() as stack:
        clients: list[httpx.AsyncClient] = []

        def connect_to(emulator: Emulator) -> RawRegistry:
            transport = httpx.ASGITransport(app=emulator.app)
            clients.append(httpx.AsyncClient(transport=transport, base_url="http://registry.example"))
            stack.push_async_callback(clients[-1].aclose)
            stack.callback(emulator.close)
            return RawRegistry("emulator", clients[-1])

        yield connect_to


@pytest.fixture
def emulator() -> Emulator:
    """An open registry in memory."""
    return create_emulator(EmulatorConfig())


@pytest.fixture
def registry(emulator: Emulator, connect: Connect) -> RawRegistry:
    """A client of it."""
    return connect(emulator)


@pytest.fixture
def entra_token() -> EntraToken:
    """Makes an Entra access token; claims can be changed, and None takes one away."""

    def make(**changes: object) -> str:
        claims = {
            "aud": "https://containerregistry.azure.net",
            "iss": "https://sts.windows.net/home-tenant/",
            "oid": "object-1",
            "appid": "app-1",
            "exp": int(time.time()) + 600,
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, "a key that the registry does not know", algorithm="HS256")

    return make
