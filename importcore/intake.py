"""What callers may do with imports: submit, read, list, cancel. The way in; `importer.py` is the way through."""

import hashlib

from importcore.access.clients import ImportClients
from importcore.caller import Asker, Caller
from importcore.errors import (
    ImportConflictError,
    ImportHiddenError,
    ImportNotFoundError,
    StorageUnavailableError,
    TooManyImportsError,
)
from importcore.notices.wanted import WantedNotices
from importcore.policy.door import PolicyDoor
from importcore.policy.policies import Policies
from importcore.preview import Preview, preview
from importcore.reference import Reference
from importcore.request.model import ImportRequest
from importcore.request.selection import Selection
from importcore.run.cancellation import ask_to_stop
from importcore.run.expansion import chosen
from importcore.sealing import Sealer
from importcore.state.message import first_message
from importcore.state.record import ImportRecord, Status, TargetResult, is_import_id, new_import_id, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords, KeyClaim, RecordChangedError, StoredRecord
from importcore.storage.tag_notes import TagNotes

_TRY_AGAIN = 15.0
"""Seconds; imports take from some seconds to hours, and asking costs one query."""


class Intake:
    """Accepts imports and answers about them."""

    def __init__(
        self,
        *,
        records: ImportRecords,
        queue: ImportQueue,
        sealer: Sealer,
        clients: ImportClients,
        policies: Policies,
        notices: WantedNotices,
        tag_notes: TagNotes,
    ) -> None:
        self._tag_notes = tag_notes
        self._notices = notices
        self._policies = policies
        self._records = records
        self._queue = queue
        self._sealer = sealer
        self._clients = clients

    async def resolved(self, request: ImportRequest, caller: Caller) -> ImportRequest:
        """Find out what a request leaves to Azure to say; for callers that may import something, and nobody else.

        Which credentials are configured for a registry is said to those alone who may read there.

        Raises:
            PolicyError: The caller may import nothing, or not this.
            TransloadError: As `ImportClients.located` and `ImportClients.require_usable`.
        """
        door, asker = await self._admitted(caller)
        door.require_may_import(asker)
        request = await self._clients.located(request)
        door.require_request(asker, request)
        self._clients.require_usable(request.credentials, request.source_registry)
        return request

    async def require_may_import(self, caller: Caller) -> None:
        """Refuse a caller that may import nothing, before its request is looked at.

        Raises:
            PolicyError: Says what is missing.
        """
        door, asker = await self._admitted(caller)
        door.require_may_import(asker)

    async def preview(self, request: ImportRequest, caller: Caller) -> Preview:
        """Tell what an import would do, and do nothing; see `preview.py`.

        Raises:
            PolicyError: This installation does not allow it, or not to this caller.
            TransloadError: The import would fail, for this reason.
        """
        door, asker = await self._admitted(caller)
        door.require_request(asker, request)
        return await preview(request, self._clients, door, asker)

    async def choose(
        self, request: ImportRequest, selection: Selection, caller: Caller
    ) -> tuple[tuple[Reference, Reference], ...]:
        """Tell which imports a selection would make, source and target of each, and make none.

        Raises:
            PolicyError: This installation does not allow it, or not to this caller.
            TransloadError: The source cannot be listed, or nothing or too much is chosen.
        """
        door, asker = await self._admitted(caller)
        door.require_request(asker, request)
        source = self._clients.source_for(request.source_registry, request.credentials)
        return await chosen(source, selection, door, asker)

    async def submit(
        self, request: ImportRequest, caller: Caller, *, idempotency_key: str | None = None
    ) -> ImportRecord:
        """Accept an import: the record first, then its message. A repeated key answers the first record.

        A crash between the two leaves a record without a message; repeating the request with its key sends the
        message then. Sending it twice does no harm: whoever comes second finds it stale.

        Raises:
            InvalidRequestError: Its callback would lead where this app must not go.
            PolicyError: This installation does not allow it, or not to this caller.
            TooManyImportsError: The caller has as many in flight as it may.
            ImportConflictError: The key was used for another request.
            StorageUnavailableError: Nothing was accepted.
        """
        door, asker = await self._admitted(caller)
        door.require_request(asker, request)
        self._notices.require_allowed(request.callback)
        meaning = _meaning(request)
        covering = await self._not_begun(_followed(request, asker)) if request.follows else None
        import_id = await self._id_for(covering.id if covering else new_import_id(), asker, meaning, idempotency_key)
        if covering and import_id == covering.id:
            return covering
        if idempotency_key is None or await self._records.get(import_id) is None:
            await self._require_room_for_one_more(door, asker)
        record = ImportRecord(
            id=import_id,
            source=_shown_source(request),
            targets=tuple(TargetResult(str(target)) for target in request.targets or (request.selection,)),
            selection=request.selection,
            mode=request.mode,
            options=request.options,
            asked_by=asker,
            status=Status.QUEUED,
            created_at=now(),
            sealed_credentials=self._clients.sealed(request.credentials, request.source_registry, import_id),
            notices=self._notices.of(request.callback, import_id),
            follows=request.follows,
        ).noting("Queued")
        stored = await self._records.create(record)
        if stored.record.status is not Status.QUEUED or stored.record.lease_id is not None:
            return stored.record
        try:
            await self._queue.send(first_message(import_id).encode(self._sealer))
        except StorageUnavailableError:
            # One that was made before may have its first message, and an event that is told twice at once the other's.
            if stored.record is record and not request.follows:
                await self._records.delete(record)
            raise
        if request.follows:
            await self._tag_notes.note_latest(_followed(request, asker), import_id)
        return stored.record

    async def _not_begun(self, followed: str) -> ImportRecord | None:
        """Find the import of the same rule that will ask the source after now: an event needs no other one.

        It was read after the event came, and had not begun then; what it brings is what the tag stands on later.
        """
        latest = await self._tag_notes.latest(followed)
        stored = await self._records.get(latest) if latest else None
        return stored.record if stored is not None and stored.record.has_not_begun else None

    async def _require_room_for_one_more(self, door: PolicyDoor, asker: Asker) -> None:
        limit = door.limits_of(asker).in_flight
        if limit is not None and await self._records.in_flight(asker.identity, at_most=limit) >= limit:
            raise TooManyImportsError(
                f"{asker.identity} has {limit} imports in flight, which is as many as it may", retry_after=_TRY_AGAIN
            )

    async def _id_for(self, new_id: str, asker: Asker, meaning: str, idempotency_key: str | None) -> str:
        """Give the id that the key stands for, from now on `new_id` where it stood for none."""
        if idempotency_key is None:
            return new_id
        claim = KeyClaim(new_id, hashlib.sha256(meaning.encode()).hexdigest())
        # The key is the caller's own: another one's must neither be answered with this record nor get in its way.
        key = hashlib.sha256(f"{asker.identity}\n{idempotency_key}".encode()).hexdigest()
        kept = await self._records.claim_key(key, claim)
        if kept.fingerprint != claim.fingerprint:
            raise ImportConflictError(
                "this Idempotency-Key was used for another import",
                action="Use a new key for a new import; repeat a key only with the same request.",
            )
        return kept.import_id

    async def cancel(self, import_id: str, caller: Caller) -> ImportRecord:
        """Ask an import to stop: at once where nobody has begun it, else within a heartbeat.

        Raises:
            ImportNotFoundError: There is no such import, or none that the caller may see.
            PolicyError: The caller may see it, and not cancel it.
            ImportConflictError: It has ended already.
        """
        door, asker = await self._admitted(caller)
        while True:
            stored = await self._seen(import_id, door, asker)
            door.require_may_cancel(asker, stored.record.asked_by)
            if stored.record.status.is_final:
                raise ImportConflictError(f"the import has already ended: {stored.record.status}")
            try:
                return await ask_to_stop(self._records, self._queue, self._sealer, stored)
            except RecordChangedError:
                continue

    async def get(self, import_id: str, caller: Caller) -> ImportRecord:
        """Read a record.

        Raises:
            ImportNotFoundError: There is no such import, or none that the caller may see.
        """
        return (await self._seen(import_id, *await self._admitted(caller))).record

    async def newest(
        self, caller: Caller, *, status: Status | None, top: int, after: str | None, parent: str | None = None
    ) -> tuple[list[ImportRecord], str | None]:
        """List the records that the caller may see, newest first; see `ImportRecords.newest`."""
        door, asker = await self._admitted(caller)
        own = None if door.sees_all(asker) else asker.identity
        return await self._records.newest(status=status, parent=parent, caller=own, top=top, after=after)

    async def _admitted(self, caller: Caller) -> tuple[PolicyDoor, Asker]:
        door = await self._policies.door()
        return door, door.admit(caller)

    async def _seen(self, import_id: str, door: PolicyDoor, asker: Asker) -> StoredRecord:
        stored = await self._records.get(import_id) if is_import_id(import_id) else None
        if stored is not None and door.may_see(asker, stored.record.asked_by):
            return stored
        kind = ImportNotFoundError if stored is None else ImportHiddenError
        raise kind(f"there is no import '{import_id[:40]}'", action="Check the id; list the imports.")


def _shown_source(request: ImportRequest) -> str:
    if request.selection is None:
        return str(request.source)
    return f"{request.selection.source_registry}/{','.join(request.selection.repositories)}"


def _meaning(request: ImportRequest) -> str:
    """What makes two requests the same."""
    targets = [*map(str, request.targets)]
    said = repr((_shown_source(request), targets, request.selection, request.mode.value, request.options))
    return said if request.callback is None else said + repr((request.callback, request.callback.url))


def _followed(request: ImportRequest, asker: Asker) -> str:
    """What makes two events of a rule ask for the same."""
    return repr((asker.identity, asker.admitted_as, _meaning(request), request.credentials))
