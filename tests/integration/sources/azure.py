"""What of Azure stands beside a registry: the managed identity endpoint, and Azure Resource Manager."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from devtools.identity_endpoint import IdentityConfig, create_identity_endpoint
from devtools.serving import serving

SECRET = "header-secret"
SYSTEM_IDENTITY = IdentityConfig(SECRET).system_object_id
HOME_TENANT = IdentityConfig(SECRET).tenant
SUBSCRIPTION = "0a000000-0000-4000-8000-000000000001"


def resource_id(name: str) -> str:
    """The resource id of a registry."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-1/providers/Microsoft.ContainerRegistry/registries/{name}"


@dataclass
class IdentityEndpoint:
    """The endpoint's address, and the queries that it got."""

    address: str = ""
    queries: list[dict[str, str]] = field(default_factory=list)

    def adopted(self, monkeypatch: pytest.MonkeyPatch, **more: str) -> dict[str, str]:
        """Give the app settings that lead to it; azure-identity reads them from the environment of this process."""
        settings = {"IDENTITY_ENDPOINT": f"http://{self.address}/msi/token", "IDENTITY_HEADER": SECRET, **more}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return settings


@asynccontextmanager
async def identity_endpoint(**config: Any) -> AsyncIterator[IdentityEndpoint]:  # noqa: ANN401 (fields of IdentityConfig)
    """Serve the managed identity endpoint, and remember what it is asked."""
    endpoint = IdentityEndpoint()
    inner: ASGIApp = create_identity_endpoint(IdentityConfig(SECRET, **config))

    async def remembering(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint.queries.append(dict(Request(scope).query_params))
        await inner(scope, receive, send)

    async with serving(remembering) as port:
        endpoint.address = f"127.0.0.1:{port}"
        yield endpoint


@dataclass
class ResourceManager:
    """Azure Resource Manager, as far as "Registries - Get" goes.

    Attributes:
        login_servers: What is there, by resource id.
        forbidden: Resource ids that nobody may read.
        broken: Whether it answers 503 to everything.
        asked: The paths that were asked for.
    """

    login_servers: dict[str, str]
    forbidden: frozenset[str] = frozenset()
    broken: bool = False
    asked: list[str] = field(default_factory=list)

    def app(self) -> ASGIApp:
        """The service."""
        return Router([Route("/{path:path}", self._get, methods=["GET"])])

    async def _get(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if self.broken:
            return Response(status_code=503)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        if claims["aud"] != "https://management.azure.com" or request.query_params.get("api-version") != "2025-11-01":
            return Response(status_code=401)
        if request.url.path in self.forbidden:
            return JSONResponse({"error": {"code": "AuthorizationFailed"}}, status_code=403)
        server = self.login_servers.get(request.url.path)
        if server is None:
            return JSONResponse({"error": {"code": "ResourceNotFound"}}, status_code=404)
        return JSONResponse({"id": request.url.path, "properties": {"loginServer": server}})


def entra_token(tenant: str, object_id: str = "bbbbbbbb-0000-4000-8000-000000000001") -> str:
    """An Entra access token as `az account get-access-token` gives it, for Azure Resource Manager."""
    claims = {
        "aud": "https://management.azure.com/",
        "iss": f"https://sts.windows.net/{tenant}/",
        "tid": tenant,
        "oid": object_id,
        "exp": 4_000_000_000,
    }
    return jwt.encode(claims, "nobody verifies this signature but a JWT has one", algorithm="HS256")
