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

    def stream_download(self, *_: Any, **__: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 (the SDK's)
        async def pieces() -> AsyncIterator[bytes]:
            yield self._body

        return pieces()


class ClockworkTransport(AsyncHttpTransport[Any, Any]):
    """Answers for queue and table; `loses` tells, by method, whether the answer to a request is lost on its way.

    The SDK asks again where an answer was lost, after a wait that a clock turned by hand has no use for: so the request
    is carried twice here, and the second answer is the one that is heard.
    """

    def __init__(
        self,
        account: ClockworkAccount,
        loses: Callable[[str], bool] = lambda _: False,
        before: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        """Take the account; `before` is what others do in it right before a request (method, path) arrives."""
        self._account = account
        self._loses = loses
        self._before = before

    async def send(self, request: Any, **_: Any) -> _Answer:  # noqa: ANN401 (the SDK's)
        """Carry one request."""
        if self._before:
            await self._before(request.method, urlsplit(request.url).path)
        if self._loses(request.method):
            self._carried(request)
        return self._carried(request)

    def _carried(self, request: Any) -> _Answer:  # noqa: ANN401 (the SDK's)
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            if "/messages" in url.path:
                return self._queue(request, url.path, query)
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
            case "PUT":
                etag = request.headers.get("If-Match", "*")
                return _entity(request, 204, self._account.replace(key, _values(request), etag))
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
