"""The record of one import: what a user reads while it runs and afterwards, and what decides who may run it.

A value; `storage/records.py` keeps it in a table, guarded by its ETag. `lease_id` names the one message that may act
for the import (see `claim.py`).
"""

import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from importcore.caller import Asker
from importcore.content import Referrer
from importcore.errors import InvalidRequestError, RegistryError, Side, TransloadError
from importcore.reference import Reference
from importcore.request.model import ImportOptions, Mode
from importcore.request.selection import Selection
from importcore.state.notice import Channel, Notice, NoticeStatus
from importcore.state.progress import Progress

HISTORY_AT_MOST = 60
REFERRERS_AT_MOST = 500
_REFERRERS_CHARACTERS_AT_MOST = 120_000
"""Five hundred ordinary ones have less; Table storage holds half a million characters of a record in all."""
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_STAMP, _RANDOM = 9, 10
_END_OF_TIME_MS = 1 << 45  # ids count down to it, so that the newest import sorts first


class Status(StrEnum):
    """The state of an import, as users see it."""

    QUEUED = "Queued"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self in {Status.SUCCEEDED, Status.FAILED, Status.CANCELED}


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def new_import_id() -> str:
    """Make an id: nine characters of time that sort newest first, ten at random."""
    return _stamp_of(time.time_ns() // 1_000_000) + "".join(secrets.choice(_BASE32) for _ in range(_RANDOM))


def _stamp_of(milliseconds: int) -> str:
    countdown = _END_OF_TIME_MS - milliseconds
    return "".join(_BASE32[countdown >> shift & 31] for shift in range(40, -1, -5))


def oldest_id_since(moment: datetime) -> str:
    """Give the bound between ids: those made before the moment sort behind it, those made since before it."""
    return _stamp_of(int(moment.timestamp() * 1000)) + _BASE32[-1] * _RANDOM


def child_id(parent_id: str, fingerprint: bytes) -> str:
    """Make the id of a child: next to its parent in the order of ids, and always the same for the same fingerprint."""
    return parent_id[:_STAMP] + "".join(_BASE32[byte & 31] for byte in fingerprint[:_RANDOM])


def told_referrers(referrers: tuple[Referrer, ...]) -> tuple[Referrer, ...]:
    """The first of them, as many as a record has room for."""
    left, told = _REFERRERS_CHARACTERS_AT_MOST, list[Referrer]()
    for each in referrers[:REFERRERS_AT_MOST]:
        left -= len(each.digest) + len(each.subject) + len(each.artifact_type or "") + len(each.tag or "")
        if left < 0:
            break
        told.append(each)
    return tuple(told)


def is_import_id(text: str) -> bool:
    """Tell whether a text can be an import's id."""
    return len(text) == _STAMP + _RANDOM and all(c in _BASE32 for c in text)


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One thing that happened to an import, in the order it happened."""

    at: datetime
    event: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Why an import failed or waits, in words that a user can act on."""

    code: str
    message: str
    action: str = ""
    origin: Side | None = None
    step: str | None = None
    reference: str | None = None
    status: int | None = None
    answers: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: TransloadError) -> Self:
        """Take what an error knows."""
        answered = error if isinstance(error, RegistryError) else None
        wrong = error.problems if isinstance(error, InvalidRequestError) else ()
        return cls(
            code=error.code,
            message=error.message,
            action=error.action,
            origin=error.origin,
            step=error.step,
            reference=error.reference,
            status=answered.status if answered else None,
            answers=answered.answers if answered else tuple(p.message for p in wrong),
        )


