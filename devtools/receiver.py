"""For tests: somebody who is told that imports have ended, a receiver of callbacks and of CloudEvents.

Checks signatures by the Standard Webhooks specification on its own, with nothing of the product in it.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_REPLAY_WINDOW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST that came in."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, decoded."""
        value: dict[str, Any] = json.loads(self.body)
        return value

    def is_signed_with(self, key: bytes) -> bool:
        """Tell whether the body is signed with a key, now."""
        delivery_id, timestamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        if abs(time.time() - int(timestamp)) > _REPLAY_WINDOW_SECONDS:
            return False
        signed = f"{delivery_id}.{timestamp}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(wanted, each) for each in self.headers["webhook-signature"].split(" "))


@dataclass
class Receiver:
    """An ASGI application that remembers what it was sent; it answers `answers` in turn, then 204.

    An answer is a status, or a status with headers.
    """

    answers: list[int | tuple[int, dict[str, str]]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        request = Request(scope, receive)
        if request.method != "POST":
            await Response(status_code=405)(scope, receive, send)
            return
        body = await request.body()
        self.deliveries.append(Delivery(request.url.path, request.url.query, dict(request.headers), body))
        answer = self.answers.pop(0) if self.answers else 204
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        await Response(status_code=status, headers=headers)(scope, receive, send)
