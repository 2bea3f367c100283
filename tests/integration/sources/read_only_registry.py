"""A registry that only serves one image, with the manners that a test gives it: challenge, quota, redirects."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from devtools.sample_images import SampleImage


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came."""

    method: str
    path: str
    authorization: str | None


@dataclass
class ReadOnlyRegistry:
    """Serves every repository and tag with the same image.

    Attributes:
        image: What it serves.
        challenge: What it answers, with 401, to whoever does not send `authorization`; None lets everybody in.
        authorization: The header that lets a request in.
        blobs_at: Where the GET of a blob is redirected to; None serves it.
        quota: Changes the answer to the GET of a manifest; it gets the number of the GET, from 1.
        blob_seconds: How long the GET of a blob takes.
        seen: What was asked.
        most_at_once: How many blobs were read at once, at most.
    """

    image: SampleImage
    challenge: str | None = None
    authorization: str | None = None
    blobs_at: str | None = None
    quota: Callable[[int], Response | dict[str, str]] | None = None
    blob_seconds: float = 0.0
    seen: list[Seen] = field(default_factory=list)
    most_at_once: int = 0
    _pulls: int = 0
    _at_once: int = 0

    def app(self) -> ASGIApp:
        """The registry."""
        return Router(
            [
                Route("/v2/{name:path}/manifests/{reference}", self._guarded(self._manifest), methods=["GET", "HEAD"]),
                Route("/v2/{name:path}/blobs/{digest}", self._guarded(self._blob), methods=["GET"]),
                Route("/{path:path}", self._guarded(self._nothing), methods=["GET", "HEAD", "PUT", "POST", "PATCH"]),
            ]
        )

    def asked(self, method: str, part: str = "") -> list[Seen]:
        """The requests of a method whose path has this part."""
        return [seen for seen in self.seen if seen.method == method and part in seen.path]

    def _guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], "asyncio.Future[Response]"]:
        async def guarded(request: Request) -> Response:
            sent = request.headers.get("authorization")
            self.seen.append(Seen(request.method, request.url.path, sent))
            if self.challenge is not None and sent != self.authorization:
                return Response(status_code=401, headers={"WWW-Authenticate": self.challenge})
            if "/blobs/" not in request.url.path:
                return answer(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            await asyncio.sleep(self.blob_seconds)
            self._at_once -= 1
            return answer(request)

        return guarded  # type: ignore[return-value]  # a coroutine function, which is what starlette wants

    def _manifest(self, request: Request) -> Response:
        reference = request.path_params["reference"]
        name = reference if ":" in reference else self.image.root
        found = self.image.manifests.get(name)
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN")
        more: dict[str, str] = {}
        if self.quota is not None and request.method == "GET":
            self._pulls += 1
            said = self.quota(self._pulls)
            if isinstance(said, Response):
                return said
            more = said
        headers = {"Docker-Content-Digest": name, **more}
        return Response(found[1], media_type=found[0], headers=headers)

    def _blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        if self.blobs_at is not None:
            return RedirectResponse(f"{self.blobs_at}/data/{digest}?sig=secret")
        return Response(self.image.blobs[digest]) if digest in self.image.blobs else _error(404, "BLOB_UNKNOWN")

    @staticmethod
    def _nothing(_request: Request) -> Response:
        return _error(404, "UNSUPPORTED")


@dataclass
class Storage:
    """What stands behind a registry's redirects; it refuses whoever sends it an Authorization, as Azure's does."""

    image: SampleImage
    served: int = 0

    def app(self) -> ASGIApp:
        """The storage service."""
        return Router([Route("/data/{digest}", self._blob, methods=["GET"])])

    async def _blob(self, request: Request) -> Response:
        if "authorization" in request.headers:
            return Response("InvalidAuthenticationInfo", status_code=400)
        self.served += 1
        return Response(self.image.blobs[request.path_params["digest"]])


@dataclass
class TokenService:
    """Gives one token to whoever sends the right Authorization (None: nobody needs one)."""

    authorization: str | None = None
    token: str = "a-token"
    queries: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> ASGIApp:
        """The token service."""
        return Router([Route("/token", self._token, methods=["GET"])])

    async def _token(self, request: Request) -> Response:
        self.queries.append(dict(request.query_params))
        if request.headers.get("authorization") != self.authorization:
            return _error(401, "UNAUTHORIZED")
        return JSONResponse({"token": self.token, "expires_in": 300})


def _error(status: int, code: str) -> Response:
    return JSONResponse({"errors": [{"code": code, "message": code.lower()}]}, status_code=status)