@dataclass(frozen=True, slots=True)
class TargetResult:
    """Where an import goes, and the digest that stands there once it is done.

    Attributes:
        reference: The target, with its tag if it has one.
        digest: What stands there now; None until it is done.
        previous_digest: What the tag stood on before, where that was something else.
        backup: The reference that keeps what was overwritten.
    """

    reference: str
    digest: str | None = None
    previous_digest: str | None = None
    backup: str | None = None


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """How the imports of a selection stand."""

    total: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    canceled: int = 0

    @property
    def are_over(self) -> bool:
        """Whether every one has ended."""
        return self.queued + self.running == 0


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """Everything that is known about one import.

    Attributes:
        asked_by: Who asked for it; None where a version of this app made it that did not know callers.
        selection: What a request for several imports selects; the record is their parent then.
        children: How they stand, once they were created.
        parent: The id of the parent, in a child.
        digest: What the target tags will stand on.
        source_digest: What the source reference stood on; another one only where platforms were chosen.
        referrers: The signatures, SBOMs and attestations that are carried along; at most `REFERRERS_AT_MOST` of them.
        sealed_credentials: The request's credentials, sealed; removed when the import ends.
        lease_id: The id of the message that may act for the import; None before the first claim.
        lease_receipt: The pop receipt with which a waiting message can be woken; None while a run holds it.
        advances: How many things were done that need not be done again; the measure of progress.
        advances_at_claim: What `advances` was when the present run began.
        deaths: Runs in a row that died (nobody handed their message over) without progress.
        stalls: Runs in a row that used up their time without progress.
        retries: Runs in a row that met a fault which may pass, without progress.
        poisonings: How often in a row the platform gave its message up before a run could claim it.
        waiting_until: When a waiting import goes on; None while it runs.
        notices: What others are to be told when it has ended, one for each channel.
        follows: A rule made it: it ends with the targets on what the source tag stands on then; see `run/following.py`.
        behind: The import that holds a target tag, while this one sleeps until that has ended.
    """

    id: str
    source: str
    targets: tuple[TargetResult, ...]
    mode: Mode
    status: Status
    created_at: datetime
    options: ImportOptions = field(default_factory=ImportOptions)
    asked_by: Asker | None = None
    selection: Selection | None = None
    children: ChildCounts | None = None
    parent: str | None = None
    digest: str | None = None
    source_digest: str | None = None
    referrers: tuple[Referrer, ...] = ()
    progress: Progress = field(default_factory=Progress)
    phase: str | None = None
    bytes_sent: int = 0
    attempts: int = 0
    resumptions: int = 0
    error: ErrorReport | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    waiting_until: datetime | None = None
    history: tuple[HistoryEvent, ...] = ()
    sealed_credentials: str | None = field(default=None, repr=False)
    cancel_requested: bool = False
    lease_id: str | None = None
    lease_receipt: str | None = field(default=None, repr=False)
    advances: int = 0
    advances_at_claim: int = 0
    deaths: int = 0
    stalls: int = 0
    retries: int = 0
    poisonings: int = 0
    notices: tuple[Notice, ...] = ()
    follows: bool = False
    behind: str | None = None

    @property
    def has_not_begun(self) -> bool:
        """Whether what its source stands on will be asked after now: true for no longer than until a run claims it."""
        waits = self.lease_id is None or self.behind is not None
        return waits and not self.status.is_final and not self.cancel_requested

    def noting(self, event: str, detail: str = "") -> Self:
        """Add to the history; of a very long one the first events and the latest are kept."""
        history = (*self.history, HistoryEvent(now(), event, detail))
        if len(history) > HISTORY_AT_MOST:
            half = HISTORY_AT_MOST // 2
            history = history[:half] + history[-half:]
        return replace(self, history=history)

    @property
    def due_notices(self) -> tuple[Notice, ...]:
        """What others are still to be told."""
        return tuple(notice for notice in self.notices if notice.status is NoticeStatus.DUE)

    def notice(self, channel: Channel) -> Notice | None:
        """What a channel is to be told; None where it is told nothing."""
        return next((notice for notice in self.notices if notice.channel is channel), None)

    def with_notice(self, changed: Notice) -> Self:
        """The record with the notice of one channel changed."""
        return replace(self, notices=tuple(changed if n.channel is changed.channel else n for n in self.notices))

    @property
    def source_registry(self) -> str:
        """Where the import comes from."""
        return self.selection.source_registry if self.selection else Reference.parse(self.source).registry

    @property
    def has_progressed(self) -> bool:
        """Whether the present run, or the last one, moved anything."""
        return self.advances > self.advances_at_claim

    def finished(self, status: Status, error: TransloadError | None = None) -> Self:
        """End the import: the final state holds no secret and nobody may act for it any more."""
        ended = replace(
            self,
            status=status,
            error=ErrorReport.of(error) if error else None,
            finished_at=now(),
            waiting_until=None,
            behind=None,
            sealed_credentials=None,
            lease_receipt=None,
            phase=None,
            notices=tuple(n.after_end(failed=status is Status.FAILED) for n in self.notices),
        )
        return ended.noting(status.value, error.code if error else "")
