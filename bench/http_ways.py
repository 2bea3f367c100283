"""Ways to read a blob and to send one: the HTTP clients that `http_client.py` compares, behind one small protocol."""

import ssl
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from importcore.registry.origin import OriginGate
from importcore.registry.pool_transport import PoolTransport
from importcore.settings.model import HostSettings

_TIMEOUT = httpx.Timeout(60.0)
_OCTETS = {"Content-Type": "application/octet-stream"}


class Way(Protocol):
    """One way to speak HTTP."""

    def read(self, url: str) -> AsyncIterator[bytes]:
        """GET a body, in pieces as this client gives them."""

    async def send(self, method: str, url: str, body: AsyncIterator[bytes] | None, length: int) -> str:
        """Send a body of `length` bytes; answers the Location."""

    async def aclose(self) -> None:
        """Close the connections."""


class HttpxWay:
    """Through httpx, with any transport below it."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._http = httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, trust_env=False)

    async def read(self, url: str) -> AsyncIterator[bytes]:
        """GET a body."""
        async with self._http.stream("GET", url) as response:
            response.raise_for_status()
            async for piece in response.aiter_raw():
                yield piece

    async def send(self, method: str, url: str, body: AsyncIterator[bytes] | None, length: int) -> str:
        """Send a body."""
        headers = {**_OCTETS, "Content-Length": str(length)}
        response = await self._http.request(method, url, content=body, headers=headers)
        return str(response.raise_for_status().headers["location"])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class AiohttpWay:
    """Through aiohttp alone, as the measure of what the layer above it costs."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls), auto_decompress=False, read_bufsize=512 * 1024
        )

    async def read(self, url: str) -> AsyncIterator[bytes]:
        """GET a body."""
        async with self._http.get(url, raise_for_status=True) as response:
            async for piece in response.content.iter_any():
                yield piece

    async def send(self, method: str, url: str, body: AsyncIterator[bytes] | None, length: int) -> str:
        """Send a body."""
        headers = {**_OCTETS, "Content-Length": str(length)}
        async with self._http.request(method, url, data=body, headers=headers, raise_for_status=True) as response:
            return response.headers["location"]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()


def _product(tls: ssl.SSLContext) -> Way:
    private = HostSettings(private=True)
    return HttpxWay(PoolTransport(OriginGate(lambda _: private), tls))


WAYS: dict[str, Callable[[ssl.SSLContext], Way]] = {
    "httpx (httpcore)": lambda tls: HttpxWay(httpx.AsyncHTTPTransport(verify=tls)),
    "httpx-aiohttp": lambda tls: HttpxWay(AiohttpTransport(verify=tls)),
    "httpx-aiohttp, Transload's pool": _product,
    "aiohttp": AiohttpWay,
}
"""Each way by its name, made from what it shall trust."""
