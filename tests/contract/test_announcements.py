"""The emulated registry tells of pushes as ACR does: to webhooks of its own, and to Event Grid's queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from devtools.emulator import Emulator
from devtools.emulator.announcements import WebhookConfig
from devtools.emulator.registry_events import as_event_grid
from devtools.receiver import Receiver
from devtools.registry_content import RegistryContent
from devtools.sample_images import image, layer
from devtools.serving import serving
from devtools.testing import running_emulator
from importcore.hooks import acr
from importcore.hooks.payload import Delivery

IMAGE = image([layer(1_000)])


@dataclass(frozen=True)
class Told:
    """A registry, and somebody whom its webhook tells."""

    address: str
    emulator: Emulator
    receiver: Receiver

    async def push(self, tag: str = "1", repository: str = "team/app") -> None:
        """Push an image and wait until everybody was told."""
        async with RegistryContent.at(f"http://{self.address}", repository) as content:
            await content.push(IMAGE, tag)
        await self.emulator.announcements.settled()


@asynccontextmanager
async def told(**webhook: object) -> AsyncIterator[Told]:
    """Start a registry with one webhook."""
    receiver = Receiver()
    async with running_emulator() as (address, emulator), serving(receiver) as port:
        uri = f"http://127.0.0.1:{port}/api/hooks/acr?code=key"
        emulator.announcements.add_webhook(WebhookConfig.model_validate({"serviceUri": uri, **webhook}))
        yield Told(address, emulator, receiver)


async def test_a_push_is_told_with_the_headers_of_the_webhook() -> None:
    """By digest without a tag, then with it; the product reads from it what was pushed."""
    async with told(customHeaders={"Authorization": "Bearer hush"}) as registry:
        await registry.push()
        by_digest, by_tag = sorted(registry.receiver.deliveries, key=lambda each: "tag" in each.event["target"])

    assert "tag" not in by_digest.event["target"]
    assert by_tag.headers["authorization"] == "Bearer hush"
    assert by_tag.headers["user-agent"].startswith("AzureContainerRegistry/")
    assert (by_tag.path, by_tag.query) == ("/api/hooks/acr", "code=key")
    (push,) = acr.read(Delivery(by_tag.body)).pushes
    assert (push.registry, push.repository, push.tag, push.digest) == (registry.address, "team/app", "1", IMAGE.root)
    assert push.at is not None


async def test_a_webhook_is_told_of_its_scope_and_actions_alone() -> None:
    """A delete names no tag, and taking a tag away is no delete."""
    async with told(scope="team/app:1", actions=["push"]) as scoped:
        await scoped.push("2")
        await scoped.push("1", "team/other")
        await scoped.push("1")
    async with told(actions=["delete"]) as deleted:
        await deleted.push("1")
        async with httpx.AsyncClient(base_url=f"http://{deleted.address}", trust_env=False) as http:
            await http.delete("/v2/team/app/manifests/1")
            await http.delete(f"/v2/team/app/manifests/{IMAGE.root}")
        await deleted.emulator.announcements.settled()

    assert [each.event["target"]["tag"] for each in scoped.receiver.deliveries] == ["1"]
    (event,) = [each.event for each in deleted.receiver.deliveries]
    assert (event["action"], event["target"]["digest"], "tag" in event["target"]) == ("delete", IMAGE.root, False)


async def test_what_is_not_taken_is_told_again() -> None:
    """With the same id and time, so that it is known to be the same."""
    async with told(scope="team/app:1") as registry:
        registry.receiver.answers += [503, 500]
        await registry.push()

    assert len(registry.receiver.deliveries) == 3
    assert len({each.body for each in registry.receiver.deliveries}) == 1
    assert [each["answered"] for each in registry.emulator.announcements.deliveries] == ["503", "500", "204"]


async def test_a_ping_tells_of_nothing() -> None:
    """As `az acr webhook ping` sends it."""
    async with told() as registry:
        registry.emulator.announcements.ping()
        await registry.emulator.announcements.settled()

    (told_of,) = registry.receiver.deliveries
    assert acr.read(Delivery(told_of.body)).ignored[0].what == "ping"


def test_event_grid_wraps_what_the_webhook_says() -> None:
    """In its own schema, with the registry's resource as topic."""
    webhook = {
        "id": "1", "timestamp": "2026-03-01T10:00:00.0000000Z", "action": "push",
        "target": {"repository": "team/app", "tag": "1", "digest": IMAGE.root}, "request": {"host": "one.azurecr.io"},
    }  # fmt: skip
    event = as_event_grid(webhook)

    assert event["eventType"] == "Microsoft.ContainerRegistry.ImagePushed"
    assert event["topic"].endswith("/registries/one")
    assert event["subject"] == "team/app:1"
    assert {name: event["data"][name] for name in webhook} == webhook
