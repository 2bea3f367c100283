"""Asking an import to stop: a user does (`intake.py`), and a parent asks its children (`expansion.py`)."""

from dataclasses import replace

from importcore.sealing import Sealer
from importcore.state.message import first_message
from importcore.state.record import ImportRecord, Status
from importcore.storage.queue import ImportQueue, LeaseHandle
from importcore.storage.records import ImportRecords, StoredRecord


async def ask_to_stop(records: ImportRecords, queue: ImportQueue, sealer: Sealer, stored: StoredRecord) -> ImportRecord:
    """Ask an import to stop: at once where nobody has begun it, woken where it sleeps, else within a heartbeat.

    Others are told of the end by whoever receives a message of the import. Of one that nobody has begun there may be
    none: its submission can have died before it sent the first. So where somebody wants to be told, that message is
    sent here, before the end is written; one too many finds itself stale.

    Returns:
        The record with the wish in it.

    Raises:
        RecordChangedError: It was changed meanwhile; read it again and decide anew.
        StorageUnavailableError: No answer.
    """
    record = stored.record
    asked = replace(record, cancel_requested=True).noting("CancelRequested")
    if record.lease_id is None:
        if record.notices:
            await queue.send(first_message(record.id).encode(sealer))
        asked = asked.finished(Status.CANCELED)
    await records.replace(stored, asked)
    if record.lease_id and record.lease_receipt:
        await queue.wake(LeaseHandle(record.lease_id, record.lease_receipt))
    return asked
