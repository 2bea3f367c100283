"""CloudEvents 1.0 over HTTP, binary and structured, one or a batch; and Transload's own plain event.

Sources: cloudevents/spec, bindings/http-protocol-binding.md and json-format.md. Events of Azure, Harbor and ECR are
read as theirs. Any other type is a push when its `data` says so in plain words: {"image": "host/repository:tag"},
with `digest` and `actor` where they are known.
"""

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from importcore.errors import InvalidReferenceError, printable
from importcore.hooks import ecr, harbor
from importcore.hooks.eventgrid import read_event as read_event_grid_event
from importcore.hooks.payload import Delivery, MalformedEventError, Payload, push
from importcore.hooks.push_event import Heard, Ignored, heard
from importcore.reference import Reference
from importcore.strict_json import decode_json

_VERSION = "1.0"
_PREFIX = "ce-"


def read(delivery: Delivery) -> Heard:
    """Read one delivery: headers `ce-…` with the data as body (binary), else a JSON event or an array of them.

    Raises:
        MalformedEventError: It is no CloudEvent of version 1.0.
    """
    body = delivery.payload()
    if f"{_PREFIX}specversion" in delivery.headers:
        return _read_one(_from_headers(delivery.headers, body), delivery.registry)
    if not isinstance(body.value, list):
        return _read_one(body, delivery.registry)
    every = [_read_in_batch(event, delivery.registry) for event in body.items()]
    return Heard(
        tuple(push for each in every for push in each.pushes), tuple(one for each in every for one in each.ignored)
    )


def _read_in_batch(event: Payload, registry: str | None) -> Heard:
    try:
        return _read_one(event, registry)
    except MalformedEventError as error:
        return heard(Ignored(event.path, error.message))


def _from_headers(headers: Mapping[str, str], body: Payload) -> Payload:
    """Give a binary event the form of a structured one; values are percent-encoded (HTTP binding, 3.1.3.2)."""
    attributes = {name.removeprefix(_PREFIX): unquote(value) for name, value in headers.items() if name[:3] == _PREFIX}
    return Payload({**attributes, "data": body.value})


def _read_one(event: Payload, registry: str | None) -> Heard:
    if event.text("specversion") != _VERSION:
        raise MalformedEventError("specversion", f"must be {_VERSION}")
    kind = event.text("type")
    event = _with_data(event)
    for beginning, read_theirs in _KNOWN.items():
        if kind.startswith(beginning):
            return read_theirs(event, registry)
    return _read_plain(event, kind, registry)


def _with_data(event: Payload) -> Payload:
    """Decode data that is JSON in a text, as some libraries send it."""
    if not isinstance(data := event.get("data").value, str):
        return event
    try:
        return Payload({**event.value, "data": decode_json(data)}, event.path)
    except ValueError:
        return event


def _read_plain(event: Payload, kind: str, registry: str | None) -> Heard:
    data = event.get("data")
    if data.maybe("image") is None:
        return heard(Ignored(printable(kind, 100), 'is not known, and its data names no "image"'))
    try:
        image = Reference.parse(data.text("image"))
    except InvalidReferenceError as error:
        raise MalformedEventError(f"{data.path}.image", error.message) from None
    return heard(
        push(
            data,
            registry or image.registry,
            image.repository,
            image.tag or (None if image.digest else "latest"),
            image.digest or data.maybe("digest"),
            at=event.moment("time"),
            actor=data.maybe("actor"),
            delivery=f"{event.maybe('source')} {event.maybe('id')}" if event.maybe("id") else None,
        )
    )


def _read_azure(event: Payload, registry: str | None) -> Heard:
    return heard(read_event_grid_event(event, registry))


_KNOWN: Mapping[str, Callable[[Payload, str | None], Heard]] = {
    "Microsoft.ContainerRegistry.": _read_azure,
    "harbor.": harbor.read_event,
    "com.amazon.ecr.image.push": ecr.read_cloud_event,
}
