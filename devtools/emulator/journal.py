"""The journal: every request that the registry got, in order, without secrets."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

_KEPT = 100_000


@dataclass(slots=True)
class Entry:
    """One request; the only values here that change, while it runs.

    Attributes:
        method: The HTTP method.
        path: The path, without the query.
        query: The names of the query's parameters; their values may be secrets.
        authorization: The kind of the Authorization header ("Bearer", "Basic"), None when there was none.
        range: The Range or Content-Range header.
        at: When it came, Unix time in seconds.
        status: What was answered; None as long as nothing was, or when the registry hung up first.
        request_bytes: Bytes of the request's body that the registry read.
        response_bytes: Bytes of the response's body that it sent.
        faults: The kinds of the faults that were applied.
        dropped: Whether the registry hung up.
    """

    method: str
    path: str
    query: tuple[str, ...]
    authorization: str | None
    range: str | None
    at: float = field(default_factory=time.time)
    status: int | None = None
    request_bytes: int = 0
    response_bytes: int = 0
    faults: tuple[str, ...] = ()
    dropped: bool = False


class Journal:
    """The entries of one emulator; the oldest go when there are very many."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def select(self, method: str | None = None, path: str = "") -> list[Entry]:
        """The entries of a method whose path contains a text."""
        return [entry for entry in self if method in {None, entry.method} and path in entry.path]

    def open(self, scope: Scope, receive: Receive, send: Send) -> tuple[Entry, Receive, Send]:
        """Begin an entry, and count what passes from now on."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        entry = Entry(
            method=scope["method"],
            path=scope["path"],
            query=tuple(name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            authorization=headers.get("authorization", "").partition(" ")[0] or None,
            range=headers.get("content-range") or headers.get("range"),
        )
        self._entries.append(entry)

        async def counted_receive() -> Message:
            message = await receive()
            entry.request_bytes += len(message.get("body", b""))
            return message

        async def counted_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            elif scope["method"] != "HEAD":
                entry.response_bytes += len(message.get("body", b""))
            await send(message)

        return entry, counted_receive, counted_send
