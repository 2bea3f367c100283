"""Serves ASGI applications on real sockets of this machine, inside the running loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from devtools.emulator.wire import CONNECTION

_DRAIN_SECONDS = 2


class TransportInScope(HttpToolsProtocol):
    """Puts each connection's transport into the scope, so that an application can hang up (`emulator.wire`)."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}


class _Server(uvicorn.Server):
    """A server that leaves signals to the process that it runs in."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self.told_to_stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Keep the Date header current until it is told to stop; uvicorn's own loop notices that a tick later."""
        while not self.should_exit:
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.told_to_stop.wait(), timeout=1)

    def stop(self) -> None:
        """Stop serving: no new connections, and a little time for what is under way."""
        self.should_exit = True
        self.told_to_stop.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.is_up.set()

    async def until_started(self, task: "asyncio.Task[None]") -> None:
        """Return when it listens; raise what kept it from that."""
        up = asyncio.create_task(self.is_up.wait())
        await asyncio.wait({up, task}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if task.done():
            await task


@asynccontextmanager
async def serving(
    app: ASGIApp, port: int = 0, *, certfile: Path | None = None, keyfile: Path | None = None
) -> AsyncIterator[int]:
    """Serve an application on 127.0.0.1 as long as the context lasts.

    Args:
        app: The ASGI application.
        port: The port; 0 takes a free one.
        certfile: PEM file with the certificate chain; None serves plain http.
        keyfile: PEM file with its key.

    Yields:
        The port.
    """
    # Only where the protocol is named does asyncio turn Nagle's algorithm off; else each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with contextlib.closing(listener):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(
            app,
            http=TransportInScope,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.until_started(task)
            yield listener.getsockname()[1]
        finally:
            server.stop()
            await task


def reserve_port() -> int:
    """A port that was free a moment ago, for a process that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
