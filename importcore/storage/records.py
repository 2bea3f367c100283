"""Import records in Table storage: one entity an import, guarded by its ETag.

Ids count down in time, so that the table's own order (RowKey, ascending) is newest first. An entity holds the record
as JSON, cut into properties of at most 16,000 characters (Table storage allows 64 KiB in UTF-16, where a character may
take four bytes), and beside it for filtering the status, the parent and the caller. A second partition maps
idempotency keys to import ids.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from pydantic import TypeAdapter

from importcore.audit import Audit
from importcore.state.record import ImportRecord, Status
from importcore.storage.faults import storage_step

_IMPORTS = "imports"
_KEYS = "idempotency"
_PIECE = 16_000
_CHILDREN_AT_MOST = 100_000
_RECORD = TypeAdapter(ImportRecord)


class RecordChangedError(Exception):
    """The record was changed by another since it was read; read it again and decide anew."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it was read or written, with the ETag of that state."""

    record: ImportRecord
    etag: str


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """What an idempotency key stands for: the import it made, and a fingerprint of the request that made it."""

    import_id: str
    fingerprint: str


class ImportRecords:
    """The table `imports`. Every method raises `StorageUnavailableError` when the table does not answer."""

    def __init__(self, client: TableClient, audit: Audit) -> None:
        self._client = client
        self._audit = audit

    async def create(self, record: ImportRecord) -> StoredRecord:
        """Write a new record; one that is there already (a repeated request) is answered as it stands."""
        with storage_step("create the record"):
            try:
                made = await self._client.create_entity(_entity(record))
            except ResourceExistsError:
                existing = await self.get(record.id)
                if existing is None:
                    raise
                return existing
        self._audit.changed(None, record)
        return StoredRecord(record, made["etag"])

    async def get(self, import_id: str) -> StoredRecord | None:
        """Read a record; None when there is none."""
        with storage_step("read the record"):
            try:
                entity = await self._client.get_entity(_IMPORTS, import_id)
            except ResourceNotFoundError:
                return None
        return StoredRecord(_record(entity), str(entity.metadata["etag"]))

    async def replace(self, stored: StoredRecord, record: ImportRecord) -> StoredRecord:
        """Write a changed record over the state that was read.

        A write whose answer was lost is repeated by the SDK and refused, because it had its effect: what stands there
        then is what was to be written.

        Raises:
            RecordChangedError: Another wrote it since, or removed it.
        """
        with storage_step("write the record"):
            try:
                answer = await self._client.update_entity(
                    _entity(record),
                    mode=UpdateMode.REPLACE,
                    etag=stored.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
                written = StoredRecord(record, answer["etag"])
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                standing = await self.get(record.id)
                if standing is None or standing.record != record:
                    raise RecordChangedError from error
                written = standing
        self._audit.changed(stored.record, record)
        return written

    async def delete(self, record: ImportRecord) -> None:
        """Remove a record whose import was never queued."""
        with storage_step("remove the record"):
            try:
                await self._client.delete_entity(_IMPORTS, record.id)
            except ResourceNotFoundError:
                return
        self._audit.removed(record)

    async def remove(self, stored: StoredRecord) -> None:
        """Remove a record as it was read.

        Raises:
            RecordChangedError: Another wrote it since, or removed it.
        """
        with storage_step("remove the record"):
            try:
                await self._client.delete_entity(
                    _IMPORTS, stored.record.id, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                raise RecordChangedError from error
        self._audit.removed(stored.record)

    async def open_imports(self) -> AsyncIterator[StoredRecord]:
        """Give every record that has not ended, newest first."""
        states = " or ".join(f"Status eq '{status}'" for status in Status if not status.is_final)
        async for stored in self._selected(f"PartitionKey eq '{_IMPORTS}' and ({states})", {}):
            yield stored

    async def in_flight(self, caller: str, *, at_most: int) -> int:
        """Count the imports of a caller that have not ended, those of one selection as one; stops counting there."""
        states = " or ".join(f"Status eq '{status}'" for status in Status if not status.is_final)
        condition, found = f"PartitionKey eq '{_IMPORTS}' and Caller eq @caller and ({states})", 0
        with storage_step("count the imports in flight"):
            async for entity in self._client.query_entities(condition, parameters={"caller": caller}):
                found += not entity.get("Parent")
                if found >= at_most:
                    break
        return found

    async def older_than(self, import_id: str) -> AsyncIterator[StoredRecord]:
        """Give every record with an older id than this, newest first (ids count down)."""
        condition = f"PartitionKey eq '{_IMPORTS}' and RowKey gt @id"
        async for stored in self._selected(condition, {"id": import_id}):
            yield stored

    async def _selected(self, condition: str, parameters: dict[str, Any]) -> AsyncIterator[StoredRecord]:
        with storage_step("list the records"):
            async for entity in self._client.query_entities(condition, parameters=parameters):
                yield StoredRecord(_record(entity), str(entity.metadata["etag"]))

    async def newest(
        self,
        *,
        status: Status | None = None,
        parent: str | None = None,
        caller: str | None = None,
        top: int = 50,
        after: str | None = None,
    ) -> tuple[list[ImportRecord], str | None]:
        """List records, newest first.

        Returns:
            At most `top` records, and the id to pass as `after` for the next page; None at the end.
        """
        condition = f"PartitionKey eq '{_IMPORTS}'"
        parameters: dict[str, Any] = {}
        if status:
            condition, parameters["status"] = condition + " and Status eq @status", status.value
        if parent:
            # Children stand next to their parent, so that the table is not searched whole.
            condition += " and RowKey ge @first and RowKey lt @last and Parent eq @parent"
            parameters |= {"first": parent[:9], "last": parent[:9] + "~", "parent": parent}
        if caller:
            condition, parameters["caller"] = condition + " and Caller eq @caller", caller
        if after:
            condition, parameters["after"] = condition + " and RowKey gt @after", after
        found: list[ImportRecord] = []
        with storage_step("list the records"):
            entities = self._client.query_entities(condition, parameters=parameters, results_per_page=top + 1)
            async for entity in entities:
                if len(found) == top:
                    return found, found[-1].id
                found.append(_record(entity))
        return found, None

    async def children_of(self, parent_id: str) -> list[ImportRecord]:
        """List all children of an import."""
        found, _ = await self.newest(parent=parent_id, top=_CHILDREN_AT_MOST)
        return found

    async def claim_key(self, key: str, claim: KeyClaim) -> KeyClaim:
        """Bind an idempotency key to an import, once; answers what the key stands for."""
        entity = {
            "PartitionKey": _KEYS, "RowKey": key, "ImportId": claim.import_id, "Fingerprint": claim.fingerprint
        }  # fmt: skip
        with storage_step("keep the idempotency key"):
            try:
                await self._client.create_entity(entity)
            except ResourceExistsError:
                kept = await self._client.get_entity(_KEYS, key)
                return KeyClaim(kept["ImportId"], kept["Fingerprint"])
        return claim

    async def remove_keys_older_than(self, import_id: str) -> int:
        """Remove the keys of imports with an older id than this; answers how many there were."""
        condition, removed = f"PartitionKey eq '{_KEYS}' and ImportId gt @id", 0
        with storage_step("remove idempotency keys"):
            async for entity in self._client.query_entities(condition, parameters={"id": import_id}):
                await self._client.delete_entity(_KEYS, entity["RowKey"])
                removed += 1
        return removed

    async def check(self) -> None:
        """Read one entity that is not there, to know that the table is there and may be read."""
        with storage_step("read the table"):
            await anext(aiter(self._client.query_entities("PartitionKey eq 'none'", results_per_page=1)), None)


def _entity(record: ImportRecord) -> dict[str, Any]:
    text = _RECORD.dump_json(record).decode()
    pieces = {f"Record{i}": text[at : at + _PIECE] for i, at in enumerate(range(0, len(text), _PIECE))}
    beside = {"Status": record.status.value}
    if record.parent:
        beside["Parent"] = record.parent
    if record.asked_by:
        beside["Caller"] = record.asked_by.identity
    return {"PartitionKey": _IMPORTS, "RowKey": record.id, **beside, **pieces}


def _record(entity: Any) -> ImportRecord:  # noqa: ANN401 (the SDK's TableEntity, a dict)
    names = sorted((name for name in entity if name.startswith("Record")), key=lambda name: int(name[6:]))
    return _RECORD.validate_json("".join(entity[name] for name in names))
