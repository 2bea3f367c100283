"""The triggers: decode, call, encode; nothing else. The only importer of azure.functions.

The path goes on in `importcore/importer.py`.
"""

import json
from collections.abc import Awaitable, Callable

import azure.functions as func

from importcore.api import arm_api, hooks_api, http_api, rules_api
from importcore.api.arm_views import arm_error_json
from importcore.caller import Caller
from importcore.storage.names import STORAGE_NAMES
from importcore.wiring import Services, callers_need_a_key, services

_REGISTRY = (
    "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{registry}"
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION if callers_need_a_key() else func.AuthLevel.ANONYMOUS)


def _encoded(answer: http_api.Answer) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=answer.all_headers, mimetype="application/json"
    )


async def _asked(
    what: str, req: func.HttpRequest, operation: Callable[[Services, Caller], Awaitable[http_api.Answer]]
) -> func.HttpResponse:
    return _encoded(await http_api.asked(services, what, req.headers, operation))


def _in_its_schema(event: func.EventGridEvent | func.CloudEvent) -> bytes:
    """Write an event as it came; the library reads both schemas whatever the parameter's type."""
    if isinstance(event, func.CloudEvent):
        named = {"specversion": event.specversion, "source": event.source, "type": event.type}
        moment = event.time
    else:
        named = {"topic": event.topic, "eventType": event.event_type}
        moment = event.event_time
    told = {"id": event.id, "subject": event.subject, **named, "data": event.get_json()}
    told["time" if "specversion" in named else "eventTime"] = moment.isoformat() if moment else None
    return json.dumps(told).encode()


@app.route("imports", methods=["POST"])
async def submit_import(req: func.HttpRequest) -> func.HttpResponse:
    """Accept an import."""
    key, prefer = req.headers.get("idempotency-key"), req.headers.get("prefer")
    return await _asked("submit", req, lambda on, who: http_api.submit(on, who, req.get_body(), key, prefer))


@app.route("imports", methods=["GET"])
async def list_imports(req: func.HttpRequest) -> func.HttpResponse:
    """List imports, newest first."""
    return await _asked("list", req, lambda on, who: http_api.list_newest(on, who, req.params))


@app.route("imports/{id}", methods=["GET"])
async def get_import(req: func.HttpRequest) -> func.HttpResponse:
    """Read an import."""
    import_id, prefer = req.route_params["id"], req.headers.get("prefer")
    return await _asked("read", req, lambda on, who: http_api.get(on, who, import_id, prefer))


@app.route("imports/{id}/cancel", methods=["POST"])
async def cancel_import(req: func.HttpRequest) -> func.HttpResponse:
    """Ask an import to stop."""
    return await _asked("cancel", req, lambda on, who: http_api.cancel(on, who, req.route_params["id"]))


async def _arm_asked(
    what: str,
    req: func.HttpRequest,
    operation: Callable[[Services, Caller, arm_api.ArmCall], Awaitable[http_api.Answer]],
) -> func.HttpResponse:
    async def on_call(on: Services, who: Caller) -> http_api.Answer:
        return await operation(on, who, arm_api.ArmCall.read(req.url, req.headers, req.route_params, req.params))

    return _encoded(await http_api.asked(services, what, req.headers, on_call, arm_error_json))


@app.route(f"{_REGISTRY}/importImage", methods=["POST"])
async def import_image(req: func.HttpRequest) -> func.HttpResponse:
    """Accept an import from an SDK of Azure Resource Manager."""
    return await _arm_asked("submit", req, lambda on, who, call: arm_api.import_image(on, who, call, req.get_body()))


@app.route(f"{_REGISTRY}/operationResults/{{id}}", methods=["GET"])
async def import_result(req: func.HttpRequest) -> func.HttpResponse:
    """Tell an SDK of Azure Resource Manager how its import stands."""
    import_id = req.route_params["id"]
    return await _arm_asked("read", req, lambda on, who, call: arm_api.operation_result(on, who, call, import_id))


@app.route("hooks/{kind}/{name?}", methods=["POST", "OPTIONS"], auth_level=func.AuthLevel.FUNCTION)
async def take_hook(req: func.HttpRequest) -> func.HttpResponse:
    """Take what a registry tells of a push. Its sender can have a key, but no sign-in, whoever else is signed in."""
    kind, name = req.route_params["kind"], req.route_params.get("name")
    if req.method == "OPTIONS":
        return _encoded(hooks_api.shake_hands(kind, req.headers))
    return _encoded(await hooks_api.take_delivery(services, kind, name, req.get_body(), req.headers))


@app.route("rules/test", methods=["POST"])
async def try_rules(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what the rules would make of an event."""
    return await _asked("try rules", req, lambda on, who: rules_api.try_rules(on, who, req.get_body()))


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 (the trigger's binding)
    """Tell whether everything that an import needs is there."""
    return _encoded(await http_api.health(services))


@app.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def describe(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 (the trigger's binding)
    """Describe this API."""
    return _encoded(http_api.description())


@app.queue_trigger(arg_name="message", queue_name=STORAGE_NAMES.queue, connection="AzureWebJobsStorage")
async def run_import(message: func.QueueMessage) -> None:
    """Go on with an import."""
    await (await services()).importer.run(message.get_body(), message.id or "")


@app.queue_trigger(arg_name="message", queue_name=STORAGE_NAMES.poison_queue, connection="AzureWebJobsStorage")
async def take_poisoned(message: func.QueueMessage) -> None:
    """Put an import back whose message the host gave up, or end it."""
    await (await services()).poison.take(message.get_body())


@app.queue_trigger(arg_name="message", queue_name=STORAGE_NAMES.notice_queue, connection="AzureWebJobsStorage")
async def send_notice(message: func.QueueMessage) -> None:
    """Tell others that an import has ended."""
    await (await services()).notices.deliver(message.get_body())


@app.queue_trigger(arg_name="message", queue_name=STORAGE_NAMES.notice_poison_queue, connection="AzureWebJobsStorage")
async def give_up_notice(message: func.QueueMessage) -> None:
    """Say in the record that a notice was lost, whose message the host gave up."""
    await (await services()).notices.give_up(message.get_body())


@app.queue_trigger(arg_name="message", queue_name=STORAGE_NAMES.event_queue, connection="AzureWebJobsStorage")
async def take_event(message: func.QueueMessage) -> None:
    """Take what Event Grid tells of a push, or a check of a rule with a schedule."""
    await (await services()).event_messages.take(message.get_body())


@app.event_grid_trigger(arg_name="event")
async def take_grid_event(event: func.EventGridEvent) -> None:
    """Take what Event Grid tells of a push, from a subscription that calls this function itself; in either schema."""
    await (await services()).event_messages.take(_in_its_schema(event))


@app.timer_trigger(arg_name="timer", schedule="0 */10 * * * *")
async def keep_up(timer: func.TimerRequest) -> None:  # noqa: ARG001 (the trigger's binding)
    """Put imports back whose message is gone, and remove what is old."""
    await (await services()).keep_up()


@app.timer_trigger(arg_name="timer", schedule="30 */10 * * * *")
async def begin_rounds(timer: func.TimerRequest) -> None:  # noqa: ARG001 (the trigger's binding)
    """Have the sources of rules with a schedule asked for what no event announced."""
    await (await services()).rounds.begin()
