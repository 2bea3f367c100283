"""For tests: secrets that must be found nowhere, and the search for them in every form in which they could hide.

A `Wiretap` hears every secret that the app sends to anybody: the tokens that it was issued are the ones it uses.
"""

import base64
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import httpx
from azure.core.pipeline.transport import AioHttpTransport

_SHORTEST = 12
_HEADER, _PART = 60, 40
_TOKEN_FIELDS = frozenset({"access_token", "refresh_token", "password"})
_STATE_FIELDS = frozenset({"_state", "sig", "token"})


def forms(secret: str) -> frozenset[bytes]:
    """Give every form in which a secret is looked for: in clear, URL-encoded, hexadecimal, and each of these in base64.

    Base64 has no fixed form for a part of a text: it depends on where the part begins, so there are three. A queue
    message is base64 itself, so base64 is looked for in base64, too.

    Raises:
        ValueError: The secret is so short that it would be found by chance.
    """
    if len(secret) < _SHORTEST:
        raise ValueError(f"a canary of {len(secret)} characters proves nothing")
    # Of a token: a part of its claims, and its signature. The header that all have in common would tell nothing.
    parts = {secret[_HEADER : _HEADER + _PART], secret[-_PART:]} if len(secret) > _HEADER + _PART else {secret}
    return frozenset(form for part in parts for form in _forms(part.encode()))


def _forms(raw: bytes) -> frozenset[bytes]:
    plain = {raw, quote(raw, safe="").encode(), raw.hex().encode(), raw.hex().upper().encode()}
    once = {form for text in plain for form in _base64(text)}
    return frozenset(plain | once | {form for text in _base64(raw) for form in _base64(text)})


def _base64(text: bytes) -> Iterator[bytes]:
    """The characters of base64 that a text alone decides, for each place in which it can begin."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text)
        sure = whole[(before * 8 + 5) // 6 : (before + len(text)) * 8 // 6]
        yield sure
        yield sure.translate(bytes.maketrans(b"+/", b"-_"))


def sightings(secrets: Mapping[str, str], places: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Tell which secrets are seen where, as pairs of their names."""
    wanted = {name: forms(secret) for name, secret in secrets.items()}
    return {(name, place) for place, text in places for name, known in wanted.items() if any(f in text for f in known)}


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file below a folder, with its name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


class Wiretap(httpx.AsyncBaseTransport):
    """Passes requests on, and keeps every secret that is in one: authorizations, tokens in forms, states in URLs."""

    def __init__(self, inner: httpx.AsyncBaseTransport, heard: dict[str, str]) -> None:
        """Take where requests go, and the dict that gets the secrets by a name for each."""
        self._inner = inner
        self._heard = heard

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Listen and pass on."""
        for kind, secret in _secrets_in(request):
            if secret not in self._heard.values():
                self._heard[f"{kind} {len(self._heard)} for {request.url.netloc.decode()}"] = secret
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what lies behind."""
        await self._inner.aclose()


def _secrets_in(request: httpx.Request) -> Iterator[tuple[str, str]]:
    scheme, _, authorization = request.headers.get("authorization", "").partition(" ")
    if authorization:
        yield scheme, authorization
    for name, value in request.url.params.multi_items():
        if name in _STATE_FIELDS:
            yield name, value
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        yield from ((name, value) for name, value in parse_qsl(request.content.decode()) if name in _TOKEN_FIELDS)


class OddError(Exception):
    """What nobody expects; it holds the whole request, as many errors do, and says nothing of it."""

    def __init__(self, request: httpx.Request) -> None:
        super().__init__(f"a plain bug while {request.method} was sent to {request.url.host}")
        self.request = request


class Bug:
    """A plain bug in the code below the app: requests whose path has `where` in it fail as nobody expects."""

    def __init__(self) -> None:
        self.where: str | None = None

    def beneath(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Put it into what carries requests."""
        return _Buggy(inner, self)


class _Buggy(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, bug: Bug) -> None:
        self._inner = inner
        self._bug = bug

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._bug.where is not None and self._bug.where in request.url.path:
            raise OddError(request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class StorageTap(AioHttpTransport):  # type: ignore[misc]  # the SDK loads it lazily, untyped
    """Carries requests to storage, and keeps what is written: files on a disk show the last state alone."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 (the SDK's)
        """Listen and pass on."""
        body = request.data if request.data is not None else request.content
        self.written.append(f"{request.method} {request.url} ".encode())
        self.written.append(body if isinstance(body, bytes) else str(body).encode())
        return await super().send(request, **options)


class EveryLog(logging.Handler):
    """Keeps every line of every logger of this process, with its traceback, except those of the emulated cloud."""

    def __init__(self, but: tuple[str, ...] = ("uvicorn",)) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
        self.lines: list[str] = []
        self._but = but

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if not record.name.startswith(self._but):
            self.lines.append(self.format(record))
