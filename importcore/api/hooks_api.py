"""The webhooks over HTTP: `POST /api/hooks/{kind}` and `/{kind}/{name}`, and the handshake of CloudEvents (OPTIONS).

A sender reads the status alone, so that it decides what is lost. Whatever may pass is 503 with `Retry-After`, wrong
rules and settings among it: Event Grid never sends again what was answered 400, 401 or 413, and others send again
whatever was not 2xx. Those are for what would be wrong for ever.
"""

import json
from collections.abc import Awaitable, Callable, Mapping

from importcore.api.hook_views import hook_json
from importcore.api.http_api import Answer, headers_for
from importcore.api.principal import address_of
from importcore.api.views import error_json
from importcore.caller import Caller
from importcore.doors.webhooks import DeliveryTooLargeError
from importcore.errors import TransloadError, UnauthenticatedError
from importcore.hooks.payload import MalformedEventError
from importcore.hooks.proof import HookRefusedError, UnknownHookError
from importcore.wiring import Services

_FOR_EVER: Mapping[type[TransloadError], int] = {
    MalformedEventError: 400,
    HookRefusedError: 401,
    UnknownHookError: 404,
    DeliveryTooLargeError: 413,
}
_DELIVER_AGAIN_SECONDS = 30.0
_HANDSHAKES = frozenset({"cloudevents", "eventgrid"})


async def take_delivery(
    services: Callable[[], Awaitable[Services]], kind: str, name: str | None, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Answer one delivery: 202 where imports follow, 200 where none does; the body says which and why not.

    Args:
        services: What builds the app.
        kind: The kind of the sender, as in the URL.
        name: The hook's own name, where the URL has one.
        body: As it came.
        headers: Names in any case.
    """
    lower = {key.lower(): value for key, value in headers.items()}
    address = address_of(lower)
    try:
        app = await services()
        try:
            heeded = await app.webhooks.take(kind, name, body, lower, address)
        except UnauthenticatedError as error:
            app.audit.refused("hook", error, None, address)
            raise
        if heeded.refusal is not None:
            app.audit.refused("callback", heeded.refusal, Caller.by_hook(f"{kind}/{name}" if name else kind), address)
    except TransloadError as error:
        status = next((status for kind, status in _FOR_EVER.items() if isinstance(error, kind)), 503)
        return Answer(status, error_json(error), _headers_for(status, error))
    if heeded.validation_code is not None:  # "Endpoint validation with Event Grid events": 200, not 202
        return Answer(200, json.dumps({"validationResponse": heeded.validation_code}))
    return Answer(202 if heeded.imports else 200, hook_json(heeded))


def shake_hands(kind: str, headers: Mapping[str, str]) -> Answer:
    """Answer OPTIONS, by which a sender of CloudEvents asks whether it may send (spec `http-webhook.md`, 4).

    Whoever asks has the function key, which is what allows it.
    """
    lower = {key.lower(): value for key, value in headers.items()}
    origin = lower.get("webhook-request-origin")
    if kind not in _HANDSHAKES:
        error: TransloadError = UnknownHookError(f"only {' and '.join(sorted(_HANDSHAKES))} begin with OPTIONS")
        return Answer(404, error_json(error))
    if not origin or not origin.isascii() or not origin.isprintable():
        error = MalformedEventError("WebHook-Request-Origin", "must name the sender")
        return Answer(400, error_json(error))
    return Answer(200, "{}", {"Allow": "POST, OPTIONS", "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})


def _headers_for(status: int, error: TransloadError) -> dict[str, str]:
    if status == 503:  # noqa: PLR2004 (Service Unavailable)
        return {"Retry-After": f"{error.retry_after or _DELIVER_AGAIN_SECONDS:.0f}"}
    return headers_for(error)
