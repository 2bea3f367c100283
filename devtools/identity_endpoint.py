"""The managed identity endpoint of App Service and Functions, protocol 2019-08-01.

`python -m devtools.identity_endpoint --port P --header-secret S` serves it until SIGTERM or SIGINT. When it is ready it
prints one JSON line: {"endpoint": "http://127.0.0.1:PORT/msi/token", "pid": PID}; an app finds it through
IDENTITY_ENDPOINT (that address) and IDENTITY_HEADER (the secret). Source: learn.microsoft.com, "How to use managed
identities for App Service and Azure Functions", REST endpoint reference.
"""

import argparse
import asyncio
import hmac
import json
import os
import signal
import time
import uuid
from dataclasses import dataclass

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from devtools.serving import serving

_API_VERSION = "2019-08-01"
_SIGNING_KEY = "nobody verifies this signature but a JWT has one"


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """The identities that the endpoint speaks for.

    Attributes:
        header_secret: What X-IDENTITY-HEADER must be.
        tenant: The Entra tenant of all of them.
        system_object_id: Object id of the system-assigned identity.
        system_client_id: Application id of the system-assigned identity.
        user_assigned: Client ids of user-assigned identities; None takes any.
        token_seconds: Life of a token.
    """

    header_secret: str
    tenant: str = "11111111-2222-4333-8444-555555555555"
    system_object_id: str = "aaaaaaaa-0000-4000-8000-000000000001"
    system_client_id: str = "aaaaaaaa-0000-4000-8000-000000000002"
    user_assigned: frozenset[str] | None = None
    token_seconds: int = 24 * 60 * 60


def create_identity_endpoint(config: IdentityConfig) -> Router:
    """Make the endpoint, an ASGI application."""

    async def token(request: Request) -> Response:
        presented = request.headers.get("x-identity-header", "")
        if not hmac.compare_digest(presented.encode(), config.header_secret.encode()):
            return _refusal("The X-IDENTITY-HEADER is missing or wrong")
        query = request.query_params
        resource = query.get("resource", "")
        if query.get("api-version") != _API_VERSION or not resource:
            return _refusal(f"api-version must be {_API_VERSION}, and resource must be given")
        asked = query.get("client_id") or query.get("object_id") or query.get("mi_res_id")
        if asked and config.user_assigned is not None and asked not in config.user_assigned:
            return _refusal("No MSI found")
        client_id, object_id = config.system_client_id, config.system_object_id
        if asked:
            client_id, object_id = asked, str(uuid.uuid5(uuid.NAMESPACE_URL, asked))
        now = int(time.time())
        expiry = now + config.token_seconds
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{config.tenant}/",
            "tid": config.tenant,
            "oid": object_id,
            "sub": object_id,
            "appid": client_id,
            "iat": now,
            "nbf": now,
            "exp": expiry,
            "ver": "1.0",
        }
        answer = {
            "access_token": jwt.encode(claims, _SIGNING_KEY, algorithm="HS256"),
            "expires_on": str(expiry),  # a date instead breaks the SDK
            "resource": resource,  # the async SDK needs it
            "token_type": "Bearer",
            "client_id": client_id,
        }
        return JSONResponse(answer)

    return Router([Route("/msi/token", token, methods=["GET"])], redirect_slashes=False)


def _refusal(message: str) -> Response:
    return JSONResponse({"statusCode": 400, "message": message}, status_code=400)


async def serve(port: int, config: IdentityConfig) -> None:
    """Serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(create_identity_endpoint(config), port) as bound:
        print(json.dumps({"endpoint": f"http://127.0.0.1:{bound}/msi/token", "pid": os.getpid()}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m devtools.identity_endpoint")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--header-secret", required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, IdentityConfig(arguments.header_secret)))
