"""Who may send, by the name that stands in the URL: what reads it, and how it proves itself by default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from importcore.hooks import (
    acr,
    cloudevents,
    distribution,
    dockerhub,
    ecr,
    eventgrid,
    gitea,
    github,
    gitlab,
    google,
    harbor,
    jfrog,
    quay,
)
from importcore.hooks.payload import Delivery
from importcore.hooks.push_event import Heard


@dataclass(frozen=True, slots=True)
class Sender:
    """One kind of sender.

    Attributes:
        read: Reads a delivery.
        header: Where its secret, or its signature, stands unless the hook says otherwise.
        signs: Whether it signs the body rather than send the secret.
    """

    read: Callable[[Delivery], Heard]
    header: str = "Authorization"
    signs: bool = False


SENDERS: Mapping[str, Sender] = {
    "acr": Sender(acr.read),
    "cloudevents": Sender(cloudevents.read),
    "distribution": Sender(distribution.read),
    "dockerhub": Sender(dockerhub.read),
    "ecr": Sender(ecr.read),
    "eventgrid": Sender(eventgrid.read),
    "gitea": Sender(gitea.read, "X-Hub-Signature-256", signs=True),
    "github": Sender(github.read, "X-Hub-Signature-256", signs=True),
    "gitlab": Sender(gitlab.read),
    "google": Sender(google.read),
    "harbor": Sender(harbor.read),
    "jfrog": Sender(jfrog.read, "X-JFrog-Event-Auth"),
    "quay": Sender(quay.read),
}
