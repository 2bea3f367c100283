"""Docker Hub's webhook. It names no digest and is not signed: the secret is the function key in the URL.

Source: docs.docker.com, "Webhooks" for Docker Hub. `callback_url` is where it wants to be told how the webhook went.
"""

from dataclasses import replace

from importcore.hooks.payload import Delivery, push
from importcore.hooks.push_event import Heard, heard
from importcore.reference import DOCKER_HUB


def read(delivery: Delivery) -> Heard:
    """Read one delivery: always one push."""
    body = delivery.payload()
    event = push(
        body,
        DOCKER_HUB,
        body.text("repository", "repo_name"),
        body.text("push_data", "tag"),
        at=body.moment("push_data", "pushed_at"),
        actor=body.maybe("push_data", "pusher"),
    )
    return replace(heard(event), callback_url=body.maybe("callback_url"))
