"""What a message of the queue `events` can be: what Event Grid wrote, or the same again, with how long it has waited.

Event Grid writes one event as JSON, in its own schema or as a CloudEvent, and encodes the message in base64, which the
host undoes. What waits for another try, and what was given up, carries the event as it came in `event`: a message that
was given up is taken up again when it is moved back into the queue as it is.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from importcore.hooks.payload import MalformedEventError, Payload
from importcore.strict_json import decode_json

VERSION = 1
AGAIN, GIVEN_UP = "again", "given-up"


@dataclass(frozen=True, slots=True)
class EventMessage:
    """One message.

    Attributes:
        value: The event, or a list of them, as decoded JSON.
        attempt: How often it was put off.
        since: When it was put off first; None when it never was.
    """

    value: Any
    attempt: int = 0
    since: datetime | None = None

    @classmethod
    def decode(cls, body: bytes) -> "EventMessage":
        """Decode a message.

        Raises:
            MalformedEventError: It is no JSON, neither as it is nor in another layer of base64; or one of ours, of
                a version that this code does not read.
        """
        try:
            value = decode_json(body)
        except ValueError:
            value = _in_base64(body)
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind not in (AGAIN, GIVEN_UP):  # a tuple, because it may be anything
            return cls(value)
        if value.get("v") != VERSION:
            raise MalformedEventError("v", f"its version is {value.get('v')!r:.20}, this code reads {VERSION}")
        event = value.get("event")
        if kind == AGAIN:
            since, attempt = Payload(value).moment("since"), value.get("attempt")
            return cls(event, attempt if isinstance(attempt, int) else 0, since)
        return _read_now(event) if isinstance(event, str) else cls(event)

    def again(self, now: datetime) -> str:
        """Encode what waits for another try."""
        since = self.since or now
        return json.dumps(
            {
                "v": VERSION,
                "kind": AGAIN,
                "attempt": self.attempt + 1,
                "since": since.isoformat(),
                "event": self.value,
            }
        )


def given_up(event: Any, reason: str) -> str:  # noqa: ANN401 (whatever JSON holds)
    """Encode what goes into the poison queue, with the reason beside it."""
    return json.dumps({"v": VERSION, "kind": GIVEN_UP, "reason": reason, "event": event})


def _read_now(kept: str) -> EventMessage:
    """Take a message that nobody could read when it was given up; who still cannot gets the very text again.

    Else each return from the poison queue would wrap it once more.
    """
    try:
        return EventMessage.decode(kept.encode(errors="surrogatepass"))
    except MalformedEventError:
        return EventMessage(kept)


def as_text(body: bytes) -> str:
    """Give a message that is no JSON in a form that loses nothing of it: text, or base64 of what is none."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def _in_base64(body: bytes) -> Any:  # noqa: ANN401 (whatever JSON holds)
    try:
        return decode_json(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        raise MalformedEventError("", "is no JSON, neither as it is nor in base64") from None
