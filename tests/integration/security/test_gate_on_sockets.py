"""The origin gate where it counts: at the sockets of the real connection pool."""

import asyncio
import ssl

import httpx
import pytest

from importcore.errors import UnsafeUrlError
from importcore.registry.origin import OriginGate
from importcore.registry.pool_transport import PoolTransport
from importcore.settings.model import HostSettings


async def test_a_pool_asks_no_server_on_an_address_that_its_name_may_not_have() -> None:
    """With real sockets: the server on this machine hears nothing of a name that was pointed at it."""
    asked: list[bytes] = []

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(heard, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = PoolTransport(OriginGate(lambda _: HostSettings()), ssl.create_default_context())
    async with server, httpx.AsyncClient(transport=pool) as http:
        with pytest.raises(UnsafeUrlError, match="refused to connect"):
            await http.get(f"http://localhost:{port}/")

    assert asked == []


async def test_a_pool_connects_to_no_forbidden_address_even_if_nobody_checked_the_url() -> None:
    """The gate's own transport stands in front of the pool; here it is left out, as a mistake would."""
    pool = PoolTransport(OriginGate(lambda _: HostSettings(), ("127.0.0.1:9",)), ssl.create_default_context())

    async with httpx.AsyncClient(transport=pool) as http:
        for place in ("169.254.169.254", "[::ffff:169.254.169.254]", "127.0.0.1:9", "[::1]:9"):
            with pytest.raises(UnsafeUrlError, match="never connected to"):
                await http.get(f"http://{place}/")
