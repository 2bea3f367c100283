"""A request with a selection: a parent that becomes one child import for each chosen tag, and sums them up.

The parent runs like any import: claimed by its message, under its heartbeat. Its first run lists the tags and creates
the children; then it sleeps in the queue and wakes up now and then to count them, until all have ended. A child's id is
made from the parent's and from what it imports, so that a run which died in the middle makes no child twice.
"""

import hashlib
from collections import Counter
from dataclasses import replace

from importcore.access.clients import ImportClients
from importcore.caller import Asker
from importcore.errors import NotFoundError, Side, TransloadError
from importcore.policy.door import PolicyDoor
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.registry.listing import list_repositories, list_tags
from importcore.request.selection import IMPORTS_AT_MOST, Selection
from importcore.run.cancellation import ask_to_stop
from importcore.run.running import RunningImport
from importcore.sealing import Sealer
from importcore.state.message import first_message
from importcore.state.record import ChildCounts, ImportRecord, Status, TargetResult, child_id, now
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords, RecordChangedError

_NAMED_AT_MOST = 5


class NothingSelectedError(TransloadError):
    """No tag of the source is what the selection wants."""

    code = "nothing_selected"
    default_action = "Compare the selection with the tags that the source has; `validateOnly` shows what is chosen."


class TooManySelectedError(TransloadError):
    """More tags than one request may import."""

    code = "too_many_selected"
    default_action = "Split the request, or choose more narrowly."


class ChildrenFailedError(TransloadError):
    """Some of the imports of a selection failed; the others are done."""

    code = "children_failed"
    default_action = "Look at the imports that failed (GET /api/imports?parent=…), and send the request again."


async def chosen(
    source: RegistryClient, selection: Selection, door: PolicyDoor, asker: Asker | None
) -> tuple[tuple[Reference, Reference], ...]:
    """Ask the source which tags there are, and say what goes where.

    Raises:
        PolicyError: The caller may not read all that is chosen; the request must not silently do less.
        NothingSelectedError: No tag is chosen.
        TooManySelectedError: Too many are.
        RegistryError: The source refused to list them.
    """
    catalog = await list_repositories(source) if selection.names_globs else ()
    repositories = selection.repositories_of(catalog)
    door.require_sources(asker, selection.source_registry, repositories)
    pairs: list[tuple[Reference, Reference]] = []
    for repository in repositories:
        try:
            tags = await list_tags(source, repository)
        except NotFoundError:
            if repository in catalog:
                continue  # listed, and emptied or deleted since
            raise
        found = [Reference(selection.source_registry, repository, tag) for tag in selection.tags.of(tags)]
        pairs += [(reference, selection.target_of(reference)) for reference in found]
    if not pairs:
        raise NothingSelectedError("the selection chooses no tag of the source", origin=Side.SOURCE, step="choose tags")
    if len(pairs) > IMPORTS_AT_MOST:
        raise TooManySelectedError(f"the selection chooses {len(pairs)} tags, at most {IMPORTS_AT_MOST} are allowed")
    door.require_tags(asker, len(pairs))
    for reference, target in pairs:
        door.require_route(asker, reference, target)
    return tuple(pairs)


class Expansion:
    """Makes the children of a parent, and counts them."""

    def __init__(self, records: ImportRecords, queue: ImportQueue, sealer: Sealer, clients: ImportClients) -> None:
        self._records = records
        self._queue = queue
        self._sealer = sealer
        self._clients = clients

    async def go_on(self, running: RunningImport, selection: Selection, door: PolicyDoor) -> ChildCounts:
        """Make the children where that was not done, and count them.

        Raises:
            TransloadError: As `chosen`.
        """
        if running.record.children is None:
            record = running.record
            pairs = await chosen(self._clients.source(record), selection, door, record.asked_by)
            for source, target in pairs:
                await self._create(running.record, source, target)
            total = len(pairs)
            await running.change(
                lambda record: replace(record, children=ChildCounts(total=total, queued=total)).noting(
                    "Expanded", f"{total} imports"
                )
            )
        counts = await self._counts(running.record)
        await running.change(lambda record: replace(record, children=counts))
        return counts

    async def failures(self, parent: ImportRecord) -> ChildrenFailedError:
        """Say which children failed, the first few by name."""
        failed = [c for c in await self._records.children_of(parent.id) if c.status is not Status.SUCCEEDED]
        names = ", ".join(f"{c.source} ({c.error.code if c.error else c.status})" for c in failed[:_NAMED_AT_MOST])
        more = f" and {len(failed) - _NAMED_AT_MOST} more" if len(failed) > _NAMED_AT_MOST else ""
        return ChildrenFailedError(f"{len(failed)} imports did not succeed: {names}{more}")

    async def cancel_children(self, parent: ImportRecord) -> None:
        """Ask every child to stop that has not ended; one that nobody has begun ends at once."""
        for child in await self._records.children_of(parent.id):
            while (stored := await self._records.get(child.id)) is not None and not stored.record.status.is_final:
                try:
                    await ask_to_stop(self._records, self._queue, self._sealer, stored)
                except RecordChangedError:
                    continue
                break

    async def _create(self, parent: ImportRecord, source: Reference, target: Reference) -> None:
        fingerprint = hashlib.sha256(f"{parent.id} {source} {target}".encode()).digest()
        import_id = child_id(parent.id, fingerprint)
        child = ImportRecord(
            id=import_id,
            parent=parent.id,
            source=str(source),
            targets=(TargetResult(str(target)),),
            mode=parent.mode,
            options=parent.options,
            asked_by=parent.asked_by,
            status=Status.QUEUED,
            created_at=now(),
            sealed_credentials=self._resealed(parent.sealed_credentials, parent.id, import_id),
            notices=tuple(
                replace(notice, sealed_url=self._resealed(notice.sealed_url, parent.id, import_id))
                for notice in parent.notices
                if notice.children
            ),
        ).noting("Queued")
        stored = await self._records.create(child)
        if stored.record.status is Status.QUEUED and stored.record.lease_id is None:
            await self._queue.send(first_message(import_id).encode(self._sealer))

    def _resealed(self, sealed: str | None, parent_id: str, import_id: str) -> str | None:
        return None if sealed is None else self._sealer.seal(self._sealer.open(sealed, parent_id), import_id)

    async def _counts(self, parent: ImportRecord) -> ChildCounts:
        found = Counter(child.status for child in await self._records.children_of(parent.id))
        return ChildCounts(
            total=found.total(),
            queued=found[Status.QUEUED],
            running=found[Status.RUNNING],
            succeeded=found[Status.SUCCEEDED],
            failed=found[Status.FAILED],
            canceled=found[Status.CANCELED],
        )
