"""The path of an import, from the request to the end: submit, run, fail, cancel. Start reading here.

A run is one invocation of the queue trigger. It claims the import, works through the three phases, and ends in one of
four ways: succeeded, handed over because its time is over, put back for later because of a fault that may pass, or
failed. Whatever dies on the way, the lease message brings the import back with its checkpoint.
"""

import asyncio
import hashlib
import logging
import random
from dataclasses import replace
from datetime import timedelta

from importcore.blob_copy import CopyTools
from importcore.claim import Claims
from importcore.clients import ImportClients
from importcore.commit import Commit
from importcore.deadline import Deadline, OutOfTime
from importcore.errors import (
    ImportConflictError,
    ImportNotFoundError,
    LeaseLostError,
    NoProgressError,
    StorageUnavailableError,
    TransloadError,
)
from importcore.message import Handover, ImportMessage, UnreadableMessageError
from importcore.plan import Plan, make_plan, require_free_tags
from importcore.policy import require_allowed
from importcore.progress import Phase, PhaseStarted, Planned
from importcore.record import ErrorReport, ImportRecord, Status, TargetResult, is_import_id, new_import_id, now
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.request import ImportRequest
from importcore.running import CancelRequested, RunningImport
from importcore.sealing import Sealer
from importcore.settings import Settings
from importcore.storage.plans import Plans
from importcore.storage.queue import ImportQueue, LeaseHandle
from importcore.storage.records import ImportRecords, KeyClaim, RecordChangedError, StoredRecord
from importcore.transfer import Transfer

_log = logging.getLogger("transload")

_DEATHS_AT_MOST = 5
_STALLS_AT_MOST = 2
_RETRIES_AT_MOST = 8
_FIRST_RETRY_SECONDS = 15.0
_RETRY_AT_MOST_SECONDS = 900.0


