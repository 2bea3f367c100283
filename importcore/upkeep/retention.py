"""Finished records are kept for a set time, then removed, with their idempotency keys, plans and notes about tags.

A plan is removed when its import ends; a process that dies just then leaves it behind, and so does a storage account
that does not answer. Here it goes when its record says that the import has ended, or is gone.
"""

from dataclasses import dataclass
from datetime import timedelta

from importcore.state.record import ImportRecord, now, oldest_id_since
from importcore.storage.plans import Plans
from importcore.storage.records import ImportRecords, RecordChangedError
from importcore.storage.tag_notes import TagNotes

_REMOVED_AT_MOST = 2_000
"""Records in one go, so that the timer ends well inside the platform's time-out; the next one goes on."""

_NOTES_KEPT_AT_LEAST = timedelta(days=1)
"""A note about a tag says which import may write it, which may still run."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How much was removed."""

    records: int = 0
    keys: int = 0
    plans: int = 0
    notes: int = 0


class Retention:
    """Removes what has been kept long enough."""

    def __init__(self, records: ImportRecords, plans: Plans, notes: TagNotes, *, days: float) -> None:
        """Take what it needs; `days` is how long a record is kept after its import has ended."""
        self._records = records
        self._plans = plans
        self._notes = notes
        self._kept = timedelta(days=days)

    async def remove_old(self) -> Removed:
        """Remove records that ended before the set time, the keys that named them, and plans without a purpose.

        Raises:
            StorageUnavailableError: No answer; the next timer goes on.
        """
        before = now() - self._kept
        removed = 0
        async for stored in self._records.older_than(oldest_id_since(before)):
            record = stored.record
            if not record.status.is_final or record.finished_at is None or record.finished_at >= before:
                continue
            if await self._is_still_counted(record):
                continue
            try:
                await self._records.remove(stored)
            except RecordChangedError:
                continue
            removed += 1
            if removed == _REMOVED_AT_MOST:
                break
        keys = await self._records.remove_keys_older_than(oldest_id_since(before))
        notes = await self._notes.remove_older_than(oldest_id_since(min(before, now() - _NOTES_KEPT_AT_LEAST)))
        return Removed(removed, keys, await self._remove_left_plans(), notes)

    async def _is_still_counted(self, record: ImportRecord) -> bool:
        """Whether its parent still counts its children."""
        parent = await self._records.get(record.parent) if record.parent else None
        return parent is not None and not parent.record.status.is_final

    async def _remove_left_plans(self) -> int:
        removed = 0
        async for import_id in self._plans.kept_for():
            stored = await self._records.get(import_id)
            if stored is None or stored.record.status.is_final:
                await self._plans.delete(import_id)
                removed += 1
        return removed
