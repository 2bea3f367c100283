"""Tells others what happened in the registry: its webhooks, and Event Grid by way of a storage queue.

A webhook is what `az acr webhook create` makes: an address, headers of the operator's, actions, a scope. The registry
does not wait for the answer; what was not answered 2xx is sent a few times more (how often ACR does is not documented).
"""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import httpx
from azure.core.exceptions import AzureError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from devtools.emulator.registry_events import RegistryEvent, as_event_grid, ping

_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 0.0)
_AGENT = "AzureContainerRegistry/1.0"


class _Told(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class WebhookConfig(_Told):
    """A webhook of the registry; a scope is `repo:tag`, `repo:*`, `repo`, or empty for everything."""

    service_uri: str
    custom_headers: dict[str, str] = {}
    actions: list[str] = ["push"]
    scope: str = ""

    def wants(self, event: RegistryEvent) -> bool:
        """Tell whether it is told of an event."""
        repository, _, tag = self.scope.partition(":")
        about = not repository or repository == event.repository
        return about and event.action in self.actions and tag in {"", "*", event.tag}


class EventGridConfig(_Told):
    """An event subscription that delivers to a storage queue; a subject is `repository:tag`."""

    connection_string: str
    queue: str
    subject_begins_with: str = ""


class Announcements:
    """The webhooks and event subscriptions of one registry, and what each was answered."""

    def __init__(self) -> None:
        self._webhooks: list[WebhookConfig] = []
        self._subscriptions: list[EventGridConfig] = []
        self._sending: set[asyncio.Task[None]] = set()
        self.deliveries: list[dict[str, Any]] = []

    def add_webhook(self, webhook: WebhookConfig) -> None:
        """Add a webhook; like ACR, say nothing to it before something happens."""
        self._webhooks.append(webhook)

    def add_subscription(self, subscription: EventGridConfig) -> None:
        """Add an event subscription."""
        self._subscriptions.append(subscription)

    def tell(self, event: RegistryEvent) -> None:
        """Tell everybody who wants to know, soon."""
        body = event.as_webhook()
        for webhook in self._webhooks:
            if webhook.wants(event):
                self._begin(self._post(webhook, body))
        for subscription in self._subscriptions:
            grid = as_event_grid(body)
            if grid["subject"].startswith(subscription.subject_begins_with):
                self._begin(self._put(subscription, grid))

    def ping(self) -> None:
        """Send each webhook a ping."""
        for webhook in self._webhooks:
            self._begin(self._post(webhook, ping()))

    async def settled(self) -> None:
        """Wait until everybody was told, or was given up."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def aclose(self) -> None:
        """Tell nobody any more."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _begin(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(telling)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _post(self, webhook: WebhookConfig, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": _AGENT, **webhook.custom_headers}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            for pause in _PAUSES_SECONDS:
                try:
                    response = await http.post(webhook.service_uri, content=json.dumps(body), headers=headers)
                except httpx.HTTPError as error:
                    self._note("webhook", body, type(error).__name__)
                else:
                    self._note("webhook", body, str(response.status_code), response.text)
                    if response.is_success:
                        return
                await asyncio.sleep(pause)

    async def _put(self, subscription: EventGridConfig, event: dict[str, Any]) -> None:
        queue = QueueClient.from_connection_string(
            subscription.connection_string, subscription.queue, message_encode_policy=TextBase64EncodePolicy()
        )
        async with queue:
            try:
                await queue.send_message(json.dumps(event))
            except AzureError as error:
                self._note("eventgrid", event, type(error).__name__)
            else:
                self._note("eventgrid", event, "201")

    def _note(self, how: str, body: dict[str, Any], answered: str, said: str = "") -> None:
        self.deliveries.append({"to": how, "sent": body, "answered": answered, "said": said})
