"""Messages that the host gave up: the poison queue's side of an import.

The host moves a message there when its function failed five times. A run that has claimed its import never fails so
(whatever it meets, the lease message brings the import back), so this is about runs that could not even begin: storage
did not answer, the app settings were wrong, or the message cannot be read.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from importcore.errors import TransloadError
from importcore.run.ending import Ending
from importcore.run.outbox import Outbox
from importcore.run.put_back import PutBack
from importcore.sealing import Sealer
from importcore.state.checkpoint import UploadState
from importcore.state.message import ImportMessage, UnreadableMessageError
from importcore.state.record import ImportRecord, Status
from importcore.storage.plans import Plans
from importcore.storage.records import ImportRecords, RecordChangedError

_POISONINGS_AT_MOST = 3
_FIRST_PAUSE_SECONDS = 60.0
_log = logging.getLogger("transload")


class MessageGivenUpError(TransloadError):
    """The platform gave the import's message up again and again."""

    code = "message_given_up"
    default_action = "Look at the function's log for what stopped it; then send the request again."

    def __init__(self) -> None:
        super().__init__("the platform gave the import's message up: several times in a row no run could claim it")


class PoisonedMessages:
    """Takes messages from the poison queue, so that no import is left `Queued` or `Running` for ever."""

    def __init__(
        self,
        records: ImportRecords,
        plans: Plans,
        sealer: Sealer,
        put_back: PutBack,
        ending: Ending,
        *,
        outbox: Outbox,
    ) -> None:
        self._outbox = outbox
        self._records = records
        self._plans = plans
        self._sealer = sealer
        self._put_back = put_back
        self._ending = ending

    async def take(self, body: bytes) -> None:
        """Take a message from the poison queue: put its import back, or end it so that it is not `Running` for ever.

        The host gives a message up when no run could even claim the import several times: storage did not answer, or
        the app settings were wrong. That may be over, so the import goes back into the queue a few times, each time
        for longer. What cannot be read ends at once.

        A poisoned copy has another id than the message had; its attempt number tells whether it is the one that
        may act for the import, or one that was stale anyway. Of an import that has ended it may be the last message
        that is left: then those who wait for the end are told (see `outbox.py`).
        """
        try:
            message = ImportMessage.decode(body, self._sealer)
        except UnreadableMessageError as unreadable:
            if unreadable.import_id is None:
                _log.error("a poisoned message names no import: %s", unreadable)
            else:
                await self._give_up(unreadable.import_id, unreadable)
            return
        while (stored := await self._records.get(message.import_id)) is not None:
            record = stored.record
            if record.status.is_final or message.attempt != record.attempts:
                await self._outbox.post(record)
                return
            if record.poisonings >= _POISONINGS_AT_MOST:
                await self._give_up(record.id, MessageGivenUpError(), message.checkpoint.uploads)
                return
            pause = _FIRST_PAUSE_SECONDS * 4.0**record.poisonings
            if await self._put_back.now(stored, message.checkpoint, _given_up, after_seconds=pause):
                return

    async def _give_up(self, import_id: str, error: TransloadError, uploads: Sequence[UploadState] = ()) -> None:
        while (stored := await self._records.get(import_id)) is not None:
            if stored.record.status.is_final:
                await self._outbox.post(stored.record)
                return
            try:
                ended = await self._records.replace(stored, stored.record.finished(Status.FAILED, error))
            except RecordChangedError:
                continue
            await self._outbox.post(ended.record)
            await self._ending.give_up_uploads(stored.record, uploads)
            await self._plans.delete(import_id)
            return


def _given_up(record: ImportRecord) -> ImportRecord:
    return replace(record, poisonings=record.poisonings + 1).noting(
        "PutBack", "the platform had given its message up, because no run could claim it"
    )
