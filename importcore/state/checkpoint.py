"""The checkpoint: the hint that travels in the lease message, so that another process can go on where this one was.

It holds only what the target cannot be asked for: which upload sessions are open and how far the target has
acknowledged them. Losing it costs time and never correctness, because everything else is asked again.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from importcore.errors import ContentError
from importcore.sealing import Sealer

VERSION = 1
BYTES_AT_MOST = 40 * 1024
"""A queue message holds 48 KiB before base64; the rest of the message needs less than 1 KiB."""
_LOCATION_AT_MOST = 4 * 1024
_SEALING_OVERHEAD = 256


@dataclass(frozen=True, slots=True)
class UploadState:
    """One open upload session.

    Attributes:
        digest: The blob's digest.
        repository: The repository at the target that the session belongs to.
        location: The latest Location that the target answered; a secret, it can carry signed state.
        offset: Bytes that the target has acknowledged.
    """

    digest: str
    repository: str
    location: str = field(repr=False)
    offset: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The open uploads of an import."""

    uploads: tuple[UploadState, ...] = ()

    def to_json(self, sealer: Sealer, import_id: str) -> dict[str, Any]:
        """Encode it, with the upload sessions sealed and never larger than `BYTES_AT_MOST`.

        Where that is too small, the sessions that have got least far are left out: their blobs start again.
        """
        kept = [u for u in self.uploads if len(u.location) <= _LOCATION_AT_MOST]
        kept.sort(key=lambda upload: upload.offset, reverse=True)
        rows = [json.dumps([u.digest, u.repository, u.location, u.offset], separators=(",", ":")) for u in kept]
        text, fitting = "", 0
        for row in rows:
            if _sealed_size(len(text) + len(row) + 2) > BYTES_AT_MOST:
                break
            text, fitting = f"{text},{row}" if text else row, fitting + 1
        return {"v": VERSION, "uploads": sealer.seal(f"[{text}]".encode(), import_id) if fitting else ""}

    @classmethod
    def from_json(cls, value: object, sealer: Sealer, import_id: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ContentError: It is not a checkpoint, or one of a version that this code does not know.
            ConfigurationError: It is sealed with a key that is not there.
        """
        if not isinstance(value, dict) or value.get("v") != VERSION or not isinstance(value.get("uploads"), str):
            version = value.get("v") if isinstance(value, dict) else None
            raise ContentError(f"the message holds no checkpoint of version {VERSION} (its version: {version!r:.20})")
        if not value["uploads"]:
            return cls()
        rows = json.loads(sealer.open(value["uploads"], import_id))
        return cls(tuple(UploadState(*row) for row in rows))


def _sealed_size(characters: int) -> int:
    """An upper bound of what sealing makes of a text: key id, nonce and tag, then base64. JSON escapes to ASCII."""
    return _SEALING_OVERHEAD + (characters + 2) * 4 // 3


class CheckpointLog(Protocol):
    """Where the transfer notes its open uploads; the running import stands behind it."""

    def open_upload(self, repository: str, digest: str) -> UploadState | None:
        """The session that an earlier run left open for this blob, or this run noted."""

    async def note(self, upload: UploadState, *, at_once: bool = False) -> None:
        """Note a session and how far it is acknowledged; written soon, or before returning where `at_once`.

        Raises:
            LeaseLostError: Another run owns the import; stop.
        """

    def forget(self, repository: str, digest: str) -> None:
        """The session is closed or lost."""
