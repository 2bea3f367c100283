"""What an Azure Container Registry tells of a push or a delete, as its webhook and Event Grid write it.

Sources: learn.microsoft.com, "Azure Container Registry webhook reference" and "Azure Container Registry as an Event
Grid source". A push by digest names no tag; a delete names no tag either.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_RESOURCE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers"
_TYPES = {"push": "ImagePushed", "delete": "ImageDeleted"}


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """Something that happened to a manifest.

    Attributes:
        action: "push" or "delete".
        repository: Where.
        digest: Of the manifest.
        media_type: Of the manifest.
        size: In bytes.
        tag: The tag that was pushed; None for a push by digest and for a delete.
        host: The registry, as the client named it.
        user_agent: Of the client.
    """

    action: str
    repository: str
    digest: str
    media_type: str
    size: int
    tag: str | None
    host: str
    user_agent: str

    def as_webhook(self) -> dict[str, Any]:
        """The body of the webhook."""
        target: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "repository": self.repository}
        if self.action == "push":
            target |= {"size": self.size, "length": self.size, **({"tag": self.tag} if self.tag else {})}
        return {
            "id": str(uuid.uuid4()),
            "timestamp": _now(),
            "action": self.action,
            "target": target,
            "request": {
                "id": str(uuid.uuid4()),
                "host": self.host,
                "method": "PUT" if self.action == "push" else "DELETE",
                "useragent": self.user_agent,
            },
        }


def as_event_grid(webhook: dict[str, Any]) -> dict[str, Any]:
    """The same event in Event Grid's schema: the webhook's body stands in `data`."""
    target, name = webhook["target"], str(webhook["request"]["host"]).partition(".")[0]
    tag = target.get("tag")
    return {
        "id": webhook["id"],
        "topic": f"{_RESOURCE}/Microsoft.ContainerRegistry/registries/{name}",
        "subject": f"{target['repository']}:{tag}" if tag else target["repository"],
        "eventType": f"Microsoft.ContainerRegistry.{_TYPES[webhook['action']]}",
        "eventTime": _now(),
        "data": {**webhook, "location": "local"},
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }


def ping() -> dict[str, Any]:
    """What the ping of a webhook sends."""
    return {"id": str(uuid.uuid4()), "timestamp": _now(), "action": "ping"}


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"  # seven digits, as .NET writes them
