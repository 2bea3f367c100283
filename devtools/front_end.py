"""For tests: what App Service has in front of an app. It lets nobody pass without a token or a key, and forwards."""

from dataclasses import dataclass, field

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_LONGEST_SECONDS = 230
_OWN = {"content-length", "transfer-encoding", "connection"}


@dataclass
class FrontEnd:
    """An ASGI application in front of an API.

    Attributes:
        api: Where requests go, `http://host:port`.
        header: The header that lets a request pass, in lower case.
        value: What must stand in it.
        passed: Method and path of each request that passed, in order.
    """

    api: str
    header: str
    value: str
    passed: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.headers.get(self.header) != self.value:
            return Response(status_code=401)
        self.passed.append(f"{request.method} {request.url.path}")
        headers = {name: value for name, value in request.headers.items() if name not in {*_OWN, self.header}}
        async with httpx.AsyncClient(trust_env=False, timeout=_LONGEST_SECONDS) as http:
            found = await http.request(
                request.method,
                f"{self.api}{request.url.path}?{request.url.query}",
                headers={**headers, "x-forwarded-proto": "https"},
                content=await request.body(),
            )
        kept = {name: value for name, value in found.headers.items() if name not in _OWN}
        return Response(found.content, found.status_code, kept)
