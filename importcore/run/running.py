"""An import that this process runs: its lease message, its record, its checkpoint, and the heartbeat that keeps them.

A heartbeat rewrites the lease message (new checkpoint, invisible for another lease time) and then the record
(progress for whoever looks). It happens when a checkpoint was noted, at most every two seconds, and at the latest
every third of the lease time; where losing the note would cost more than one chunk, before going on. A heartbeat
that the queue refuses means that another run owns the import: this one stops at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from importcore.deadline import Deadline, OutOfTime
from importcore.errors import LeaseLostError, StorageUnavailableError
from importcore.run.outbox import Outbox
from importcore.sealing import Sealer
from importcore.state.checkpoint import Checkpoint, UploadState
from importcore.state.message import Handover, ImportMessage
from importcore.state.progress import ProgressMeter
from importcore.state.record import ImportRecord, now
from importcore.storage.queue import ImportQueue, LeaseHandle
from importcore.storage.records import ImportRecords, RecordChangedError, StoredRecord

_BEAT_AT_MOST_EVERY = 2.0
_OVERTIME_AT_MOST = 20.0
"""Seconds a chunk may take to its end after the time slice is over; then it is given up."""

T = TypeVar("T")


class CancelRequested(Exception):  # noqa: N818 (no error: somebody asked for it)
    """The user asked to cancel the import; the run stops, cleans up and says so."""


class RunningImport:
    """The right to act for one import, and what the run knows about it."""

    def __init__(
        self,
        *,
        records: ImportRecords,
        queue: ImportQueue,
        sealer: Sealer,
        outbox: Outbox,
        stored: StoredRecord,
        lease: LeaseHandle,
        checkpoint: Checkpoint,
        lease_seconds: float,
    ) -> None:
        self._records = records
        self._queue = queue
        self._sealer = sealer
        self._outbox = outbox
        self._stored = stored
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._uploads = {(upload.repository, upload.digest): upload for upload in checkpoint.uploads}
        self._noted = asyncio.Event()
        self._one_beat = asyncio.Lock()
        self._last_beat = asyncio.get_running_loop().time()
        self.meter = ProgressMeter(stored.record.bytes_sent, stored.record.advances)

    @property
    def record(self) -> ImportRecord:
        """The record as this run last read or wrote it."""
        return self._stored.record

    @property
    def uploads(self) -> tuple[UploadState, ...]:
        """The open upload sessions."""
        return tuple(self._uploads.values())

    @property
    def has_progressed(self) -> bool:
        """Whether this run moved anything that will not have to be done again."""
        return self.meter.advances > self.record.advances_at_claim

    # -- the checkpoint log --------------------------------------------------------------------------------------

    def open_upload(self, repository: str, digest: str) -> UploadState | None:
        """See `CheckpointLog`."""
        return self._uploads.get((repository, digest))

    async def note(self, upload: UploadState, *, at_once: bool = False) -> None:
        """See `CheckpointLog`."""
        self._uploads[upload.repository, upload.digest] = upload
        if at_once:
            await self.beat()
        else:
            self._noted.set()

    def forget(self, repository: str, digest: str) -> None:
        """See `CheckpointLog`."""
        self._uploads.pop((repository, digest), None)
        self._noted.set()

    # -- the heartbeat -------------------------------------------------------------------------------------------

    async def guarded(self, work: Awaitable[T], deadline: Deadline) -> T:
        """Do the work of a run under its heartbeat, and stop it where it must not go on.

        Raises:
            LeaseLostError: Another run owns the import.
            CancelRequested: The user wants it to stop.
            OutOfTime: The slice is over and the chunk under way did not end in time, or the process must end.
        """
        task = asyncio.ensure_future(work)
        heartbeat = asyncio.create_task(self._keep_alive())
        clock = asyncio.create_task(_until_over(deadline))
        try:
            await asyncio.wait({task, heartbeat, clock}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            (heartbeat if heartbeat.done() else clock).result()  # raises why the work must stop
            raise RuntimeError("a heartbeat ended without a reason")
        finally:
            for each in (task, heartbeat, clock):
                each.cancel()
            await asyncio.gather(task, heartbeat, clock, return_exceptions=True)

    async def _keep_alive(self) -> None:
        pause = min(_BEAT_AT_MOST_EVERY, self._lease_seconds / 4)
        while True:
            try:
                async with asyncio.timeout(self._lease_seconds / 3):
                    await self._noted.wait()
                    await asyncio.sleep(self._last_beat + pause - asyncio.get_running_loop().time())
            except TimeoutError:
                pass
            await self._beat_while_the_lease_lasts()

    async def _beat_while_the_lease_lasts(self) -> None:
        """Beat; while storage does not answer, try again until the lease may have ended."""
        while True:
            try:
                return await self.beat()
            except StorageUnavailableError as error:
                over = self._last_beat + self._lease_seconds * 0.8
                if asyncio.get_running_loop().time() > over:
                    raise LeaseLostError(
                        "storage did not answer for so long that another may own the import"
                    ) from error
                await asyncio.sleep(min(1.0, self._lease_seconds / 10))

    async def beat(self) -> None:
        """Renew the lease with the checkpoint as it is now, then the record. The fence before anything irreversible.

        Raises:
            LeaseLostError: Another run owns the import.
            CancelRequested: The user wants it to stop.
            StorageUnavailableError: No answer.
        """
        async with self._one_beat:
            self._noted.clear()
            began = asyncio.get_running_loop().time()
            self._lease = await self._queue.update(
                self._lease, self._body(Handover.HELD), visible_in=self._lease_seconds
            )
            self._last_beat = began
            await self._change(self._with_progress)
        if self.record.cancel_requested:
            raise CancelRequested

    # -- the end of a run ----------------------------------------------------------------------------------------

    async def hand_over(
        self, handover: Handover, visible_in: float, change: Callable[[ImportRecord], ImportRecord]
    ) -> None:
        """Let go of the import: another run goes on from the checkpoint after `visible_in` seconds.

        The message first, because it is what matters; the record then tells of it. Whoever takes the message over
        in between finds the record as the last heartbeat left it, which is as good.
        """
        async with self._one_beat:
            self._lease = await self._queue.update(self._lease, self._body(handover), visible_in=visible_in)
            receipt = self._lease.receipt
            await self._change(lambda record: replace(change(self._with_progress(record)), lease_receipt=receipt))

    async def finish(self, change: Callable[[ImportRecord], ImportRecord]) -> None:
        """End the import: the record first, then those who wait for it are told, then the lease message goes."""
        async with self._one_beat:
            await self._change(lambda record: change(self._with_progress(record)))
            await self._outbox.post(self.record)
            await self._queue.delete(self._lease)

    def _body(self, handover: Handover) -> str:
        checkpoint = Checkpoint(self.uploads)
        return ImportMessage(self.record.id, handover, self.record.attempts, checkpoint).encode(self._sealer)

    def _with_progress(self, record: ImportRecord) -> ImportRecord:
        return replace(
            record,
            progress=self.meter.snapshot(),
            phase=self.meter.phase,
            bytes_sent=self.meter.bytes_sent,
            advances=self.meter.advances,
            updated_at=now(),
        )

    async def change(self, change: Callable[[ImportRecord], ImportRecord]) -> None:
        """Write a change into the record.

        Raises:
            LeaseLostError: The record names another owner, is finished, or is gone.
        """
        async with self._one_beat:
            await self._change(change)

    async def _change(self, change: Callable[[ImportRecord], ImportRecord]) -> None:
        while True:
            try:
                self._stored = await self._records.replace(self._stored, change(self.record))
            except RecordChangedError:
                stored = await self._records.get(self.record.id)
                if stored is None or stored.record.status.is_final or stored.record.lease_id != self._lease.id:
                    raise LeaseLostError("the record names another owner") from None
                self._stored = stored  # the user asked to cancel, or somebody dropped a stale message
            else:
                return


async def _until_over(deadline: Deadline) -> None:
    """End with `OutOfTime`: at once when the process must end, else when the overtime is over, too."""
    while not deadline.stopped:
        left = deadline.remaining
        try:
            async with asyncio.timeout(left or _OVERTIME_AT_MOST):
                await deadline.wait_stopped()
        except TimeoutError:
            if not left:
                raise OutOfTime from None
    raise OutOfTime
