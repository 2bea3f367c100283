"""The queue message of a notice: which import, which channel, which attempt. It holds no secret.

The body is JSON in UTF-8; `storage/queue.py` adds the base64 that the Functions host expects.
"""

import json
from dataclasses import dataclass
from typing import Self

from importcore.errors import printable
from importcore.state.message import UnreadableMessageError
from importcore.state.notice import Channel
from importcore.state.record import is_import_id

VERSION = 1


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """What a message says.

    A message whose attempt is smaller than the notice's `attempts` is stale: another one goes on in its place.

    Attributes:
        import_id: The import that has ended.
        channel: How others are told.
        attempt: How many attempts went before.
    """

    import_id: str
    channel: Channel
    attempt: int = 0

    def encode(self) -> str:
        """Write the body."""
        value = {"v": VERSION, "importId": self.import_id, "channel": self.channel, "attempt": self.attempt}
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            UnreadableMessageError: It is not one of ours, or of a version that this code does not know.
        """
        import_id = None
        try:
            value = json.loads(body)
            if not isinstance(value, dict) or not is_import_id(str(value.get("importId"))):
                raise ValueError("it names no import")  # noqa: TRY301 (one way out for all)
            import_id = str(value["importId"])
            if value.get("v") != VERSION:
                raise ValueError(f"its version is {value.get('v')!r:.20}, this code reads {VERSION}")  # noqa: TRY301
            return cls(import_id, Channel(str(value.get("channel"))), int(value.get("attempt", -1)))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise UnreadableMessageError(printable(str(error)), import_id) from error
