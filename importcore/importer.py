"""The path of an import, from its message to its end. Start reading here.

A run is one invocation of the queue trigger: claim the import (`claim.py`), bring it through the three phases
(`planning.py`, `transfer.py`, `commit.py`) under its heartbeat (`running.py`), end the run (`ending.py`). Whatever dies
on the way, the lease message brings the import back with its checkpoint.
"""

import asyncio
import logging
from dataclasses import replace
from functools import partial

from importcore.access.clients import ImportClients
from importcore.deadline import Deadline, OutOfTime
from importcore.errors import LeaseLostError, NoProgressError, TransloadError
from importcore.phases.attach import Attach
from importcore.phases.blob_copy import CopyTools
from importcore.phases.commit import Commit
from importcore.phases.plan import Plan, decode_manifests, encode_manifests
from importcore.phases.planning import TAGS_AT_MOST, make_plan, require_free_tags, tags_of_digest
from importcore.phases.signature_gate import require_signatures
from importcore.phases.transfer import Transfer
from importcore.phases.verify import verify
from importcore.policy.door import PolicyDoor
from importcore.policy.policies import Policies
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.request.selection import Selection
from importcore.run.claim import Claims
from importcore.run.ending import DEATHS_AT_MOST, Ending
from importcore.run.expansion import Expansion
from importcore.run.following import ROUNDS_AT_MOST, Following, SourceMovedError
from importcore.run.outbox import Outbox
from importcore.run.running import CancelRequested, RunningImport
from importcore.sealing import Sealer
from importcore.settings.model import Settings
from importcore.state.message import ImportMessage
from importcore.state.progress import PartlyPlanned, Phase, PhaseStarted, Planned
from importcore.state.record import ImportRecord, TargetResult, told_referrers
from importcore.storage.plans import Plans
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords

_log = logging.getLogger("transload")
_SIGNED = "SignatureVerified"