class Importer:
    """What the triggers call; everything it needs is built in `wiring.py`."""

    def __init__(
        self,
        *,
        settings: Settings,
        records: ImportRecords,
        queue: ImportQueue,
        plans: Plans,
        sealer: Sealer,
        clients: ImportClients,
    ) -> None:
        self._settings = settings
        self._records = records
        self._queue = queue
        self._plans = plans
        self._clients = clients
        self._claims = Claims(records, queue, sealer, settings.lease_seconds)
        self._sealer = sealer
        self._slots = asyncio.Semaphore(settings.parallel_transfers)
        self._deadlines: set[Deadline] = set()

    # -- submit: HTTP, webhook, event ----------------------------------------------------------------------------

    async def submit(self, request: ImportRequest, *, idempotency_key: str | None = None) -> ImportRecord:
        """Accept an import: the record first, then its message. A repeated key answers the first record.

        Raises:
            PolicyError: This installation does not allow it.
            ImportConflictError: The key was used for another request.
            StorageUnavailableError: Nothing was accepted.
        """
        require_allowed(request, self._settings)
        import_id = await self._id_for(request, idempotency_key)
        targets = tuple(TargetResult(str(target)) for target in request.targets)
        record = ImportRecord(
            id=import_id,
            source=str(request.source),
            targets=targets,
            mode=request.mode,
            status=Status.QUEUED,
            created_at=now(),
            sealed_credentials=self._clients.sealed(request.credentials, import_id),
        ).noting("Queued")
        stored = await self._records.create(record)
        if stored.record.status is not Status.QUEUED or stored.record.lease_id is not None:
            return stored.record  # a repeated request, and the import is under way or done
        try:
            await self._claims.enqueue(stored)
        except StorageUnavailableError:
            await self._records.delete(import_id)
            raise
        return stored.record

    async def _id_for(self, request: ImportRequest, idempotency_key: str | None) -> str:
        import_id = new_import_id()
        if idempotency_key is None:
            return import_id
        meaning = repr((str(request.source), [str(target) for target in request.targets], request.mode.value))
        claim = KeyClaim(import_id, hashlib.sha256(meaning.encode()).hexdigest())
        kept = await self._records.claim_key(hashlib.sha256(idempotency_key.encode()).hexdigest(), claim)
        if kept.fingerprint != claim.fingerprint:
            raise ImportConflictError(
                "this Idempotency-Key was used for another import",
                action="Use a new key for a new import; repeat a key only with the same request.",
            )
        return kept.import_id

    # -- run: the queue trigger ----------------------------------------------------------------------------------

    async def run(self, body: bytes, message_id: str) -> None:
        """Go on with the import that a message is about; a stale message is dropped.

        Raises:
            UnreadableMessageError: The host puts the message into the poison queue, which ends in `fail`.
            StorageUnavailableError: The host delivers the message again.
        """
        running = await self._claims.claim(ImportMessage.decode(body, self._sealer), message_id)
        if running is None:
            _log.info("dropped a stale message")
            return
        deadline = Deadline(self._settings.slice_seconds)
        self._deadlines.add(deadline)
        try:
            digest = await running.guarded(self._bring(running, deadline), deadline)
        except OutOfTime:
            await self._continue(running)
        except CancelRequested:
            await self._canceled(running)
        except LeaseLostError as error:
            _log.warning("import %s: %s; this run stops", running.record.id, error)
        except TransloadError as error:
            await self._retry_or_fail(running, error)
        else:
            await self._succeeded(running, digest)
        finally:
            self._deadlines.discard(deadline)

    async def _bring(self, running: RunningImport, deadline: Deadline) -> str:
        """The three phases."""
        record, meter = running.record, running.meter
        if record.cancel_requested:
            raise CancelRequested
        if record.deaths >= _DEATHS_AT_MOST:
            raise NoProgressError(f"{record.deaths} runs in a row died without moving anything")
        source_reference = Reference.parse(record.source)
        targets = tuple(Reference.parse(target.reference) for target in record.targets)
        repositories = tuple(dict.fromkeys(target.repository for target in targets))
        source = self._clients.source(record)
        target = self._clients.target(targets[0].registry)

        meter(PhaseStarted(Phase.PLAN))
        plan, fresh = await self._plan(running, source, source_reference)
        times = len(repositories)
        meter(Planned(len(plan.blobs) * times, plan.size * times, len(plan.manifests) * times, fresh))
        await require_free_tags(target, targets, plan.root.digest, record.mode)
        deadline.check()

        meter(PhaseStarted(Phase.TRANSFER))
        tools = CopyTools(
            source, source_reference.repository, target, self._clients.registries, running, meter, deadline
        )
        same_registry = source_reference.registry == targets[0].registry
        transfer = Transfer(
            tools,
            self._slots,
            self._settings.parallel_transfers,
            source_reference.repository if same_registry else None,
        )
        await transfer.bring(plan.blobs, repositories)

        meter(PhaseStarted(Phase.COMMIT))
        commit = Commit(plan, target, meter, deadline)
        await commit.manifests(repositories)
        await require_free_tags(target, targets, plan.root.digest, record.mode)
        await commit.tags(targets, running.beat)
        return plan.root.digest

    async def _plan(self, running: RunningImport, source: RegistryClient, reference: Reference) -> tuple[Plan, bool]:
        """The kept plan of an earlier run, or a new one; the digest is decided by whoever keeps it first."""
        record = running.record
        kept = await self._plans.read(record.id)
        if kept is not None:
            plan, fresh = Plan.decode(kept), False
        else:
            made = await make_plan(source, reference)
            plan, fresh = Plan.decode(await self._plans.write_once(record.id, made.encode())), True
        if record.digest != plan.root.digest:
            digest = plan.root.digest
            await running.change(lambda record: replace(record, digest=digest).noting("Planned", digest))
        return plan, fresh

    # -- the ends of a run ---------------------------------------------------------------------------------------

    async def _succeeded(self, running: RunningImport, digest: str) -> None:
        def done(record: ImportRecord) -> ImportRecord:
            targets = tuple(replace(target, digest=digest) for target in record.targets)
            return replace(record, targets=targets, digest=digest).finished(Status.SUCCEEDED)

        await running.finish(done)
        await self._plans.delete(running.record.id)

    async def _continue(self, running: RunningImport) -> None:
        """Hand over to another invocation at once; twice in a row without progress is an error of its own."""
        moved = running.meter.advances > running.record.advances_at_claim
        stalls = 0 if moved else running.record.stalls + 1
        if stalls >= _STALLS_AT_MOST:
            await self._failed(running, NoProgressError(f"{stalls} runs in a row used up their time without progress"))
            return
        await running.hand_over(
            Handover.CONTINUE, 0, lambda record: replace(record, stalls=stalls).noting("HandedOver", "time slice over")
        )

    async def _retry_or_fail(self, running: RunningImport, error: TransloadError) -> None:
        """Sleep in the queue and try again, unless the error cannot pass or nothing has moved for too long."""
        moved = running.meter.advances > running.record.advances_at_claim
        retries = 1 if moved else running.record.retries + 1
        if not error.retryable or retries > _RETRIES_AT_MOST:
            await self._failed(running, error)
            return
        longest = min(_RETRY_AT_MOST_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** (retries - 1))
        pause = max(error.retry_after or 0.0, random.uniform(longest / 2, longest))  # noqa: S311 (jitter)
        until = now() + timedelta(seconds=pause)
        report = ErrorReport.of(error)
        await running.hand_over(
            Handover.RETRY,
            pause,
            lambda record: replace(record, retries=retries, error=report, waiting_until=until).noting(
                "Waiting", f"{error.code}; again in {pause:.0f} s"
            ),
        )

    async def _failed(self, running: RunningImport, error: TransloadError) -> None:
        await self._give_up_uploads(running)
        await running.finish(lambda record: record.finished(Status.FAILED, error))

    async def _canceled(self, running: RunningImport) -> None:
        await self._give_up_uploads(running)
        await running.finish(lambda record: record.finished(Status.CANCELED))

    async def _give_up_uploads(self, running: RunningImport) -> None:
        """Cancel the open upload sessions, so that they do not lie about at the target."""
        target = self._clients.target(Reference.parse(running.record.targets[0].reference).registry)
        for upload in running.uploads:
            await target.resume_upload(upload.repository, upload.digest, upload.location, upload.offset).cancel()
            running.forget(upload.repository, upload.digest)

    # -- fail: the poison queue's trigger ------------------------------------------------------------------------

    async def fail(self, body: bytes) -> None:
        """End the import of a message that the host gave up, so that it is not left `Running` for ever.

        A poisoned copy has another id than the message had; its attempt number tells whether it is the one that
        may act for the import, or one that was stale anyway.
        """
        error: TransloadError
        try:
            message = ImportMessage.decode(body, self._sealer)
        except UnreadableMessageError as unreadable:
            import_id, attempt, error = unreadable.import_id, None, unreadable
        else:
            import_id, attempt = message.import_id, message.attempt
            error = StorageUnavailableError(
                "the platform gave the import's message up after several deliveries",
                action="Look at the function's log for what stopped it; then send the request again.",
            )
        if import_id is None:
            _log.error("a poisoned message names no import: %s", error)
            return
        while (stored := await self._records.get(import_id)) is not None:
            record = stored.record
            if record.status.is_final or attempt not in {None, record.attempts}:
                return
            try:
                await self._records.replace(stored, record.finished(Status.FAILED, error))
            except RecordChangedError:
                continue
            return

    # -- cancel, read --------------------------------------------------------------------------------------------

    async def cancel(self, import_id: str) -> ImportRecord:
        """Ask an import to stop: at once where nobody has begun it, else within a heartbeat.

        Raises:
            ImportNotFoundError: There is no such import.
            ImportConflictError: It has ended already.
        """
        while True:
            stored = await self._stored(import_id)
            record = stored.record
            if record.status.is_final:
                raise ImportConflictError(f"the import has already ended: {record.status}")
            asked = replace(record, cancel_requested=True).noting("CancelRequested")
            if record.lease_id is None:
                asked = asked.finished(Status.CANCELED)
            try:
                await self._records.replace(stored, asked)
            except RecordChangedError:
                continue
            if record.lease_id and record.lease_receipt:
                await self._queue.wake(LeaseHandle(record.lease_id, record.lease_receipt))
            return asked

    async def get(self, import_id: str) -> ImportRecord:
        """Read a record.

        Raises:
            ImportNotFoundError: There is no such import.
        """
        return (await self._stored(import_id)).record

    async def newest(
        self, *, status: Status | None, top: int, after: str | None
    ) -> tuple[list[ImportRecord], str | None]:
        """List records, newest first; see `ImportRecords.newest`."""
        return await self._records.newest(status=status, top=top, after=after)

    async def _stored(self, import_id: str) -> StoredRecord:
        stored = await self._records.get(import_id) if is_import_id(import_id) else None
        if stored is None:
            raise ImportNotFoundError(
                f"there is no import '{import_id[:40]}'", action="Check the id; list the imports."
            )
        return stored

    def stop(self) -> None:
        """Hand every running import over now: the platform is ending this process."""
        for deadline in self._deadlines:
            deadline.stop()
