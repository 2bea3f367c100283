"""The connection below an ASGI exchange: whether its client is still there, and how to hang up on it.

ASGI has no word for either. Our own server (`server.py`) puts the transport into the scope; without a server the
exchange is in process, and hanging up is the exception that httpx raises for it.
"""

import asyncio
from collections.abc import Iterator

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CONNECTION = "devtools.connection"
"""Key in the scope's `extensions`: {"transport": the asyncio transport}."""

_FLUSH_AT_MOST = 5.0


class ConnectionDroppedError(httpx.RemoteProtocolError):
    """The registry hung up. In process it reaches the httpx client as what it would see on a socket."""

    def __init__(self) -> None:
        super().__init__("the emulated registry dropped the connection")


def _transport(scope: Scope) -> asyncio.WriteTransport | None:
    extension = scope.get("extensions", {}).get(CONNECTION, {})
    transport: asyncio.WriteTransport | None = extension.get("transport")
    return transport


def is_gone(scope: Scope) -> bool:
    """Whether the client hung up; never known in process."""
    transport = _transport(scope)
    return transport is not None and transport.is_closing()


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection after what was already sent, and return when the server knows.

    Raises:
        ConnectionDroppedError: There is no connection, the client is in process.
    """
    transport = _transport(scope)
    if transport is None:
        raise ConnectionDroppedError
    transport.close()
    try:
        async with asyncio.timeout(_FLUSH_AT_MOST):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        transport.abort()


class PiecesResponse(Response):
    """An answer whose body is read piece by piece while it is sent; it stops when the client hangs up."""

    def __init__(self, pieces: Iterator[bytes], status: int, headers: dict[str, str]) -> None:
        super().__init__(status_code=status, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if is_gone(scope):
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
