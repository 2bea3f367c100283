"""One event in the form of CNCF distribution's notifications: `action`, `target`, `request`.

ACR's webhook sends one such event bare, Event Grid carries it in `data`, distribution and GitLab's registry send
lists of them. Sources: distribution, notifications/event.go; learn.microsoft.com, "Azure Container Registry webhook
reference".
"""

from importcore.descriptors import MANIFEST_TYPES
from importcore.errors import printable
from importcore.hooks.payload import Payload, push
from importcore.hooks.push_event import Ignored, PushEvent, PushKind

_PUSHES = {kind.value: kind for kind in PushKind}
_REASONS = {
    "ping": "a test of the connection",
    "delete": "nothing is deleted at the target when something is deleted at the source",
    "chart_delete": "nothing is deleted at the target when something is deleted at the source",
    "quarantine": "what is in quarantine may not be pulled yet; the push is told of again when it leaves",
    "pull": "nothing was pushed",
    "mount": "a blob moved inside the registry; the push of its manifest is told of by itself",
}
_CHART = "application/vnd.acr.helm.chart"


def read_registry_event(event: Payload, registry: str | None) -> PushEvent | Ignored:
    """Read one event.

    Args:
        event: The event.
        registry: Which registry it is about; None is what the event says.

    Raises:
        MalformedEventError: Names the field.
    """
    action = event.text("action")
    target = event.get("target")
    if action not in _PUSHES:
        what = f"{printable(action, 40)} {printable(target.maybe('repository') or '', 120)}".strip()
        return Ignored(what, _REASONS.get(action, "is no push"))
    repository = target.text("repository")
    media_type = target.maybe("mediaType")
    if media_type is not None and media_type not in MANIFEST_TYPES | {_CHART}:
        return Ignored(f"{action} {printable(repository, 120)}", f"a {printable(media_type, 80)} is no manifest")
    return push(
        target,
        registry or event.maybe("request", "host"),
        repository,
        target.maybe("tag"),
        target.maybe("digest"),
        at=event.moment("timestamp"),
        actor=event.maybe("actor", "name"),
        delivery=event.maybe("id"),
        kind=_PUSHES[action],
    )
