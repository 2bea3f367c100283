"""Going easy on a registry: so many requests a second, so many bytes a second in each direction.

For registries that throttle hard, or share a line with somebody. Applies to everything that is sent on behalf of the
registry, whatever host serves it (token service, storage behind a redirect), in this process.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

import httpx

from importcore.settings.model import HostSettings

_SLICE = 64 * 1024


class Pace:
    """A rate that is kept: each taker waits until what was taken before it has had its time."""

    def __init__(self, rate: float) -> None:
        """Take the rate, in units a second."""
        self._rate = rate
        self._free_at = 0.0

    async def take(self, amount: float = 1) -> None:
        """Wait for one's turn, and take an amount."""
        now = asyncio.get_running_loop().time()
        turn = max(self._free_at, now)
        self._free_at = turn + amount / self._rate
        if turn > now:
            await asyncio.sleep(turn - now)


@dataclass(frozen=True, slots=True)
class Paces:
    """The paces of one registry; None where it has none."""

    requests: Pace | None = None
    reading: Pace | None = None
    writing: Pace | None = None

    @classmethod
    def of(cls, host: HostSettings) -> Self:
        """Make the paces that the settings of a host ask for."""
        bytes_each_way = host.bytes_per_second
        return cls(
            Pace(host.requests_per_second) if host.requests_per_second else None,
            Pace(bytes_each_way) if bytes_each_way else None,
            Pace(bytes_each_way) if bytes_each_way else None,
        )


class PacedTransport(httpx.AsyncBaseTransport):
    """Sends requests, and both kinds of bodies, at the paces of a registry."""

    def __init__(self, inner: httpx.AsyncBaseTransport, paces: Paces) -> None:
        self._inner = inner
        self._paces = paces

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for one's turn, then send."""
        if self._paces.requests:
            await self._paces.requests.take()
        if self._paces.writing and request.headers.get("content-length") != "0":
            request = _with_body(request, self._paces.writing)
        response = await self._inner.handle_async_request(request)
        if self._paces.reading and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _PacedBody(response.stream, self._paces.reading)
        return response


def _with_body(request: httpx.Request, pace: Pace) -> httpx.Request:
    """The same request with a paced body; a copy, so that whoever repeats a request still knows that it can."""
    if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        return request
    if not isinstance(request.stream, httpx.AsyncByteStream):
        return request
    body = _PacedBody(request.stream, pace)
    return httpx.Request(
        request.method, request.url, headers=request.headers, stream=body, extensions=request.extensions
    )


class _PacedBody(httpx.AsyncByteStream):
    """A body whose bytes come at a pace."""

    def __init__(self, inner: httpx.AsyncByteStream, pace: Pace) -> None:
        self._inner = inner
        self._pace = pace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            for begin in range(0, len(piece), _SLICE):
                part = piece[begin : begin + _SLICE]
                await self._pace.take(len(part))
                yield part

    async def aclose(self) -> None:
        await self._inner.aclose()
