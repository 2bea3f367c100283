"""How many blobs may move from or to one registry at once, in this process, over all imports.

A blob moves while its body is read from the source (a large one is written to the target meanwhile), and while a small
one is sent whole. So the GET of a blob takes a slot of the source and one of the target until its body is closed, and
the PUT of a whole blob takes one of the target. Chunks (PATCH) need none of their own: their blob's GET has it.
Slots are taken in the order of the registries' names, always, so that no two transfers can wait for each other.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx

from importcore.registry.auth import SCOPES
from importcore.registry.origin import netloc_of
from importcore.settings.model import Settings

_BLOB = re.compile(r"/v2/.+/blobs/[^/]+")
_UPLOAD = re.compile(r"/v2/.+/blobs/uploads/.*")


class TransferSlots:
    """The slots of every registry that has a limit (`parallelTransfers`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots: dict[str, asyncio.Semaphore] = {}

    def of(self, *registries: str) -> tuple[asyncio.Semaphore, ...]:
        """Give the slots that a transfer between these registries takes, in the order to take them."""
        found = []
        for registry in sorted(set(registries)):
            limit = self._settings.host(registry).parallel_transfers
            if limit is not None:
                found.append(self._slots.setdefault(registry, asyncio.Semaphore(limit)))
        return tuple(found)


class SlotTransport(httpx.AsyncBaseTransport):
    """Lets blobs move only with their slots."""

    def __init__(self, inner: httpx.AsyncBaseTransport, slots: tuple[asyncio.Semaphore, ...], host: str) -> None:
        """Take the slots.

        Args:
            inner: What sends.
            slots: What each transfer takes, in this order.
            host: The registry's own host; what a blob's GET is redirected to is another one.
        """
        self._inner = inner
        self._slots = slots
        self._host = host

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, with slots where the request moves a blob."""
        if not (self._reads_blob(request) or _sends_whole_blob(request)):
            return await self._inner.handle_async_request(request)
        async with AsyncExitStack() as stack:
            for slot in self._slots:
                await stack.enter_async_context(slot)
            response = await self._inner.handle_async_request(request)
            if isinstance(response.stream, httpx.AsyncByteStream):
                response.stream = _HeldBody(response.stream, stack.pop_all())
        return response

    def _reads_blob(self, request: httpx.Request) -> bool:
        if request.method != "GET" or SCOPES not in request.extensions:
            return False
        if netloc_of(request.url) == self._host:
            return _BLOB.fullmatch(request.url.path) is not None
        accept: str = request.headers.get("accept", "")
        return accept == "*/*"  # redirected; the GET of a manifest says what it accepts


def _sends_whole_blob(request: httpx.Request) -> bool:
    return (
        request.method == "PUT"
        and _UPLOAD.fullmatch(request.url.path) is not None
        and request.headers.get("content-length") != "0"
    )


class _HeldBody(httpx.AsyncByteStream):
    """A body that gives its slots back when it is closed."""

    def __init__(self, inner: httpx.AsyncByteStream, held: AsyncExitStack) -> None:
        self._inner = inner
        self._held = held

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._inner)

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            await self._held.aclose()
