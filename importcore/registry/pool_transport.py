"""The connection pool: aiohttp's, behind httpx's interface (docs/decisions/0003 has the measurements).

aiohttp is told two things that it does not do by itself: to repeat nothing (it would send a PUT again on its own when
a kept connection breaks; who repeats what is decided in `transport.py`), and to notice that nobody takes our bytes.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport

from importcore.errors import UnsafeUrlError
from importcore.registry.origin import GatedResolver, OriginGate, UnsafeAddressError, netloc_of
from importcore.registry.tls_faults import tls_refusal

_READ_BUFFER = 512 * 1024
_WRITTEN_AT_ONCE = 256 * 1024


class PoolTransport(AiohttpTransport):
    """Sends requests over kept connections.

    Body pieces come as large as the socket gives them, undecoded; every failure becomes an `httpx.TransportError`.
    """

    def __init__(self, gate: OriginGate, tls: ssl.SSLContext, names: AbstractResolver | None = None) -> None:
        """Make a pool that connects to nothing yet.

        Args:
            gate: What addresses may be connected to.
            tls: Whom to trust, and the certificate to show.
            names: What resolves host names; None is the system's resolver.
        """

        def session() -> aiohttp.ClientSession:
            made = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=tls,
                    limit=0,
                    resolver=GatedResolver(gate, names),
                    socket_factory=gate.new_socket,
                    ttl_dns_cache=30,
                    keepalive_timeout=30,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=_READ_BUFFER,
                trust_env=False,
            )
            made._retry_connection = False  # noqa: SLF001 (no public way; a test sees what goes over the wire)
            return made

        super().__init__(verify=tls, trust_env=False, client=session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and answer as soon as the headers are there."""
        try:
            response = await self._watched(request)
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
            raise _as_transport_error(error, request.url) from error
        inner = response.stream
        if hasattr(inner, "_aiohttp_response"):
            response.stream = _LargePieces(inner._aiohttp_response)  # noqa: SLF001 (its own pieces are 16 KiB)
        return response

    async def _watched(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and give it up when its body does not move for the request's `write` time-out.

        aiohttp has a time-out for reading alone, and its clock runs once the body is sent. Behind the last piece it
        gets that time besides.
        """
        limits = request.extensions.get("timeout", {})
        write, read = limits.get("write"), limits.get("read")
        if request.headers.get("content-length", "0") == "0" or write is None:
            return await super().handle_async_request(request)
        clock = asyncio.timeout(None)
        body = _WatchedBody(request.stream, clock, write, None if read is None else write + read)
        sent = httpx.Request(
            request.method, request.url, headers=request.headers, stream=body, extensions=request.extensions
        )
        try:
            async with clock:
                try:
                    return await super().handle_async_request(sent)
                finally:
                    body.unwatch()  # an answer may come before the body is sent to its end
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise httpx.WriteTimeout(f"no byte was taken for {write:g} s") from error


def _as_transport_error(error: Exception, url: httpx.URL) -> Exception:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UnsafeAddressError):
            return UnsafeUrlError(f"refused to connect: {cause}")
        # aiohttp's own errors are SSLErrors too, without what OpenSSL said; that stands behind them.
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, aiohttp.ClientError):
            refusal = tls_refusal(cause, netloc_of(url))
            if refusal is not None:
                return refusal
        cause = getattr(cause, "os_error", None) or cause.__cause__
    if isinstance(error, httpx.ConnectTimeout) and not isinstance(error.__cause__, aiohttp.ServerTimeoutError):
        return httpx.RemoteProtocolError(str(error) or "the connection was closed")
    return error if isinstance(error, httpx.TransportError) else httpx.NetworkError(str(error) or type(error).__name__)


class _WatchedBody(httpx.AsyncByteStream):
    """A request's body; the clock runs while the other side has a piece to take, not while we wait for one."""

    def __init__(self, body: object, clock: asyncio.Timeout, each: float, last: float | None) -> None:
        self._body = body
        self._clock: asyncio.Timeout | None = clock
        self._each = each
        self._last = last

    def unwatch(self) -> None:
        """Let the clock alone from now on."""
        self._clock = None

    def _end_in(self, seconds: float | None) -> None:
        if self._clock is not None:
            self._clock.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces():
            self._end_in(self._each)
            yield piece
            self._end_in(None)
        self._end_in(self._last)

    async def _pieces(self) -> AsyncIterator[bytes]:
        if isinstance(self._body, httpx.ByteStream):  # known whole, as that of a manifest
            for whole in self._body:
                for begin in range(0, len(whole), _WRITTEN_AT_ONCE):
                    yield whole[begin : begin + _WRITTEN_AT_ONCE]
        elif isinstance(self._body, httpx.AsyncByteStream):
            async for piece in self._body:
                yield piece


class _LargePieces(httpx.AsyncByteStream):
    """A response body in pieces as large as they arrived."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise httpx.ReadError(str(error) or type(error).__name__) from error

    async def aclose(self) -> None:
        # Closing rather than releasing: a body that was not read to its end must not be drained into the pool.
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()
