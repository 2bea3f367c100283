"""Claiming an import: at any moment exactly one message may act for it, and there always is one.

Step 1 of a run. The trigger's message M is the host's, not ours: so a lease message L is sent first, invisible for the
lease time, and then the record's `lease_id` is moved from M to L under the record's ETag. Whoever comes with a message
that `lease_id` does not name is stale. `docs/decisions/0013-lease-specification.md` says why that suffices.
"""

from dataclasses import replace

from importcore.run.outbox import Outbox
from importcore.run.running import RunningImport
from importcore.sealing import Sealer
from importcore.state.message import Handover, ImportMessage
from importcore.state.record import ImportRecord, Status, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords, RecordChangedError, StoredRecord


class Claims:
    """Turns a message from the queue into the right to run an import."""

    def __init__(
        self,
        records: ImportRecords,
        queue: ImportQueue,
        sealer: Sealer,
        outbox: Outbox,
        *,
        lease_seconds: float,
        worker: str,
    ) -> None:
        """Take what a claim needs; `worker` names this process, for the record's history."""
        self._outbox = outbox
        self._worker = worker
        self._records = records
        self._queue = queue
        self._sealer = sealer
        self._lease_seconds = lease_seconds

    async def claim(self, message: ImportMessage, message_id: str) -> RunningImport | None:
        """Claim the import that a message is about; None when the message is stale and may be dropped.

        A message of an import that has ended may be all that is left of a run that died before it told others so:
        their notices are posted here.

        Raises:
            StorageUnavailableError: Nobody knows whether the claim was made. L is left alone then: if the claim was
                made, L alone may act and will; if not, M may, and L will find itself stale.
        """
        while (stored := await self._records.get(message.import_id)) is not None:
            try:
                if _may_act(stored.record, message_id):
                    return await self._claimed(stored, message)
                await self._require_stale_for_good(stored, message)
            except RecordChangedError:
                continue
            await self._outbox.post(stored.record)
            return None
        return None

    async def _claimed(self, stored: StoredRecord, message: ImportMessage) -> RunningImport:
        held = ImportMessage(message.import_id, Handover.HELD, stored.record.attempts + 1, message.checkpoint)
        lease = await self._queue.send(held.encode(self._sealer), visible_in=self._lease_seconds)
        claimed = _claimed(stored.record, lease.id, message.handover, self._worker)
        try:
            stored = await self._records.replace(stored, claimed)
        except RecordChangedError:
            await self._queue.delete(lease)  # and not tried again: meanwhile it may have been taken and dropped
            raise
        return RunningImport(
            records=self._records, queue=self._queue, sealer=self._sealer, outbox=self._outbox, stored=stored,
            lease=lease, checkpoint=message.checkpoint, lease_seconds=self._lease_seconds,
        )  # fmt: skip

    async def _require_stale_for_good(self, stored: StoredRecord, message: ImportMessage) -> None:
        """Let nobody name this message in the record any more: it is about to be dropped.

        It may have been sent for a claim that is still to come: the claimer was asleep between its two steps for longer
        than the lease time. The record is written as it stands, so that the claimer's compare-and-swap is refused;
        else it would name a message that is gone, and the import would be nobody's.

        Raises:
            RecordChangedError: The record was changed meanwhile; perhaps it names the message now.
        """
        if not stored.record.status.is_final and message.attempt >= stored.record.attempts:
            await self._records.replace(stored, stored.record)


def _may_act(record: ImportRecord, message_id: str) -> bool:
    return not record.status.is_final and record.lease_id in {None, message_id}


def _claimed(record: ImportRecord, lease_id: str, handover: Handover, worker: str) -> ImportRecord:
    """The record after the claim, with the accounts of how the last run ended brought up to date."""
    died = handover is Handover.HELD
    claimed = replace(
        record,
        status=Status.RUNNING,
        lease_id=lease_id,
        lease_receipt=None,
        waiting_until=None,
        behind=None,
        error=None,
        started_at=record.started_at or now(),
        updated_at=now(),
        attempts=record.attempts + 1,
        resumptions=record.resumptions + (handover is not Handover.QUEUED),
        poisonings=0,
        advances_at_claim=record.advances,
        deaths=(record.deaths if not record.has_progressed else 0) + died,
    )
    if record.children is not None or record.behind is not None:
        return claimed  # it looks whether others have ended: its history would hold nothing else
    event = {Handover.QUEUED: "Started", Handover.HELD: "TakenOver"}.get(handover, "Resumed")
    return claimed.noting(event, f"by {worker}{', because the run before it died or lost its lease' if died else ''}")
