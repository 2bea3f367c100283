"""Asking an import to stop: a user does (`intake.py`), and a parent asks its children (`expansion.py`)."""

from dataclasses import replace

from importcore.state.record import ImportRecord, Status
from importcore.storage.queue import ImportQueue, LeaseHandle
from importcore.storage.records import ImportRecords, StoredRecord


async def ask_to_stop(records: ImportRecords, queue: ImportQueue, stored: StoredRecord) -> ImportRecord:
    """Ask an import to stop: at once where nobody has begun it, woken where it sleeps, else within a heartbeat.

    One that nobody has begun has its first message in the queue still; whoever receives that tells others of the end.

    Returns:
        The record with the wish in it.

    Raises:
        RecordChangedError: It was changed meanwhile; read it again and decide anew.
        StorageUnavailableError: No answer.
    """
    record = stored.record
    asked = replace(record, cancel_requested=True).noting("CancelRequested")
    if record.lease_id is None:
        asked = asked.finished(Status.CANCELED)
    await records.replace(stored, asked)
    if record.lease_id and record.lease_receipt:
        await queue.wake(LeaseHandle(record.lease_id, record.lease_receipt))
    return asked
