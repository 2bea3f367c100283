"""For tests: what stands between a host process and the world, and kills the host at a chosen exchange.

A worker cannot be trusted to die by itself at the right moment, so it is killed from outside: each of its exchanges,
with registries and with storage, passes through here. When the chosen one has had its effect, and before its answer is
delivered (or when half of its body has arrived), the process gets SIGKILL. What the outside then looks like is what it
looks like before the next exchange, so that these moments are all there are.

Many hosts work at once; which of them an exchange belongs to is told by its path: the storage account, or the first
part of the repository's name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devtools.emulator.wire import hang_up

_ROOM = re.compile(r"/(?:v2/)?([^/]+)/")
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-encoding"})


@dataclass(slots=True)
class Doom:
    """When the hosts of one test die.

    Attributes:
        at: The numbers of the exchanges, from 0, that they do not outlive.
        half: Kill in the middle of the request's body, where it has one, instead of before the answer.
        kill: Kills the host that is alive now.
        seen: The exchanges so far, as "METHOD path".
        dealt: How many kills there were.
    """

    at: frozenset[int] = frozenset()
    half: bool = False
    kill: Callable[[], None] = lambda: None
    seen: list[str] = field(default_factory=list)
    dealt: int = 0

    def count(self, method: str, path: str) -> bool:
        """Count an exchange; whether it is one to die of. Polling for messages is the host's own and does not count."""
        if method == "GET" and path.endswith("/messages"):
            return False
        self.seen.append(f"{method} {path}")
        return len(self.seen) - 1 in self.at

    def strike(self) -> None:
        """Kill the host."""
        self.dealt += 1
        self.kill()


class DeadlyWire:
    """Knows the dooms by the rooms that their exchanges are about, and stands before applications."""

    def __init__(self) -> None:
        self.dooms: dict[str, Doom] = {}

    def before(self, app: ASGIApp) -> ASGIApp:
        """Make an application whose exchanges can be deadly."""

        async def deadly(scope: Scope, receive: Receive, send: Send) -> None:
            room = _ROOM.match(scope["path"])
            doom = self.dooms.get(room[1]) if room else None
            if doom is None or not doom.count(scope["method"], scope["path"]):
                await app(scope, receive, send)
                return
            length = dict(scope["headers"]).get(b"content-length", b"0")
            if doom.half and int(length) > 1:
                await app(scope, _striking_receive(receive, int(length) // 2, doom), _to_nobody)
            else:
                await app(scope, receive, _to_nobody)
                doom.strike()
            await hang_up(scope, receive)

        return deadly


def _striking_receive(receive: Receive, left: int, doom: Doom) -> Receive:
    """Give half of the body, strike, and let the connection end there."""

    async def striking() -> Message:
        nonlocal left
        if left <= 0:
            return {"type": "http.disconnect"}
        message = await receive()
        body = message.get("body", b"")[:left]
        left -= len(body)
        if left <= 0:
            doom.strike()
        return {**message, "body": body, "more_body": True}

    return striking


async def _to_nobody(message: Message) -> None:
    """Stand in for `send`: the process that waits for the answer is about to die."""


class StorageProxy:
    """Passes requests on to one service of Azurite, and its answers back, as they are."""

    def __init__(self, base_url: str, http: httpx.AsyncClient) -> None:
        self._base_url = base_url
        self._http = http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one exchange."""
        request = Request(scope, receive)
        query = scope["query_string"].decode()
        url = self._base_url + scope["raw_path"].decode() + (f"?{query}" if query else "")
        headers = [(name, value) for name, value in request.headers.items() if name not in {"host", *_HOP_BY_HOP}]
        answer = await self._http.request(request.method, url, headers=headers, content=await request.body())
        response = Response(answer.content, status_code=answer.status_code)
        del response.headers["content-length"]
        for name, value in answer.headers.multi_items():
            if name not in _HOP_BY_HOP:
                response.headers.append(name, value)
        await response(scope, receive, send)
