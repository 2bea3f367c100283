"""Carries the requests of the storage SDKs to an account in memory, in the form of their REST protocols."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport

from devtools.clockwork.account import ClockworkAccount, Entity, Message, Refused

_MESSAGE = re.compile(r"/messages/([^/]+)$")
_ENTITY = re.compile(r"\(PartitionKey='([^']*)',RowKey='([^']*)'\)$")
_TIME = "Fri, 01 Jan 2100 00:00:00 GMT"


class _Answer(AsyncHttpResponse):
    """What the SDK reads of an answer."""

    def __init__(self, request: Any, status: int, headers: dict[str, str], body: bytes) -> None:  # noqa: ANN401 (the SDK's)
        super().__init__(request, None)
        self.status_code = status
        self.headers = headers
        self.reason = str(status)
        self.content_type = headers.get("Content-Type", "application/json")
        self._body = body

    def body(self) -> bytes:
        return self._body

    async def load_body(self) -> None:
        """The body is there."""

    async def read(self) -> bytes:
        """Give the body."""
        return self._body

    def stream_download(self, *_: Any, **__: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 (the SDK's)
        return _Stream(self._body, self)


class _Stream(AsyncIterator[bytes]):
    """A body as the SDK streams it; it puts properties of its own on the object."""

    def __init__(self, body: bytes, response: _Answer) -> None:
        self._pieces = iter([body])
        self.response = response
        self.content_length = len(body)

    async def __anext__(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        return piece


async def _at_once() -> None:
    """Nothing is waited for."""


class ClockworkTransport(AsyncHttpTransport[Any, Any]):
    """Answers for queue, table and container; `loses` tells, by method, whether an answer is lost on its way.

    The SDK asks again where an answer was lost, after a wait that a clock turned by hand has no use for: so the request
    is carried twice here, and the second answer is the one that is heard.
    """

    def __init__(
        self,
        account: ClockworkAccount,
        loses: Callable[[str], bool] = lambda _: False,
        before: Callable[[str, str], Awaitable[None]] | None = None,
        pause: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        """Take the account.

        Args:
            account: What answers.
            loses: Whether the first answer to a request of this method is lost.
            before: What others do in the account right before a request (method, path) arrives.
            pause: What is awaited on the way there, and on the way back.
        """
        self._account = account
        self._loses = loses
        self._before = before
        self._pause = pause

    async def send(self, request: Any, **_: Any) -> _Answer:  # noqa: ANN401 (the SDK's)
        """Carry one request."""
        if self._before:
            await self._before(request.method, urlsplit(request.url).path)
        await self._pause()
        if self._loses(request.method):
            self._carried(request)
        answer = self._carried(request)
        await self._pause()
        return answer

    def _carried(self, request: Any) -> _Answer:  # noqa: ANN401 (the SDK's)
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            if "/messages" in url.path:
                return self._queue(request, url.path, query)
            if url.path.endswith(".json"):
                return self._blob(request, url.path.rpartition("/")[2])
            return self._table(request, unquote(url.path))
        except Refused as refused:
            code = {"odata.error": {"code": refused.code, "message": {"lang": "en", "value": refused.code}}}
            headers = {"x-ms-error-code": refused.code, "Content-Type": "application/json"}
            return _Answer(request, refused.status, headers, json.dumps(code).encode())

    def _queue(self, request: Any, path: str, query: dict[str, str]) -> _Answer:  # noqa: ANN401 (the SDK's)
        visible_in = float(query.get("visibilitytimeout", "0"))
        named = _MESSAGE.search(path)
        match request.method, named:
            case "POST", None:
                return _xml(request, 201, [self._account.put(_text(request) or "", visible_in)])
            case "GET", None:
                found = self._account.get(visible_in)
                return _xml(request, 200, [found] if found else [])
            case "PUT", re.Match():
                message = self._account.update(named[1], query["popreceipt"], _text(request), visible_in)
                headers = {"x-ms-popreceipt": message.receipt, "x-ms-time-next-visible": _TIME}
                return _Answer(request, 204, headers, b"")
            case "DELETE", re.Match():
                self._account.delete(named[1], query["popreceipt"])
                return _Answer(request, 204, {}, b"")
            case _:
                raise Refused(405, "UnsupportedHttpVerb")

    def _table(self, request: Any, path: str) -> _Answer:  # noqa: ANN401 (the SDK's)
        named = _ENTITY.search(path)
        if named is None:
            return _entity(request, 201, self._account.insert(_values(request)))
        key = (named[1], named[2])
        match request.method:
            case "GET":
                return _entity(request, 200, self._account.read(key))
            case "PUT" if "If-Match" not in request.headers:
                return _entity(request, 204, self._account.upsert(key, _values(request)))
            case "PUT":
                etag = request.headers["If-Match"]
                return _entity(request, 204, self._account.replace(key, _values(request), etag))
            case "DELETE":
                self._account.remove(key, request.headers.get("If-Match", "*"))
                return _Answer(request, 204, {}, b"")
            case _:
                raise Refused(405, "UnsupportedHttpVerb")

    def _blob(self, request: Any, name: str) -> _Answer:  # noqa: ANN401 (the SDK's)
        headers = {"ETag": '"e"', "Last-Modified": _TIME, "x-ms-blob-type": "BlockBlob"}
        match request.method:
            case "PUT":
                over = request.headers.get("If-None-Match") != "*"
                self._account.put_blob(name, _content(request), over=over)
                return _Answer(request, 201, headers, b"")
            case "GET":
                content = self._account.get_blob(name)
                of = {
                    "Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}",
                    "Content-Length": str(len(content)),
                }
                return _Answer(request, 206, headers | of | {"Content-Type": "application/octet-stream"}, content)
            case "DELETE":
                self._account.get_blob(name)
                del self._account.blobs[name]
                return _Answer(request, 202, {}, b"")
            case _:
                raise Refused(405, "UnsupportedHttpVerb")

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""


def _text(request: Any) -> str | None:  # noqa: ANN401 (the SDK's)
    return ET.fromstring(request.data).findtext("MessageText") if request.data else None  # noqa: S314 (ours)


def _content(request: Any) -> bytes:  # noqa: ANN401 (the SDK's)
    body = request.body if hasattr(request, "body") else request.data
    return bytes(body.read() if hasattr(body, "read") else body)


def _values(request: Any) -> dict[str, Any]:  # noqa: ANN401 (the SDK's)
    found: dict[str, Any] = json.loads(request.content if request.data is None else request.data)
    return found


def _entity(request: Any, status: int, entity: Entity) -> _Answer:  # noqa: ANN401 (the SDK's)
    headers = {"ETag": entity.etag, "Content-Type": "application/json"}
    body = b"" if status == 204 else json.dumps({**entity.values, "odata.etag": entity.etag}).encode()  # noqa: PLR2004
    return _Answer(request, status, headers, body)


def _xml(request: Any, status: int, messages: list[Message]) -> _Answer:  # noqa: ANN401 (the SDK's)
    rows = "".join(
        f"<QueueMessage><MessageId>{m.id}</MessageId><InsertionTime>{_TIME}</InsertionTime>"
        f"<ExpirationTime>{_TIME}</ExpirationTime><PopReceipt>{m.receipt}</PopReceipt>"
        f"<TimeNextVisible>{_TIME}</TimeNextVisible><DequeueCount>{m.dequeued}</DequeueCount>"
        f"<MessageText>{escape(m.text)}</MessageText></QueueMessage>"
        for m in messages
    )
    body = f'<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>{rows}</QueueMessagesList>'
    return _Answer(request, status, {"Content-Type": "application/xml"}, body.encode())
