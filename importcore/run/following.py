"""Imports that follow a tag: they end with the target on what the source tag stands on then, whoever else pushes.

An import that a rule made resolves its tag when it runs, not when the event came, so the order of events means nothing.
What remains is two imports that run at once, and a tag that moves while one runs. The rule:

1. At any moment one import of a rule may write a target tag (`TagNote.holder`); another one sleeps until it has ended.
2. Right before the tags move, the source tag is asked for again; where it has moved, the import plans anew.
3. After the tags have moved, it is asked for once more; where it has moved, the import plans anew.

So an older digest is written over a newer one neither by two imports (1) nor by one that is late (2); and whatever was
written last was compared with the source after it was written (3): a push after that comparison has an event of its
own. `docs/decisions/0018` says what this does not cover.

An import whose image came from its own target, through other rules, writes nothing: it would only lead back.
"""

from dataclasses import replace

from importcore.errors import LeaseLostError, TransloadError
from importcore.phases.plan import Plan
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.run.running import RunningImport
from importcore.state.record import ImportRecord
from importcore.state.tag_note import TagNote
from importcore.storage.records import ImportRecords
from importcore.storage.tag_notes import StoredNote, TagNotes

ROUNDS_AT_MOST = 5
_ORIGINS_AT_MOST = 8


class SourceMovedError(Exception):
    """The source tag stands on something else than what was planned; plan anew."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


class EndlessRulesError(TransloadError):
    """An image went through so many rules that they must be a circle that changes its name at each turn."""

    code = "endless_rules"
    default_action = "Look at the rules: the target of one is the source of another, and the names grow."


class Following:
    """What is special about the imports of rules; every step lets all others pass."""

    def __init__(self, records: ImportRecords, notes: TagNotes) -> None:
        self._records = records
        self._notes = notes

    async def waits_for(self, record: ImportRecord) -> str | None:
        """Make this import the one that may write its target tags.

        Returns:
            The id of the import that may write one of them now, where that has not ended; None where all is taken.
            Tags are taken in the order of their names, so that no two imports wait for each other.
        """
        if not record.follows or record.cancel_requested:
            return None
        for reference in sorted(target.reference for target in record.targets):
            while True:
                stored = await self._notes.get(reference)
                holder = stored.note.holder if stored else None
                if holder == record.id:
                    break
                if holder is not None and await self._is_under_way(holder):
                    return holder
                note = replace(stored.note, holder=record.id) if stored else TagNote(reference, record.id)
                if await self._notes.write(stored, note) is not None:
                    break
        return None

    async def _is_under_way(self, import_id: str) -> bool:
        stored = await self._records.get(import_id)
        return stored is not None and not stored.record.status.is_final

    # -- where an image came from ----------------------------------------------------------------------------------

    async def note_about(self, record: ImportRecord, source: Reference) -> StoredNote | None:
        """Read the note about a source; to be read before the source is asked what it stands on."""
        return await self._notes.get(str(source)) if record.follows else None

    async def _origins(self, source: Reference, digest: str, known: StoredNote | None) -> tuple[str, ...]:
        """Say through which tags the image at a source came there; empty where somebody pushed it."""
        if known is None or known.note.digest != digest:
            if known is not None and known.note.digest and not await self._is_under_way(known.note.holder):
                await self._notes.write(known, known.note.forgotten())  # somebody pushed something else there
            known = await self._notes.get(str(source))  # or an import of ours has just written it
        return known.note.origins if known is not None and known.note.digest == digest else ()

    async def not_led_back(
        self, running: RunningImport, source: Reference, plan: Plan, known: StoredNote | None
    ) -> tuple[str, ...] | None:
        """Leave out the targets that the image came from.

        Args:
            running: The import.
            source: Its source.
            plan: Its plan.
            known: The note about the source, as it was before the source was asked what it stands on.

        Returns:
            Through which tags it came to its targets; None where no target is left.

        Raises:
            EndlessRulesError: They are too many.
        """
        if not running.record.follows:
            return ()
        origins = await self._origins(source, plan.source_digest, known)
        if len(origins) >= _ORIGINS_AT_MOST:
            raise EndlessRulesError(f"the image came through {len(origins)} rules: {' → '.join(origins)}")
        left = tuple(target for target in running.record.targets if target.reference not in origins)
        if left != running.record.targets:
            back = ", ".join(target.reference for target in running.record.targets if target not in left)
            await running.change(
                lambda record: replace(record, targets=left or record.targets).noting("Echo", f"it came from {back}")
            )
        return (*origins, str(source)) if left else None

    # -- around the tags -------------------------------------------------------------------------------------------

    async def before_tags(
        self, running: RunningImport, source: RegistryClient, wanted: Reference, plan: Plan, origins: tuple[str, ...]
    ) -> None:
        """Compare with the source once more, and note what will stand at the targets.

        Raises:
            SourceMovedError: Nothing was written.
            LeaseLostError: Another import holds a target tag: this run slept for longer than its lease.
        """
        if not running.record.follows:
            return
        await self.compare(running.record, source, wanted, plan)
        for target in running.record.targets:
            stored = await self._notes.get(target.reference)
            if stored is None or stored.note.holder != running.record.id:
                raise LeaseLostError("another import holds a target tag")
            note = replace(stored.note, digest=plan.root.digest, source_digest=plan.source_digest, origins=origins)
            if note != stored.note and await self._notes.write(stored, note) is None:
                raise LeaseLostError("another import holds a target tag")

    async def compare(self, record: ImportRecord, source: RegistryClient, wanted: Reference, plan: Plan) -> None:
        """Ask what the source tag stands on now. A tag that is gone has not moved: nothing is deleted here.

        Raises:
            SourceMovedError: Something else than what was planned.
        """
        if not record.follows or wanted.digest is not None or wanted.tag is None:
            return
        standing = await source.head_manifest(wanted.repository, wanted.tag)
        if standing not in {plan.source_digest, None}:
            raise SourceMovedError(standing)
