"""The store of bytes: blobs by digest, and the uploads that will become blobs. Two kinds: memory and disk.

Which repository a blob belongs to is the catalog's business (`catalog.py`); here every blob exists once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

PIECE = 1 << 20
"""Bytes are read in pieces of this size: large enough for throughput, small enough for memory."""


class DigestMismatchError(Exception):
    """The uploaded bytes have another digest than the closing request said; the upload is gone."""


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """What is known of an upload from its start.

    Attributes:
        uuid: Its name.
        repository: Where it was started.
        started_at: Unix time in seconds.
    """

    uuid: str
    repository: str
    started_at: float


class Upload(Protocol):
    """One open upload; bytes are only ever appended."""

    @property
    def info(self) -> UploadInfo:
        """What is known from its start."""

    @property
    def offset(self) -> int:
        """How many bytes are there."""

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""

    def pause(self) -> None:
        """Let go of open files; the next `append` takes them up again."""

    def finish(self, digest: str) -> int:
        """Make it a blob; afterwards the upload is gone.

        Returns:
            The blob's size.

        Raises:
            DigestMismatchError: The bytes have another digest.
        """

    def cancel(self) -> None:
        """Forget it."""


class Store(Protocol):
    """Blobs and uploads."""

    def secret(self) -> bytes:
        """The key that signs upload states, tokens and data URLs; it lasts as long as the content."""

    def blob_size(self, digest: str) -> int | None:
        """The size of a blob in bytes, None when there is none."""

    def read_blob(self, digest: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`, in pieces of at most `PIECE`."""

    def remove_blob(self, digest: str) -> None:
        """Forget a blob, if it is there."""

    def blobs(self) -> dict[str, int]:
        """All blobs with their sizes."""

    def start_upload(self, info: UploadInfo) -> Upload:
        """Open an upload."""

    def upload(self, uuid: str) -> Upload | None:
        """The open upload of this name."""

    def uploads(self) -> list[Upload]:
        """All open uploads."""
