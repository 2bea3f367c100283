"""Quay's webhook (quay.io and Red Hat Quay): all tags of one push, without time or digest, unsigned.

Source: quay/quay, notifications/notificationevent.py. Older versions send `updated_tags` as an object whose names are
the tags.
"""

from importcore.hooks.payload import EVENTS_AT_MOST, Delivery, MalformedEventError, push
from importcore.hooks.push_event import Heard, Ignored, heard


def read(delivery: Delivery) -> Heard:
    """Read one delivery: one push for each tag."""
    body = delivery.payload()
    tags = body.get("updated_tags")
    if tags.value is None:
        return heard(Ignored("an event without updated_tags", "is no push of an image"))
    names = list(tags.value)[:EVENTS_AT_MOST] if isinstance(tags.value, list | dict) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise MalformedEventError(tags.path, "must be a list of tags")
    host = body.text("docker_url").partition("/")[0]
    repository = body.text("repository")
    return heard(*(push(body, delivery.registry or host, repository, name) for name in names))
