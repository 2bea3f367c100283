"""Delivers notices, each from its own queue message: send, or put the next attempt into the queue, or give up.

At least once: a death after sending and before the record says so sends again. The receiver knows the repetition by
its id. The pauses grow threefold, from `retry_seconds` up to six hours; with ten attempts a receiver may be away for
more than half a day.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from importcore.errors import ConfigurationError, TransloadError
from importcore.jitter import jittered
from importcore.notices.letter import Letters
from importcore.notices.sending import Outcome, send
from importcore.registry.registries import Registries
from importcore.state.message import UnreadableMessageError
from importcore.state.notice import Channel, Notice, NoticeStatus
from importcore.state.notice_message import NoticeMessage
from importcore.state.record import ImportRecord, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords, RecordChangedError

ATTEMPTS_AT_MOST = 10
_GROWTH = 3.0
_PAUSE_AT_MOST = 6 * 3600.0
_log = logging.getLogger("transload")


class Notices:
    """Works the queue of the notices off."""

    def __init__(
        self,
        records: ImportRecords,
        queue: ImportQueue,
        letters: Letters,
        registries: Registries,
        *,
        retry_seconds: float,
    ) -> None:
        """Take what a delivery needs; `retry_seconds` is the first pause."""
        self._records = records
        self._queue = queue
        self._letters = letters
        self._registries = registries
        self._retry_seconds = retry_seconds

    async def deliver(self, body: bytes) -> None:
        """Make one attempt; a stale message is dropped.

        Raises:
            UnreadableMessageError: The host puts the message into the poison queue, which ends in `give_up`.
            StorageUnavailableError: The host delivers the message again.
        """
        message = NoticeMessage.decode(body)
        stored = await self._records.get(message.import_id)
        notice = stored.record.notice(message.channel) if stored else None
        if stored is None or notice is None or not _is_current(message, notice):
            _log.info("dropped a stale notice")
            return
        outcome = await self._attempt(stored.record, notice)
        if not outcome.error:
            await self._change(message, "Notified", lambda notice: notice.over(NoticeStatus.DELIVERED))
        elif not outcome.may_pass or message.attempt + 1 >= ATTEMPTS_AT_MOST:
            await self._change(message, "NoticeFailed", lambda notice: notice.over(NoticeStatus.FAILED, outcome.error))
        else:
            await self._try_again(message, outcome)

    async def give_up(self, body: bytes) -> None:
        """Say in the record that a notice was lost, whose message the host gave up.

        Raises:
            StorageUnavailableError: The host delivers the message again.
        """
        try:
            message = NoticeMessage.decode(body)
        except UnreadableMessageError as error:
            _log.error("a poisoned notice of import %s: %s", error.import_id, error)
            return
        error_text = "the platform gave the notice's message up after several deliveries"
        await self._change(message, "NoticeFailed", lambda notice: notice.over(NoticeStatus.FAILED, error_text))

    async def _attempt(self, record: ImportRecord, notice: Notice) -> Outcome:
        try:
            return await send(await self._letters.write(record, notice), self._registries)
        except TransloadError as error:
            # A key or a role that is missing now may be there in an hour: the attempts are the bound.
            return Outcome(error.message, may_pass=error.retryable or isinstance(error, ConfigurationError))

    async def _try_again(self, message: NoticeMessage, outcome: Outcome) -> None:
        """The next message first: a death in between repeats this attempt, and loses none."""
        longest = min(_PAUSE_AT_MOST, self._retry_seconds * _GROWTH**message.attempt)
        pause = jittered(longest, outcome.retry_after)
        following = NoticeMessage(message.import_id, message.channel, message.attempt + 1)
        await self._queue.send(following.encode(), visible_in=pause)
        next_at = now() + timedelta(seconds=pause)
        await self._change(message, "NoticeWaits", lambda notice: notice.tried(outcome.error, next_at))

    async def _change(self, message: NoticeMessage, event: str, change: Callable[[Notice], Notice]) -> None:
        """Write down how it stands, unless another message did so meanwhile."""
        while (stored := await self._records.get(message.import_id)) is not None:
            notice = stored.record.notice(message.channel)
            if notice is None or not _is_current(message, notice):
                return
            changed = change(notice)
            try:
                await self._records.replace(
                    stored, stored.record.with_notice(changed).noting(event, _detail(message.channel, changed))
                )
            except RecordChangedError:
                continue
            return


def _is_current(message: NoticeMessage, notice: Notice) -> bool:
    return notice.status is NoticeStatus.DUE and message.attempt >= notice.attempts


def _detail(channel: Channel, notice: Notice) -> str:
    said = f"{channel} to {notice.address}"
    return f"{said}, attempt {notice.attempts}: {notice.error}" if notice.error else said
