"""Harbor's webhook, in its default form and in CloudEvents'.

Source: goharbor.io, "Configure Webhook Notifications"; goharbor/harbor, src/pkg/notifier. `Authorization` holds exactly
what was configured as the auth header.
"""

from importcore.errors import printable
from importcore.hooks.payload import Delivery, Payload, push
from importcore.hooks.push_event import Heard, Ignored, PushEvent, heard

_PUSHES = frozenset({"PUSH_ARTIFACT", "harbor.artifact.pushed"})


def read(delivery: Delivery) -> Heard:
    """Read one delivery: a push of one artifact or several."""
    return read_event(delivery.payload(), delivery.registry)


def read_event(event: Payload, registry: str | None) -> Heard:
    """Read an event in either form; see `read`."""
    kind = event.text("type")
    if kind not in _PUSHES:
        return heard(Ignored(printable(kind, 60), "is no push of an artifact"))
    is_cloud_event = kind == "harbor.artifact.pushed"
    data = event.get("data" if is_cloud_event else "event_data")
    at = event.moment("time" if is_cloud_event else "occur_at")
    repository = data.text("repository", "repo_full_name")

    def read_one(resource: Payload) -> PushEvent:
        host = resource.text("resource_url").partition("/")[0]
        tag, digest = resource.maybe("tag"), resource.maybe("digest")
        return push(resource, registry or host, repository, tag, digest, at=at, actor=event.maybe("operator"))

    return heard(*map(read_one, data.items("resources")))
