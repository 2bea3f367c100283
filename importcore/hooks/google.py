"""Google Artifact Registry and Container Registry, as a Pub/Sub push subscription sends them, wrapped or unwrapped.

Source: cloud.google.com, "Configure Pub/Sub notifications" (topic `gcr`).
"""

import base64

from importcore.errors import printable
from importcore.hooks.payload import Delivery, MalformedEventError, Payload, push
from importcore.hooks.push_event import Heard, Ignored, heard
from importcore.strict_json import decode_json


def read(delivery: Delivery) -> Heard:
    """Read one delivery: one action on one image; one that names no tag was pushed by digest."""
    body = delivery.payload()
    message = body.get("message")
    event = body if message.value is None else _unwrapped(message)
    action = event.text("action")
    if action != "INSERT":
        return heard(Ignored(printable(action, 40), "is no push"))
    by_tag, by_digest = event.maybe("tag") or "", event.maybe("digest") or ""
    host, _, rest = (by_tag or by_digest).partition("/")
    repository, _, tag = rest.partition("@")[0].rpartition(":") if by_tag else (rest.partition("@")[0], "", "")
    digest = by_digest.partition("@")[2] or None
    return heard(
        push(
            event,
            delivery.registry or host,
            repository,
            tag or None,
            digest,
            at=message.moment("publishTime"),
            delivery=message.maybe("messageId"),
        )
    )


def _unwrapped(message: Payload) -> Payload:
    try:
        return Payload(decode_json(base64.b64decode(message.text("data"), validate=True)), "message.data")
    except ValueError:  # binascii.Error is one
        raise MalformedEventError("message.data", "must be JSON in base64") from None