class Importer:
    """Runs imports; everything it needs is built in `wiring.py`."""

    def __init__(
        self,
        *,
        settings: Settings,
        records: ImportRecords,
        queue: ImportQueue,
        outbox: Outbox,
        plans: Plans,
        sealer: Sealer,
        clients: ImportClients,
        policies: Policies,
        following: Following,
        worker: str,
    ) -> None:
        """Take what a run needs; `worker` names this process, for the record's history."""
        self._settings = settings
        self._records = records
        self._plans = plans
        self._sealer = sealer
        self._clients = clients
        self._policies = policies
        self._following = following
        self._claims = Claims(records, queue, sealer, outbox, lease_seconds=settings.lease_seconds, worker=worker)
        self._ending = Ending(clients, plans)
        self._expansion = Expansion(records, queue, sealer, clients)
        self._slots = asyncio.Semaphore(settings.parallel_transfers)
        self._deadlines: set[Deadline] = set()

    async def run(self, body: bytes, message_id: str) -> None:
        """Go on with the import that a message is about; a stale message is dropped.

        Raises:
            UnreadableMessageError: The host puts the message into the poison queue; see `run/poison.py`.
            StorageUnavailableError: The host delivers the message again.
            ConfigurationError: So it does, in case the policy is corrected meanwhile.
        """
        door = await self._policies.door()  # before the claim: a wrong policy must not fail what it knows nothing of
        running = await self._claims.claim(ImportMessage.decode(body, self._sealer), message_id)
        if running is None:
            _log.info("dropped a stale message")
            return
        deadline = Deadline(self._settings.slice_seconds)
        self._deadlines.add(deadline)
        try:
            try:
                targets = await self._go_on(running, door, deadline)
            except OutOfTime:
                await self._ending.out_of_time(running)
            except CancelRequested:
                if running.record.selection is not None:
                    await self._expansion.cancel_children(running.record)
                await self._ending.canceled(running)
            except LeaseLostError:
                raise
            except TransloadError as error:
                await self._ending.met(running, error)
            else:
                if targets is not None:
                    await self._ending.succeeded(running, targets)
        except LeaseLostError as error:
            _log.warning("import %s: %s; this run stops", running.record.id, error)
        finally:
            self._deadlines.discard(deadline)

    async def _go_on(
        self, running: RunningImport, door: PolicyDoor, deadline: Deadline
    ) -> tuple[TargetResult, ...] | None:
        """Do what this run is for; answers what stands at the targets, or None where another run goes on."""
        if running.record.selection is not None:
            await self._expand(running, running.record.selection, door, deadline)
            return None
        if holder := await self._following.waits_for(running.record):
            await self._ending.wait_behind(running, holder)
            return None
        try:
            return await running.guarded(self._bring(running, door, deadline), deadline)
        except SourceMovedError:
            await self._ending.look_again(running)
            return None

    async def _bring(self, running: RunningImport, door: PolicyDoor, deadline: Deadline) -> tuple[TargetResult, ...]:
        """The three phases, again where the import follows a tag that moved; answers the targets with their digests."""
        rounds = 0
        while True:
            try:
                return await self._bring_once(running, door, deadline)
            except SourceMovedError as moved:
                rounds += 1
                noting = partial(ImportRecord.noting, event="SourceMoved", detail=moved.digest)
                await running.beat()  # the fence: the plan of a run that took over stays
                await self._plans.delete(running.record.id)
                await running.change(noting)
                if rounds == ROUNDS_AT_MOST:
                    raise

    async def _bring_once(
        self, running: RunningImport, door: PolicyDoor, deadline: Deadline
    ) -> tuple[TargetResult, ...]:
        """The three phases; answers the targets with what they stand on."""
        record, meter = running.record, running.meter
        if record.cancel_requested:
            raise CancelRequested
        if record.deaths >= DEATHS_AT_MOST:
            raise NoProgressError(f"{record.deaths} runs in a row died without moving anything")
        wanted = Reference.parse(record.source)
        for each in record.targets:
            door.require_route(record.asked_by, wanted, Reference.parse(each.reference))
        source = self._clients.source(record)

        meter(PhaseStarted(Phase.PLAN))
        note = await self._following.note_about(record, wanted)
        plan, fresh = await self._plan(running, source, wanted)
        origins = await self._following.not_led_back(running, wanted, plan, note)
        if origins is None:
            return running.record.targets
        targets = tuple(Reference.parse(target.reference) for target in running.record.targets)
        door.require_tags(record.asked_by, len(targets))
        door.require_size(record.asked_by, manifests=len(plan.manifests), size=plan.size)
        await self._require_signatures(running, door, source, plan)
        repositories = tuple(dict.fromkeys(target.repository for target in targets))
        target = self._clients.target(targets[0].registry)
        digest, times = plan.root.digest, len(repositories)
        meter(Planned(len(plan.blobs) * times, plan.size * times, len(plan.manifests) * times, fresh))
        await require_free_tags(target, targets, digest, record.mode)
        deadline.check()

        meter(PhaseStarted(Phase.TRANSFER))
        tools = CopyTools(source, wanted.repository, target, self._clients.registries, running, meter, deadline)
        mount_from = wanted.repository if wanted.registry == targets[0].registry else None
        transfer = Transfer(tools, self._slots, self._settings.parallel_transfers, mount_from)
        await transfer.bring(plan.blobs, repositories)

        meter(PhaseStarted(Phase.COMMIT))
        commit = Commit(plan, target, meter, deadline)
        await commit.manifests(repositories)
        await Attach(plan, target, record.mode).to(repositories)
        await require_free_tags(target, targets, digest, record.mode)
        await self._following.before_tags(running, source, wanted, plan, origins)
        done = await commit.tags(running.record.targets, running.beat, record.options.backup_tag)
        if record.options.verify:
            meter(PhaseStarted(Phase.VERIFY))
            await verify(plan, target, targets)
        await self._following.compare(record, source, wanted, plan)
        return done

    async def _require_signatures(
        self, running: RunningImport, door: PolicyDoor, source: RegistryClient, plan: Plan
    ) -> None:
        """Let nothing move that the policy wants signed and is not; the record says once by whom it was."""
        wanted = Reference.parse(running.record.source)
        targets = tuple(Reference.parse(target.reference) for target in running.record.targets)
        keys = [rule.keys for rule in door.signatures_for(wanted, targets)]
        signers = await require_signatures(source, wanted.repository, plan, keys, running.record.options.platforms)
        if signers and not any(event.event == _SIGNED for event in running.record.history):
            by = f"by the key {' and the key '.join(signers)}"
            await running.change(lambda record: record.noting(_SIGNED, by))

    async def _expand(self, running: RunningImport, selection: Selection, door: PolicyDoor, deadline: Deadline) -> None:
        """A parent's run: make the children, count them, and sleep until it is worth counting again."""
        if running.record.cancel_requested:
            raise CancelRequested
        counts = await running.guarded(self._expansion.go_on(running, selection, door), deadline)
        if not counts.are_over:
            await self._ending.look_again(running)
        elif counts.succeeded == counts.total:
            await self._ending.succeeded(running, running.record.targets)
        else:
            await self._ending.failed(running, await self._expansion.failures(running.record))

    async def _plan(self, running: RunningImport, source: RegistryClient, wanted: Reference) -> tuple[Plan, bool]:
        """The kept plan of an earlier run, or a new one; whoever keeps it first decides the digest."""
        record = running.record
        kept = await self._plans.read(record.id)
        if kept is not None:
            plan, fresh = Plan.decode(kept), False
        else:
            made = await self._make_plan(running, source, wanted)
            written = made.encode()
            kept = await self._plans.write_once(record.id, written)
            plan, fresh = made if kept is written else Plan.decode(kept), True  # a large one takes seconds to read
        if record.digest != plan.root.digest:
            beside: tuple[str, ...] = ()
            if record.options.same_digest:
                left = TAGS_AT_MOST + 1 - len(record.targets)
                beside = await tags_of_digest(source, wanted.repository, plan.source_digest, at_most=left)
            await running.change(lambda record: _planned(record, plan, beside))
        return plan, fresh

    async def _make_plan(self, running: RunningImport, source: RegistryClient, wanted: Reference) -> Plan:
        """Make the plan; what an interruption leaves is kept, so that no manifest is asked for twice."""
        import_id = running.record.id
        draft = await self._plans.read_draft(import_id) if running.record.retries else None
        known = decode_manifests(draft) if draft else {}
        before = len(known)
        try:
            return await make_plan(source, wanted, running.record.options, known)
        except TransloadError as error:
            if error.retryable and len(known) > before:
                await self._plans.write_draft(import_id, encode_manifests(known.values()))
                running.meter(PartlyPlanned(len(known) - before))
            raise

    def stop(self) -> None:
        """Hand every running import over now: the platform is ending this process."""
        for deadline in self._deadlines:
            deadline.stop()


def _planned(record: ImportRecord, plan: Plan, beside: tuple[str, ...]) -> ImportRecord:
    """The record with what the plan decided; it says so where the digest will not be the source's.

    Args:
        record: As it was.
        plan: The plan.
        beside: Tags that stand on the same digest at the source and are wanted, too.
    """
    first = Reference.parse(record.targets[0].reference)
    more = (TargetResult(str(replace(first, tag=tag))) for tag in beside)
    known = replace(
        record,
        digest=plan.root.digest,
        source_digest=plan.source_digest,
        referrers=told_referrers(plan.referrers),
        targets=tuple(dict.fromkeys((*record.targets, *more))),
    ).noting("Planned", plan.root.digest)
    if plan.root.digest == plan.source_digest:
        return known
    return known.noting(
        "PlatformsChosen", f"a smaller index, with its own digest; the source's is {plan.source_digest}"
    )
