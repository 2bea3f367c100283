"""A registry that is only a script: what it answers to each request, and what it was asked.

Bodies come as streams, as they do from a network; `httpx.MockTransport` alone would give them already read.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx

from importcore.errors import Side
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Anonymous, Credential

REGISTRY = "registry.example"
URL = httpx.URL(f"https://{REGISTRY}")
TOKENS = "https://auth.example/token"
CHALLENGE = {"WWW-Authenticate": f'Bearer realm="{TOKENS}",service="{REGISTRY}"'}

Answer = Callable[[httpx.Request], httpx.Response]


class Pieces(httpx.AsyncByteStream):
    """A body in pieces that can be read once; it may break before its end, and knows whether it was closed."""

    def __init__(self, *pieces: bytes, broken: bool = False) -> None:
        self._pieces = pieces
        self._broken = broken
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._broken:
            raise httpx.ReadError("the connection was reset")

    async def aclose(self) -> None:
        """Note that nobody will read on."""
        self.closed = True


def streamed(status: int, *pieces: bytes, **headers: str) -> httpx.Response:
    """An answer whose body comes in pieces; header names are written with underscores, values are sent as Latin-1."""
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return httpx.Response(status, headers=named, stream=Pieces(*pieces))


def broken_off(status: int, *pieces: bytes) -> httpx.Response:
    """An answer whose connection breaks behind these pieces."""
    return httpx.Response(status, stream=Pieces(*pieces, broken=True))


@dataclass
class ScriptedTransport(httpx.AsyncBaseTransport):
    """Answers by a script and remembers the requests, their bodies included."""

    answer: Answer
    requests: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take the whole request, and answer after the others have had their turn."""
        # A copy, because a repeated request is the same object with another header, and because reading the body
        # in place would make a streamed one repeatable.
        stream = request.stream
        body = b"".join([piece async for piece in stream]) if isinstance(stream, httpx.AsyncByteStream) else b""
        taken = httpx.Request(request.method, request.url, headers=request.headers.copy(), content=body)
        self.requests.append(taken)
        await asyncio.sleep(0.01)
        given = self.answer(taken)
        if isinstance(given.stream, Pieces):
            return given
        return httpx.Response(given.status_code, headers=given.headers, stream=Pieces(given.content))

    def asked(self, host: str = REGISTRY) -> list[httpx.Request]:
        """The requests that went to a host."""
        return [request for request in self.requests if request.url.host == host]


def client_of(
    answer: Answer, credential: Credential | None = None, side: Side = Side.SOURCE
) -> tuple[RegistryClient, ScriptedTransport]:
    """A client of the scripted registry, and the script's memory."""
    transport = ScriptedTransport(answer)
    http = httpx.AsyncClient(transport=transport)
    auth = RegistryAuth(http, REGISTRY, URL, credential or Anonymous())
    return RegistryClient(http, auth, REGISTRY, URL, side), transport


def jwt(**claims: object) -> str:
    """A token that says these things and is signed by nobody."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


class TokenService:
    """A registry that wants tokens, and the token service beside it.

    Attributes:
        given: How many tokens were given; the token of number n is `token-n`.
        revoked: The Authorization headers that the registry does not take any more.
    """

    def __init__(self, behind: Answer, *, life: float = 3600.0, challenge: dict[str, str] | None = None) -> None:
        self._behind = behind
        self._life = life
        self._challenge = challenge or CHALLENGE
        self.given = 0
        self.revoked: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give a token, or let a request with one pass to the registry."""
        if request.url.host == httpx.URL(TOKENS).host:
            self.given += 1
            return httpx.Response(200, json={"token": f"token-{self.given}", "expires_in": self._life})
        sent = request.headers.get("authorization", "")
        if not sent.startswith("Bearer token-") or sent in self.revoked:
            return httpx.Response(401, headers=self._challenge)
        return self._behind(request)
