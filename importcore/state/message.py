"""The queue message of an import: which import, how the message came to be, and the checkpoint.

The body is JSON in UTF-8; `storage/queue.py` adds the base64 that the Functions host expects. A body never holds a
secret in clear.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from importcore.errors import ContentError, TransloadError, printable
from importcore.sealing import Sealer
from importcore.state.checkpoint import Checkpoint
from importcore.state.record import is_import_id

VERSION = 1


class Handover(StrEnum):
    """How a message came to wait in the queue; tells a hand-over from a death."""

    QUEUED = "queued"
    """Sent when the import was accepted."""
    HELD = "held"
    """The lease message of a run that goes on; whoever receives it knows that the run died."""
    CONTINUE = "continue"
    """The run's time slice was over."""
    RETRY = "retry"
    """A fault that may pass; the message waited for that."""


@dataclass(frozen=True, slots=True)
class ImportMessage:
    """What a message says; its id and receipt belong to the queue.

    Attributes:
        import_id: The import it is about.
        handover: How it came to wait.
        attempt: The number of the claim that wrote it, 0 from `submit`. The record's `attempts` is the same exactly
            while this message is the one that may act; a copy in the poison queue is recognised by it.
        checkpoint: Where to go on.
    """

    import_id: str
    handover: Handover
    attempt: int
    checkpoint: Checkpoint

    def encode(self, sealer: Sealer) -> str:
        """Write the body."""
        return json.dumps(
            {
                "v": VERSION,
                "importId": self.import_id,
                "handover": self.handover,
                "attempt": self.attempt,
                "checkpoint": self.checkpoint.to_json(sealer, self.import_id),
            },
            separators=(",", ":"),
        )

    @classmethod
    def decode(cls, body: bytes, sealer: Sealer) -> Self:
        """Read a body.

        Raises:
            UnreadableMessageError: It is not one of ours, or of a version that this code does not know.
        """
        import_id = None
        try:
            value = json.loads(body)  # leniently: what names its import can at least end it
            if not isinstance(value, dict) or not isinstance(value.get("importId"), str):
                raise ContentError("it names no import")
            import_id = value["importId"] if is_import_id(value["importId"]) else None
            if value.get("v") != VERSION or import_id is None:
                raise ContentError(f"its version is {value.get('v')!r:.20}, this code reads {VERSION}")
            checkpoint = Checkpoint.from_json(value.get("checkpoint"), sealer, import_id)
            return cls(import_id, Handover(str(value.get("handover"))), int(value.get("attempt", -1)), checkpoint)
        except RecursionError as error:
            raise UnreadableMessageError("it is nested too deep", import_id) from error
        except (TransloadError, ValueError, TypeError, OverflowError) as error:
            raise UnreadableMessageError(printable(str(error)), import_id) from error


def first_message(import_id: str) -> ImportMessage:
    """The message that an accepted import begins with."""
    return ImportMessage(import_id, Handover.QUEUED, 0, Checkpoint())


class UnreadableMessageError(TransloadError):
    """A queue message that cannot be understood; `import_id` is known where at least that could be read."""

    code = "message_unreadable"
    default_action = (
        "It was written by a newer version, or by something else: run that version until the queue is empty, "
        "or send the request again."
    )

    def __init__(self, reason: str, import_id: str | None) -> None:
        super().__init__(f"a queue message cannot be read: {reason}", step="read message")
        self.import_id = import_id
