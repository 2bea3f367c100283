"""The state of the account: one queue's messages, one table's entities, one container's blobs, and the time."""

import itertools
from dataclasses import dataclass, field
from typing import Any

CONNECTION_STRING = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1/a;"
    "QueueEndpoint=http://127.0.0.1/a;TableEndpoint=http://127.0.0.1/a;"
)
"""Nobody listens there: the transport carries every request to the account in memory."""


class Refused(Exception):  # noqa: N818 (an answer of the service)
    """The service refuses; `code` is its own word for why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(slots=True)
class Message:
    """A queue message; `visible_at` is in seconds of the account's clock."""

    id: str
    text: str
    receipt: str
    visible_at: float
    dequeued: int = 0


@dataclass(slots=True)
class Entity:
    """A table entity, and the ETag of its state."""

    values: dict[str, Any]
    etag: str


@dataclass(slots=True)
class ClockworkAccount:
    """What the account holds; `now` is turned by hand."""

    now: float = 1_000_000.0
    messages: dict[str, Message] = field(default_factory=dict)
    entities: dict[tuple[str, str], Entity] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    # -- queue: Put, Get, Update, Delete Message

    def put(self, text: str, visible_in: float) -> Message:
        """Put a message."""
        message = Message(f"m{next(self._numbers)}", text, self._fresh(), self.now + visible_in)
        self.messages[message.id] = message
        return message

    def get(self, visible_in: float) -> Message | None:
        """Receive the message that has been visible for longest."""
        waiting = [m for m in self.messages.values() if m.visible_at <= self.now]
        if not waiting:
            return None
        message = min(waiting, key=lambda each: each.visible_at)
        message.receipt, message.visible_at = self._fresh(), self.now + visible_in
        message.dequeued += 1
        return message

    def update(self, message_id: str, receipt: str, text: str | None, visible_in: float) -> Message:
        """Rewrite a message."""
        message = self._held(message_id, receipt)
        message.text = message.text if text is None else text
        message.receipt, message.visible_at = self._fresh(), self.now + visible_in
        return message

    def delete(self, message_id: str, receipt: str) -> None:
        """Delete a message."""
        del self.messages[self._held(message_id, receipt).id]

    def _held(self, message_id: str, receipt: str) -> Message:
        message = self.messages.get(message_id)
        if message is None:
            raise Refused(404, "MessageNotFound")
        if message.receipt != receipt:
            raise Refused(400, "PopReceiptMismatch")
        return message

    # -- table: Insert, Query by key, Update (replace), Upsert, Delete Entity

    def insert(self, values: dict[str, Any]) -> Entity:
        """Insert an entity."""
        key = (str(values["PartitionKey"]), str(values["RowKey"]))
        if key in self.entities:
            raise Refused(409, "EntityAlreadyExists")
        self.entities[key] = Entity(values, self._etag())
        return self.entities[key]

    def read(self, key: tuple[str, str]) -> Entity:
        """Read an entity."""
        if key not in self.entities:
            raise Refused(404, "ResourceNotFound")
        return self.entities[key]

    def replace(self, key: tuple[str, str], values: dict[str, Any], etag: str) -> Entity:
        """Write over an entity, if it is still in the state of this ETag."""
        entity = self.read(key)
        if etag not in {"*", entity.etag}:
            raise Refused(412, "UpdateConditionNotSatisfied")
        entity.values, entity.etag = values, self._etag()
        return entity

    def upsert(self, key: tuple[str, str], values: dict[str, Any]) -> Entity:
        """Write an entity, whether or not it is there."""
        self.entities[key] = Entity(values, self._etag())
        return self.entities[key]

    def remove(self, key: tuple[str, str], etag: str) -> None:
        """Delete an entity, if it is still in the state of this ETag."""
        if etag not in {"*", self.read(key).etag}:
            raise Refused(412, "UpdateConditionNotSatisfied")
        del self.entities[key]

    # -- container: Put, Get, Delete Blob

    def put_blob(self, name: str, content: bytes, *, over: bool) -> None:
        """Write a blob."""
        if name in self.blobs and not over:
            raise Refused(409, "BlobAlreadyExists")
        self.blobs[name] = content

    def get_blob(self, name: str) -> bytes:
        """Read a blob."""
        if name not in self.blobs:
            raise Refused(404, "BlobNotFound")
        return self.blobs[name]

    def _fresh(self) -> str:
        return f"r{next(self._numbers)}"

    def _etag(self) -> str:
        return f"W/\"datetime'{next(self._numbers)}'\""
