"""The Event Grid extension's webhook: `POST /runtime/webhooks/EventGrid?functionName=NAME`.

Answers the subscription handshake ("Endpoint validation with Event Grid events") and the CloudEvents handshake
(OPTIONS with `WebHook-Request-Origin`), and calls the function once for each event of a batch.
"""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devtools.functions_host.indexing import EventGridTrigger, IndexedFunction
from devtools.functions_host.invocation import Invoker
from devtools.functions_host.keys import Keys

_PATH = "/runtime/webhooks/eventgrid"
_VALIDATION = "SubscriptionValidation"


class EventGridWebhook:
    """Delivers events to the functions with an Event Grid trigger."""

    def __init__(self, functions: Iterable[IndexedFunction], invoker: Invoker, keys: Keys | None) -> None:
        self._functions = {
            function.name: function for function in functions if isinstance(function.trigger, EventGridTrigger)
        }
        self._invoker = invoker
        self._keys = keys

    def claims(self, request: Request) -> bool:
        """Tell whether this request is for the webhook."""
        return request.url.path.lower() == _PATH

    async def answer(self, request: Request) -> Response:
        """Answer a handshake or deliver a batch.

        A function that fails makes the whole delivery fail (500), and Event Grid sends the batch again.
        """
        # The system key opens this door on Azure; the master key stands for it here.
        if self._keys is not None and not self._keys.allow("admin", request.headers, request.query_params):
            return Response(status_code=401)
        function = self._functions.get(request.query_params.get("functionName", ""))
        if function is None:
            return Response(status_code=404)
        return await self._exchange(function, request)

    async def _exchange(self, function: IndexedFunction, request: Request) -> Response:
        if request.method == "OPTIONS":
            origin = request.headers.get("webhook-request-origin", "")
            return Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})
        if request.method != "POST":
            return Response(status_code=404)
        try:
            body: Any = await request.json()
        except ValueError:
            return Response(status_code=400)
        events = body if isinstance(body, list) else [body]
        if request.headers.get("aeg-event-type") == _VALIDATION:
            return JSONResponse({"validationResponse": events[0]["data"]["validationCode"]})
        return await self._deliver(function, events)

    async def _deliver(self, function: IndexedFunction, events: list[Any]) -> Response:
        values = [
            EventGridEventInConverter.decode(Datum(json.dumps(event), "json"), trigger_metadata=None)
            for event in events
        ]
        outcomes = await asyncio.gather(
            *(self._invoker.invoke(function, value) for value in values), return_exceptions=True
        )
        failed = any(isinstance(outcome, Exception) for outcome in outcomes)
        return Response(status_code=500 if failed else 202)
