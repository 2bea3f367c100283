"""What others are to be told when an import has ended, and whether they were.

A notice is made when the import is accepted, becomes due in the same write that ends the import, and is then delivered
by a message of its own (`notice_message.py`, `notices/`). As long as it is due, whoever meets a message of the ended
import posts the notice's message again: so none is lost, and some are sent twice (`docs/decisions/0020-notices.md`).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from importcore.request.callback import CallbackForm
from importcore.settings.notices import NoticeOn


class Channel(StrEnum):
    """How others are told."""

    CALLBACK = "callback"
    """A call of the URL that the request named."""
    EVENTS = "events"
    """An event to the endpoint of the installation: an Event Grid topic or another sink of CloudEvents."""


class NoticeStatus(StrEnum):
    """How a notice stands, as users see it."""

    WAITING = "Waiting"
    """The import has not ended."""
    UNWANTED = "Unwanted"
    """It ended in a way that nobody wanted to be told about."""
    DUE = "Due"
    DELIVERED = "Delivered"
    FAILED = "Failed"
    """Given up."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one channel is to be told about one import.

    Attributes:
        channel: How.
        on: After which ends.
        status: How it stands.
        form: What is sent.
        children: Whether each import of a selection has the same notice.
        address: Whom, as users may see it: without path and query, which can be secrets.
        sealed_url: The callback's URL, sealed; removed when the notice was delivered, given up or unwanted.
        attempts: How often it was tried.
        next_at: When it is tried again.
        error: Why the last attempt failed.
    """

    channel: Channel
    on: NoticeOn = NoticeOn.ALL
    status: NoticeStatus = NoticeStatus.WAITING
    form: CallbackForm = CallbackForm.EVENT
    children: bool = False
    address: str = ""
    sealed_url: str | None = field(default=None, repr=False)
    attempts: int = 0
    next_at: datetime | None = None
    error: str = ""

    def after_end(self, *, failed: bool) -> Self:
        """The notice once its import has ended."""
        if self.status is not NoticeStatus.WAITING:
            return self
        if failed or self.on is NoticeOn.ALL:
            return replace(self, status=NoticeStatus.DUE)
        return replace(self, status=NoticeStatus.UNWANTED, sealed_url=None)

    def tried(self, error: str, next_at: datetime) -> Self:
        """After an attempt that failed; another one follows."""
        return replace(self, attempts=self.attempts + 1, error=error, next_at=next_at)

    def over(self, status: NoticeStatus, error: str = "") -> Self:
        """After the last attempt."""
        attempts = self.attempts + 1
        return replace(self, status=status, attempts=attempts, error=error, next_at=None, sealed_url=None)
