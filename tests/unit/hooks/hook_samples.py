"""One real-shaped delivery of each sender: the body as bytes in `tests/samples/hooks`, its headers here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from importcore.hooks.payload import Delivery
from importcore.hooks.push_event import Heard
from importcore.hooks.senders import SENDERS

FOLDER = Path(__file__).parents[2] / "samples" / "hooks"
ACR_DIGEST = "sha256:80f0d5c8786bb9e621a45ece0db56d11cdc624ad20da9fe62e9d25490f331d7d"
GITHUB_DIGEST = "sha256:6f2d8e0c1a7b4935d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7"
CLOUD_EVENT = {"content-type": "application/cloudevents+json; charset=utf-8"}


@dataclass(frozen=True)
class Sample:
    """A delivery of one sender: `kind` as in the URL, `file` without its ending."""

    kind: str
    file: str
    headers: Mapping[str, str] = field(default_factory=dict)
    registry: str | None = None

    @property
    def body(self) -> bytes:
        """As it came."""
        return (FOLDER / f"{self.file}.json").read_bytes()

    @property
    def value(self) -> Any:  # noqa: ANN401 (whatever JSON holds)
        """The body, decoded."""
        return json.loads(self.body)

    def read(self, body: bytes | None = None) -> Heard:
        """Read it, or another body under the same headers, as its kind does."""
        headers = {"content-type": "application/json", **self.headers}
        return SENDERS[self.kind].read(Delivery(self.body if body is None else body, headers, self.registry))

    def __str__(self) -> str:
        return f"{self.kind}:{self.file}"


def _github(event: str) -> dict[str, str]:
    return {"x-github-event": event, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}


_BINARY = {
    "ce-specversion": "1.0",
    "ce-type": "com.example.image.pushed",
    "ce-source": "https://ci.example.com/pipelines/7",
    "ce-id": "7-1",
    "ce-time": "2026-03-01T10:00:00%2B01:00",
}
PUSHES = (
    Sample("acr", "acr-push"),
    Sample("acr", "acr-chart-push", registry="myregistry.azurecr.io"),
    Sample("eventgrid", "eventgrid-push", {"aeg-event-type": "Notification"}),
    Sample("eventgrid", "eventgrid-batch", {"aeg-event-type": "Notification"}, registry="myregistry.azurecr.io"),
    Sample("eventgrid", "eventgrid-cloudevent", CLOUD_EVENT),
    Sample("cloudevents", "eventgrid-cloudevent", CLOUD_EVENT),
    Sample("cloudevents", "cloudevents-structured", CLOUD_EVENT),
    Sample("cloudevents", "cloudevents-binary", _BINARY),
    Sample("cloudevents", "harbor-cloudevent", CLOUD_EVENT),
    Sample("cloudevents", "ecr-cloudevent", CLOUD_EVENT),
    Sample("dockerhub", "dockerhub-push"),
    Sample("harbor", "harbor-push"),
    Sample("harbor", "harbor-push-by-digest"),
    Sample("harbor", "harbor-cloudevent", CLOUD_EVENT),
    Sample("quay", "quay-push"),
    Sample("quay", "quay-push-of-old"),
    Sample("github", "github-registry-package", _github("registry_package")),
    Sample("github", "github-package", _github("package")),
    Sample("github", "github-package-without-tag", _github("package")),
    Sample("gitlab", "gitlab-events", {"content-type": "application/vnd.docker.distribution.events.v1+json"}),
    Sample(
        "distribution", "distribution-events", {"content-type": "application/vnd.docker.distribution.events.v2+json"}
    ),
    Sample("ecr", "ecr-push"),
    Sample("google", "google-push"),
    Sample("google", "google-push-unwrapped"),
    Sample("jfrog", "jfrog-push"),
    Sample("gitea", "gitea-package", {"x-gitea-event": "package", "x-gitea-delivery": "f6266f16-1bf3"}),
)
NO_PUSHES = (
    Sample("acr", "acr-ping"),
    Sample("acr", "acr-delete"),
    Sample("acr", "acr-quarantine"),
    Sample("harbor", "harbor-pull"),
    Sample("github", "github-ping", _github("ping")),
)
VALIDATION = Sample("eventgrid", "eventgrid-validation", {"aeg-event-type": "SubscriptionValidation"})
EVERY = (*PUSHES, *NO_PUSHES, VALIDATION)


def sample(kind: str, file: str) -> Sample:
    """Find one."""
    return next(each for each in EVERY if (each.kind, each.file) == (kind, file))
