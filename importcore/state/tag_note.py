"""What this app knows about a target tag that rules write: which import may write it, and what it last put there.

A value; `storage/tag_notes.py` keeps it in a table, guarded by its ETag. `run/following.py` says what it is for.
"""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class TagNote:
    """About one target tag.

    Attributes:
        reference: The tag.
        holder: The id of the import that may write it; while that has not ended, no other import of a rule does.
        digest: What an import of a rule last put there, or was about to; None where that is not known, or not so now.
        source_digest: What the source tag stood on then; another one only where platforms were chosen.
        origins: Through which tags it came there, from the first to the source.
    """

    reference: str
    holder: str
    digest: str | None = None
    source_digest: str | None = None
    origins: tuple[str, ...] = ()

    def forgotten(self) -> Self:
        """The note without what was put there: something else stands there now."""
        return replace(self, digest=None, source_digest=None, origins=())
