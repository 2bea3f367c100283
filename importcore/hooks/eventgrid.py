"""Azure Event Grid: events of `Microsoft.ContainerRegistry` in its own schema or as CloudEvents, and its handshake.

Sources: learn.microsoft.com, "Azure Container Registry as an Event Grid source", "Endpoint validation with Event Grid
events" and "Event Grid message delivery and retry". A batch is delivered again as a whole, so that one event which
cannot be read must not fail the others: it is named in the answer. (400, 401 and 413 would never be delivered again.)
"""

from importcore.errors import printable
from importcore.hooks.payload import Delivery, MalformedEventError, Payload
from importcore.hooks.push_event import Heard, Ignored, PushEvent, heard
from importcore.hooks.registry_event import read_registry_event

_OURS = "Microsoft.ContainerRegistry."
_PUSHES = frozenset({"ImagePushed", "ChartPushed"})
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


def read(delivery: Delivery) -> Heard:
    """Read one delivery: an array in Event Grid's schema, one CloudEvent or an array of them, or a handshake.

    Raises:
        MalformedEventError: It is none of these.
    """
    body = delivery.payload()
    events = body.items() if isinstance(body.value, list) else [body]
    if len(events) == 1 and events[0].maybe("eventType") == _VALIDATION:
        return Heard(validation_code=events[0].text("data", "validationCode"))

    def read_one(event: Payload) -> PushEvent | Ignored:
        try:
            return read_event(event, delivery.registry)
        except MalformedEventError as error:
            if len(events) == 1:
                raise
            return Ignored(event.path, error.message)

    return heard(*map(read_one, events))


def read_event(event: Payload, registry: str | None) -> PushEvent | Ignored:
    """Read one event in either schema; its `data` has the form of the registry's own webhook.

    Raises:
        MalformedEventError: Names the field.
    """
    kind = event.maybe("eventType") or event.text("type")
    if kind.removeprefix(_OURS) not in _PUSHES:
        reason = "is no push" if kind.startswith(_OURS) else "is no event of a container registry"
        return Ignored(printable(kind, 100), reason)
    return read_registry_event(event.get("data"), registry)
