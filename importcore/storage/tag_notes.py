"""Notes about target tags in Table storage, in the table of the records: one entity a tag, guarded by its ETag.

Beside them stands, for what a rule means by an event, which import was made for it last; and which round of a rule with
a schedule was begun last.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from importcore.state.tag_note import TagNote
from importcore.storage.faults import storage_step

_TAGS = "tags"
_LATEST = "latest"
_ROUNDS = "rounds"


@dataclass(frozen=True, slots=True)
class StoredNote:
    """A note as it was read or written, with the ETag of that state."""

    note: TagNote
    etag: str


class TagNotes:
    """The notes. Every method raises `StorageUnavailableError` when the table does not answer."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def get(self, reference: str) -> StoredNote | None:
        """Read the note about a tag; None when there is none."""
        with storage_step("read the note about a tag"):
            try:
                entity = await self._client.get_entity(_TAGS, _key(reference))
            except ResourceNotFoundError:
                return None
        value = json.loads(entity["Note"])
        return StoredNote(TagNote(**{**value, "origins": tuple(value["origins"])}), str(entity.metadata["etag"]))

    async def write(self, stored: StoredNote | None, note: TagNote) -> StoredNote | None:
        """Write a note over the state that was read, or the first one.

        A write whose answer was lost is repeated by the SDK and refused, because it had its effect: what stands there
        then is what was to be written.

        Returns:
            None where another wrote it since; read it again and decide anew.
        """
        entity: dict[str, Any] = {
            "PartitionKey": _TAGS, "RowKey": _key(note.reference), "ImportId": note.holder,
            "Note": json.dumps(asdict(note)),
        }  # fmt: skip
        with storage_step("write the note about a tag"):
            try:
                if stored is None:
                    answer = await self._client.create_entity(entity)
                else:
                    answer = await self._client.update_entity(
                        entity,
                        mode=UpdateMode.REPLACE,
                        etag=stored.etag,
                        match_condition=MatchConditions.IfNotModified,
                    )
                return StoredNote(note, answer["etag"])
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
                standing = await self.get(note.reference)
                return standing if standing is not None and standing.note == note else None

    async def remove_older_than(self, import_id: str) -> int:
        """Remove what was written last for imports with an older id than this; answers how much it was."""
        removed = 0
        for partition in (_TAGS, _LATEST):
            condition = f"PartitionKey eq '{partition}' and ImportId gt @id"
            with storage_step("remove notes about tags"):
                async for entity in self._client.query_entities(condition, parameters={"id": import_id}):
                    try:
                        await self._client.delete_entity(
                            partition,
                            entity["RowKey"],
                            etag=entity.metadata["etag"],
                            match_condition=MatchConditions.IfNotModified,
                        )
                    except (ResourceModifiedError, ResourceNotFoundError):
                        continue
                    removed += 1
        return removed

    # -- which import was made last ------------------------------------------------------------------------------

    async def latest(self, meaning: str) -> str | None:
        """Give the id of the import that was made last for what a rule means; a hint, it may have ended long ago."""
        with storage_step("read which import was made last"):
            try:
                entity = await self._client.get_entity(_LATEST, _key(meaning))
            except ResourceNotFoundError:
                return None
        return str(entity["ImportId"])

    async def note_latest(self, meaning: str, import_id: str) -> None:
        """Note that an import was made for what a rule means."""
        with storage_step("note which import was made last"):
            await self._client.upsert_entity(
                {"PartitionKey": _LATEST, "RowKey": _key(meaning), "ImportId": import_id}, mode=UpdateMode.REPLACE
            )

    # -- which round of a rule was begun last ----------------------------------------------------------------------

    async def last_round(self, rule: str) -> int | None:
        """Give the number of the round of a rule that was begun last."""
        with storage_step("read the last round of a rule"):
            try:
                entity = await self._client.get_entity(_ROUNDS, _key(rule))
            except ResourceNotFoundError:
                return None
        return int(entity["Round"])

    async def note_round(self, rule: str, number: int) -> None:
        """Note that a round was begun."""
        with storage_step("note the round of a rule"):
            await self._client.upsert_entity(
                {"PartitionKey": _ROUNDS, "RowKey": _key(rule), "Round": number}, mode=UpdateMode.REPLACE
            )


def _key(text: str) -> str:
    """A reference has characters that a RowKey may not have."""
    return hashlib.sha256(text.encode()).hexdigest()
