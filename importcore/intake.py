"""What callers may do with imports: submit, read, list, cancel. The way in; `importer.py` is the way through."""

import hashlib

from importcore.access.clients import ImportClients
from importcore.errors import ImportConflictError, ImportNotFoundError, StorageUnavailableError
from importcore.policy import require_allowed
from importcore.preview import Preview, preview
from importcore.reference import Reference
from importcore.request.model import ImportRequest
from importcore.request.selection import Selection
from importcore.run.cancellation import ask_to_stop
from importcore.run.expansion import chosen
from importcore.sealing import Sealer
from importcore.settings.model import Settings
from importcore.state.message import first_message
from importcore.state.record import ImportRecord, Status, TargetResult, is_import_id, new_import_id, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords, KeyClaim, RecordChangedError, StoredRecord


class Intake:
    """Accepts imports and answers about them."""

    def __init__(
        self,
        *,
        settings: Settings,
        records: ImportRecords,
        queue: ImportQueue,
        sealer: Sealer,
        clients: ImportClients,
    ) -> None:
        self._settings = settings
        self._records = records
        self._queue = queue
        self._sealer = sealer
        self._clients = clients

    async def preview(self, request: ImportRequest) -> Preview:
        """Tell what an import would do, and do nothing; see `preview.py`.

        Raises:
            PolicyError: This installation does not allow it.
            TransloadError: The import would fail, for this reason.
        """
        require_allowed(request, self._settings)
        return await preview(request, self._clients)

    async def choose(self, request: ImportRequest, selection: Selection) -> tuple[tuple[Reference, Reference], ...]:
        """Tell which imports a selection would make, source and target of each, and make none.

        Raises:
            PolicyError: This installation does not allow it.
            TransloadError: The source cannot be listed, or nothing or too much is chosen.
        """
        require_allowed(request, self._settings)
        return await chosen(self._clients.source_for(request.source_registry, request.credentials), selection)

    async def submit(self, request: ImportRequest, *, idempotency_key: str | None = None) -> ImportRecord:
        """Accept an import: the record first, then its message. A repeated key answers the first record.

        A crash between the two leaves a record without a message; repeating the request with its key sends the
        message then. Sending it twice does no harm: whoever comes second finds it stale.

        Raises:
            PolicyError: This installation does not allow it.
            ImportConflictError: The key was used for another request.
            StorageUnavailableError: Nothing was accepted.
        """
        require_allowed(request, self._settings)
        import_id = await self._id_for(request, idempotency_key)
        record = ImportRecord(
            id=import_id,
            source=_shown_source(request),
            targets=tuple(TargetResult(str(target)) for target in request.targets or (request.selection,)),
            selection=request.selection,
            mode=request.mode,
            options=request.options,
            status=Status.QUEUED,
            created_at=now(),
            sealed_credentials=self._clients.sealed(request.credentials, import_id),
        ).noting("Queued")
        stored = await self._records.create(record)
        if stored.record.status is not Status.QUEUED or stored.record.lease_id is not None:
            return stored.record
        try:
            await self._queue.send(first_message(import_id).encode(self._sealer))
        except StorageUnavailableError:
            await self._records.delete(import_id)
            raise
        return stored.record

    async def _id_for(self, request: ImportRequest, idempotency_key: str | None) -> str:
        import_id = new_import_id()
        if idempotency_key is None:
            return import_id
        targets = [*map(str, request.targets)]
        meaning = repr((_shown_source(request), targets, request.selection, request.mode.value, request.options))
        claim = KeyClaim(import_id, hashlib.sha256(meaning.encode()).hexdigest())
        kept = await self._records.claim_key(hashlib.sha256(idempotency_key.encode()).hexdigest(), claim)
        if kept.fingerprint != claim.fingerprint:
            raise ImportConflictError(
                "this Idempotency-Key was used for another import",
                action="Use a new key for a new import; repeat a key only with the same request.",
            )
        return kept.import_id

    async def cancel(self, import_id: str) -> ImportRecord:
        """Ask an import to stop: at once where nobody has begun it, else within a heartbeat.

        Raises:
            ImportNotFoundError: There is no such import.
            ImportConflictError: It has ended already.
        """
        while True:
            stored = await self._stored(import_id)
            if stored.record.status.is_final:
                raise ImportConflictError(f"the import has already ended: {stored.record.status}")
            try:
                return await ask_to_stop(self._records, self._queue, stored)
            except RecordChangedError:
                continue

    async def get(self, import_id: str) -> ImportRecord:
        """Read a record.

        Raises:
            ImportNotFoundError: There is no such import.
        """
        return (await self._stored(import_id)).record

    async def newest(
        self, *, status: Status | None, top: int, after: str | None, parent: str | None = None
    ) -> tuple[list[ImportRecord], str | None]:
        """List records, newest first; see `ImportRecords.newest`."""
        return await self._records.newest(status=status, parent=parent, top=top, after=after)

    async def _stored(self, import_id: str) -> StoredRecord:
        stored = await self._records.get(import_id) if is_import_id(import_id) else None
        if stored is None:
            raise ImportNotFoundError(
                f"there is no import '{import_id[:40]}'", action="Check the id; list the imports."
            )
        return stored


def _shown_source(request: ImportRequest) -> str:
    if request.selection is None:
        return str(request.source)
    return f"{request.selection.source_registry}/{','.join(request.selection.repositories)}"
