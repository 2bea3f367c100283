"""Carries out the fault script on one exchange, between the server and the registry."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devtools.emulator.access import basic_credentials
from devtools.emulator.faults import (
    Action,
    AlterHeaders,
    Answer,
    Corrupt,
    Delay,
    Drop,
    Echo,
    IgnoreRange,
    LieOnHead,
    Phase,
    Relocate,
    Stall,
    Throttle,
    Truncate,
)
from devtools.emulator.refusal import RefusalError
from devtools.emulator.wire import ConnectionDroppedError


class Pace:
    """A throughput that several connections share.

    Args:
        bytes_per_second: The throughput.
    """

    def __init__(self, bytes_per_second: int) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0

    async def pass_on(self, size: int) -> None:
        """Return when so many bytes may have passed."""
        self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
        await asyncio.sleep(max(self._free_at - time.monotonic(), 0))


def paced(receive: Receive, send: Send, inward: Pace, outward: Pace) -> tuple[Receive, Send]:
    """Let both bodies of an exchange pass at their pace."""

    async def paced_receive() -> Message:
        message = await receive()
        await inward.pass_on(len(message.get("body", b"")))
        return message

    async def paced_send(message: Message) -> None:
        await outward.pass_on(len(message.get("body", b"")))
        await send(message)

    return paced_receive, paced_send


async def run_faulty(app: ASGIApp, actions: Sequence[Action], scope: Scope, receive: Receive, send: Send) -> None:
    """Run an exchange with these faults.

    Raises:
        ConnectionDroppedError: The connection is to be closed now.
    """
    for action in actions:
        match action:
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
            case IgnoreRange():
                kept = [(name, value) for name, value in scope["headers"] if name != b"range"]
                scope = {**scope, "headers": kept}
            case Throttle(bytes_per_second=rate):
                receive, send = paced(receive, send, Pace(rate), Pace(rate))
            case Drop(after_request_bytes=int(size)):
                receive = _stopping_receive(receive, size)
            case Stall(after_request_bytes=int(size), seconds=seconds):
                receive = _stopping_receive(receive, size, seconds)
            case Echo(status=status):
                await _echo(status, scope, receive, send)
                return
            case Answer() | LieOnHead() | Drop(after_response_bytes=None):
                await _end(app, action, scope, receive, send)
                return
            case _:
                send = _disturbed(send, action)
    await app(scope, receive, send)


def _disturbed(send: Send, action: Action) -> Send:
    """Let an answer go out with a fault in it."""
    disturbed = send
    match action:
        case AlterHeaders(headers=headers):
            disturbed = _with_headers(send, headers)
        case Relocate(origin=origin):
            disturbed = _relocated(send, origin)
        case Truncate(to=to):
            disturbed = _truncated(send, to)
        case Corrupt(at=at):
            disturbed = _corrupted(send, at)
        case Drop(after_response_bytes=int(size)):
            disturbed = _stopping_send(send, size)
        case Stall(after_response_bytes=int(size), seconds=seconds):
            disturbed = _stopping_send(send, size, seconds)
    return disturbed


async def _end(app: ASGIApp, action: Answer | Drop | LieOnHead, scope: Scope, receive: Receive, send: Send) -> None:
    """Carry out a fault that decides the answer."""
    if isinstance(action, Answer | Drop) and action.phase is Phase.AFTER:
        await app(scope, receive, _swallow)
    if isinstance(action, Drop):
        raise ConnectionDroppedError
    if isinstance(action, Answer):
        if action.phase is Phase.BEFORE:
            await _drain(receive)
        response = Response(action.body, status_code=action.status, headers=action.headers)
    elif action.exists:
        digest = scope["path"].rpartition("/")[2]
        response = Response(headers={"Content-Length": str(action.size), "Docker-Content-Digest": digest})
    else:
        response = RefusalError("MANIFEST_UNKNOWN" if "/manifests/" in scope["path"] else "BLOB_UNKNOWN").response()
    await response(scope, receive, send)


async def _echo(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    sent = request.headers.get("authorization", "")
    form = (await request.body()).decode(errors="replace")
    words = [sent, ":".join(basic_credentials(sent) or ()), *(value for _, value in parse_qsl(form))]
    error = {"code": "DENIED", "message": f"refused: {' '.join(filter(None, words))}", "detail": form}
    await JSONResponse({"errors": [error]}, status_code=status)(scope, receive, send)


async def _swallow(message: Message) -> None:
    """Stand in for `send` where the true answer is not to be seen."""


async def _drain(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


def _stopping_receive(receive: Receive, size: int, seconds: float = 0.0) -> Receive:
    left = size

    async def stopping() -> Message:
        nonlocal left
        if left <= 0:
            await asyncio.sleep(seconds)
            raise ConnectionDroppedError
        message = await receive()
        body = message.get("body", b"")[:left]
        left -= len(body)
        if left <= 0 and message["type"] == "http.request":
            return {**message, "body": body, "more_body": True}
        return message

    return stopping


def _stopping_send(send: Send, size: int, seconds: float = 0.0) -> Send:
    left = size

    async def stopping(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            if len(body) >= left:
                await send({"type": "http.response.body", "body": body[:left], "more_body": True})
                await asyncio.sleep(seconds)
                raise ConnectionDroppedError
            left -= len(body)
        await send(message)

    return stopping


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    async def altering(message: Message) -> None:
        if message["type"] == "http.response.start":
            altered = MutableHeaders(scope={"headers": list(message["headers"])})
            for name, value in headers.items():
                altered[name] = value
            message = {**message, "headers": altered.raw}
        await send(message)

    return altering


def _relocated(send: Send, origin: str) -> Send:
    async def relocating(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope={"headers": list(message["headers"])})
            if "location" in headers:
                headers["location"] = f"{origin}{headers['location']}"
            message = {**message, "headers": headers.raw}
        await send(message)

    return relocating


def _truncated(send: Send, to: int) -> Send:
    left = to

    async def truncating(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            headers = [
                (name, str(min(int(value), to)).encode() if name.lower() == b"content-length" else value)
                for name, value in message["headers"]
            ]
            message = {**message, "headers": headers}
        else:
            body = message.get("body", b"")[:left]
            left -= len(body)
            message = {**message, "body": body}
        await send(message)

    return truncating


def _corrupted(send: Send, at: int) -> Send:
    passed = 0

    async def corrupting(message: Message) -> None:
        nonlocal passed
        if message["type"] == "http.response.body":
            body = bytearray(message.get("body", b""))
            if 0 <= at - passed < len(body):
                body[at - passed] ^= 0xFF
            passed += len(body)
            message = {**message, "body": bytes(body)}
        await send(message)

    return corrupting
