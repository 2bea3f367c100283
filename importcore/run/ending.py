"""The four ends of a run: succeeded, handed over, put back for later, failed (or canceled by the user).

Step 5 of a run. A permanent error ends the import at once; one that may pass sends it to sleep in the queue, for as
long as the registry asks or for a growing while; a run that only ran out of time hands over. What happens again and
again without moving anything becomes an error of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from importcore.access.clients import ImportClients
from importcore.errors import NoProgressError, TransloadError
from importcore.jitter import jittered
from importcore.reference import Reference
from importcore.run.open_uploads import cancel_uploads
from importcore.run.running import RunningImport
from importcore.state.checkpoint import UploadState
from importcore.state.message import Handover
from importcore.state.record import ErrorReport, ImportRecord, Status, TargetResult, now
from importcore.storage.plans import Plans

DEATHS_AT_MOST = 5
_STALLS_AT_MOST = 2
_RETRIES_AT_MOST = 8
_FIRST_RETRY_SECONDS = 15.0
_RETRY_AT_MOST_SECONDS = 900.0
_LOOK_AGAIN_SECONDS = 5.0
_BEHIND_SECONDS = 3.0


class Ending:
    """Ends runs; raises `LeaseLostError` where another run has taken the import meanwhile."""

    def __init__(self, clients: ImportClients, plans: Plans) -> None:
        self._clients = clients
        self._plans = plans

    async def succeeded(self, running: RunningImport, targets: tuple[TargetResult, ...]) -> None:
        """Everything stands at the target, the tags last."""
        await running.finish(lambda record: replace(record, targets=targets).finished(Status.SUCCEEDED))
        await self._plans.delete(running.record.id)

    async def out_of_time(self, running: RunningImport) -> None:
        """Hand over to another invocation at once; twice in a row without progress is an error of its own."""
        stalls = 0 if running.has_progressed else running.record.stalls + 1
        if stalls >= _STALLS_AT_MOST:
            await self.failed(running, _without_progress(stalls, running.meter.whole))
            return
        await running.hand_over(
            Handover.CONTINUE,
            0,
            lambda record: replace(record, stalls=stalls).noting("HandedOver", "the time slice was over"),
        )

    async def look_again(self, running: RunningImport) -> None:
        """A parent sleeps until its children may have got further; this is no stall."""
        until = now() + timedelta(seconds=_LOOK_AGAIN_SECONDS)
        await running.hand_over(
            Handover.CONTINUE, _LOOK_AGAIN_SECONDS, lambda record: replace(record, waiting_until=until, stalls=0)
        )

    async def wait_behind(self, running: RunningImport, import_id: str) -> None:
        """Sleep, because another import of a rule holds a target tag; this is no stall."""
        until = now() + timedelta(seconds=_BEHIND_SECONDS)
        told = f"until the import {import_id} has ended"

        def waiting(record: ImportRecord) -> ImportRecord:
            known = record.history[-1].detail == told
            asleep = replace(record, waiting_until=until, behind=import_id, stalls=0)
            return asleep if known else asleep.noting("Waiting", told)

        await running.hand_over(Handover.CONTINUE, _BEHIND_SECONDS, waiting)

    async def met(self, running: RunningImport, error: TransloadError) -> None:
        """Sleep in the queue and try again, unless the error cannot pass or nothing has moved for too long."""
        retries = 1 if running.has_progressed else running.record.retries + 1
        if not error.retryable or retries > _RETRIES_AT_MOST:
            await self.failed(running, error)
            return
        longest = min(_RETRY_AT_MOST_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** (retries - 1))
        pause = jittered(longest, error.retry_after)
        until = now() + timedelta(seconds=pause)
        report = ErrorReport.of(error)
        await running.hand_over(
            Handover.RETRY,
            pause,
            lambda record: replace(record, retries=retries, error=report, waiting_until=until).noting(
                "Waiting", f"{error.code}; again in {pause:.0f} s"
            ),
        )

    async def failed(self, running: RunningImport, error: TransloadError) -> None:
        """End the import with the true reason, and leave no open upload behind."""
        await self.give_up_uploads(running.record, running.uploads)
        await running.finish(lambda record: record.finished(Status.FAILED, error))
        await self._plans.delete(running.record.id)

    async def canceled(self, running: RunningImport) -> None:
        """End the import because the user wants so; nothing was tagged."""
        await self.give_up_uploads(running.record, running.uploads)
        await running.finish(lambda record: record.finished(Status.CANCELED))
        await self._plans.delete(running.record.id)

    async def give_up_uploads(self, record: ImportRecord, uploads: Sequence[UploadState]) -> None:
        """Cancel the upload sessions of an import that has failed; one that cannot be canceled ends by itself."""
        if not uploads:
            return
        target = self._clients.target(Reference.parse(record.targets[0].reference).registry)
        await cancel_uploads(target, uploads)


def _without_progress(runs: int, whole: Mapping[str, int]) -> NoProgressError:
    """Say what the time went into, where that is known."""
    said = f"{runs} runs in a row used up their time without progress"
    if not whole:
        return NoProgressError(said)
    digest, size = max(whole.items(), key=lambda item: item[1])
    return NoProgressError(
        f"{said}: the target takes no chunks, and {digest} ({size} bytes) did not pass in one request",
        action="Raise TRANSLOAD_SLICE_SECONDS (and functionTimeout in host.json), or lower the number of parallel "
        "transfers: each layer must pass within one time slice.",
    )
