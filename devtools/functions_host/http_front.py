"""The HTTP front: finds the function for a request, calls it, and puts its answer on the wire.

What an answer looks like is left to azure-functions' own converter, which the real worker uses too.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import azure.functions as func
from azure.functions.http import HttpRequest, HttpResponseConverter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from devtools.functions_host.event_grid import EventGridWebhook
from devtools.functions_host.indexing import HttpTrigger, IndexedFunction
from devtools.functions_host.invocation import Invoker
from devtools.functions_host.keys import Keys
from devtools.functions_host.route_template import RouteTemplate

_LOG = logging.getLogger("host.http")


@dataclass(frozen=True, slots=True)
class _Route:
    template: RouteTemplate
    trigger: HttpTrigger
    function: IndexedFunction


class HttpFront:
    """An ASGI application of all HTTP functions, and of the Event Grid webhook where there is one."""

    def __init__(
        self,
        functions: Iterable[IndexedFunction],
        *,
        route_prefix: str,
        invoker: Invoker,
        keys: Keys | None,
        webhook: EventGridWebhook | None = None,
        stop: asyncio.Event | None = None,
    ) -> None:
        """Make the front.

        Args:
            functions: The functions of the app; those without an HTTP trigger are passed over.
            route_prefix: host.json's `extensions.http.routePrefix`.
            invoker: What runs a function.
            keys: The keys to ask for; None asks for none.
            webhook: What answers Event Grid.
            stop: Once it is set, every request is answered 503.

        Raises:
            UnknownTemplateError: A route uses what this host does not know.
        """
        routes = [
            _Route(RouteTemplate.compile(f"{route_prefix}/{function.trigger.route}"), function.trigger, function)
            for function in functions
            if isinstance(function.trigger, HttpTrigger)
        ]
        self._routes = sorted(routes, key=lambda route: route.template.precedence)
        self._invoker = invoker
        self._keys = keys
        self._webhook = webhook
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if self._stop is not None and self._stop.is_set():
            return Response(status_code=503)
        if self._webhook is not None and self._webhook.claims(request):
            return await self._webhook.answer(request)
        path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1").strip("/")
        for route in self._routes:
            parameters = route.template.match(path)
            methods = route.trigger.methods
            if parameters is not None and (methods is None or request.method in methods):
                return await self._call(route, request, parameters)
        return Response(status_code=404)  # also for a method that no function answers: never 405

    async def _call(self, route: _Route, request: Request, parameters: Mapping[str, str]) -> Response:
        if self._keys is not None and not self._keys.allow(
            route.trigger.auth_level, request.headers, request.query_params
        ):
            return Response(status_code=401)
        value = HttpRequest(
            method=request.method,
            url=str(request.url),
            headers={name: ",".join(request.headers.getlist(name)) for name in request.headers},
            params={name: ",".join(request.query_params.getlist(name)) for name in request.query_params},
            route_params=parameters,
            body_type="bytes",
            body=await request.body(),
        )
        try:
            return _response(await self._invoker.invoke(route.function, value))
        except Exception:  # noqa: BLE001 (whatever a user function raises is a 500; the invoker logged it)
            return Response(status_code=500)


def _response(returned: object) -> Response:
    """Turn what a function returned into an answer; what it must not return is a 500 with an empty body."""
    if isinstance(returned, str):
        return Response(returned, media_type="text/plain")
    if not isinstance(returned, func.HttpResponse):
        _LOG.error("The function returned %s, which is no HTTP answer", type(returned).__name__)
        return Response(status_code=500)
    encoded = HttpResponseConverter.encode(returned, expected_type=None).value
    response = Response(encoded["body"].value, status_code=int(encoded["status_code"].value))
    for name, datum in encoded["headers"].items():
        response.headers[name] = datum.value
    for cookie in encoded["cookies"] or []:
        for morsel in cookie.values():
            response.headers.append("set-cookie", morsel.OutputString())
    return response
