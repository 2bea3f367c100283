"""For tests: an app in this process with its doors: webhooks as HTTP hands them over, and the queue `events`."""

import base64
import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from devtools.notice_stage import TARGET, NoticeStage
from importcore.api.hooks_api import take_delivery
from importcore.api.http_api import Answer
from importcore.errors import ConfigurationError
from importcore.wiring import Services

EVERYTHING = f"""
version: 1
rules:
- name: all
  on: {{registry: "*"}}
  to: "{TARGET}/{{repository}}:{{tag}}"
"""


@dataclass(frozen=True)
class DoorStage:
    """One app, whose rules import whatever is pushed, unless its settings say otherwise."""

    around: NoticeStage

    @classmethod
    async def set_up(cls, storage: str, more: Mapping[str, Any] | None = None, **settings: str) -> "DoorStage":
        """Make the queues; `more` answers in the network beside what is there, by host."""
        around = NoticeStage(storage, {"TRANSLOAD_RULES": EVERYTHING, **settings}, more=more or {})
        return cls(await around.set_up())

    def with_settings(self, **settings: str) -> "DoorStage":
        """The same app with other settings, on the same queues and tables."""
        around = copy(self.around)
        around.settings = {**self.around.settings, **settings}
        return DoorStage(around)

    async def tell(
        self, kind: str, body: bytes, headers: Mapping[str, str] | None = None, name: str | None = None
    ) -> Answer:
        """`POST /api/hooks/{kind}` or `/{kind}/{name}`, by an app that was just started."""
        app: Services | None = None

        async def services() -> Services:
            nonlocal app
            app = self.around.worker()
            return app

        try:
            return await take_delivery(services, kind, name, body, headers or {})
        finally:
            if app is not None:
                await app.aclose()

    async def put_event(self, event: Any) -> None:  # noqa: ANN401 (JSON, or text as it is)
        """Put a message into the queue `events`, in base64 as Event Grid does."""
        async with self._queue(self.around.names.event_queue, encode=True) as queue:
            await queue.send_message(event if isinstance(event, str) else json.dumps(event))

    async def take_events(self) -> None:
        """Deliver each message that is visible in the queue `events` now, once."""
        app = self.around.worker()
        try:
            async with self._queue(self.around.names.event_queue) as queue:
                async for message in queue.receive_messages(messages_per_page=32):
                    await app.event_messages.take(base64.b64decode(message.content))
                    await queue.delete_message(message)
        finally:
            await app.aclose()

    async def waiting_events(self) -> int:
        """How many messages are in the queue `events`, invisible ones included."""
        async with self._queue(self.around.names.event_queue) as queue:
            return (await queue.get_queue_properties()).approximate_message_count or 0

    async def given_up(self) -> list[dict[str, Any]]:
        """What is in the poison queue of the events."""
        async with self._queue(self.around.names.event_poison_queue) as queue:
            messages = await queue.peek_messages(max_messages=32)
        return [json.loads(base64.b64decode(message.content)) for message in messages]

    async def sources(self) -> list[str]:
        """What the imports bring that were made so far, in alphabetical order."""
        app = self.around.worker()
        try:
            records, _ = await app.records.newest(top=200)
            return sorted(record.source for record in records)
        finally:
            await app.aclose()

    def _queue(self, name: str, *, encode: bool = False) -> QueueClient:
        policy = TextBase64EncodePolicy() if encode else None
        return QueueClient.from_connection_string(self.around.storage, name, message_encode_policy=policy)


async def wrong_settings() -> Services:
    """Services of an app whose settings are wrong."""
    raise ConfigurationError("TRANSLOAD_SEALING_KEYS: is missing")
