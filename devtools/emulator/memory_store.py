"""MemoryStore: blobs and uploads that end with the process."""

import hashlib
import secrets
from collections.abc import Iterator

from devtools.emulator.grammar import algorithm_of
from devtools.emulator.store import PIECE, DigestMismatchError, Upload, UploadInfo


class MemoryUpload:
    """An upload in memory."""

    def __init__(self, store: "MemoryStore", info: UploadInfo) -> None:
        self._store = store
        self._data = bytearray()
        self.info = info

    @property
    def offset(self) -> int:
        """How many bytes are there."""
        return len(self._data)

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._data += data

    def pause(self) -> None:
        """Nothing to let go of."""

    def finish(self, digest: str) -> int:
        """Make it a blob, see `store.Upload`."""
        self.cancel()
        algorithm = algorithm_of(digest)
        if f"{algorithm}:{hashlib.new(algorithm, self._data).hexdigest()}" != digest:
            raise DigestMismatchError
        self._store.add(digest, bytes(self._data))
        return len(self._data)

    def cancel(self) -> None:
        """Forget it."""
        self._store.forget(self.info.uuid)


class MemoryStore:
    """All in dictionaries, see `store.Store`."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._blobs: dict[str, bytes] = {}
        self._uploads: dict[str, MemoryUpload] = {}

    def secret(self) -> bytes:
        """The signing key of this process."""
        return self._secret

    def blob_size(self, digest: str) -> int | None:
        """The size of a blob in bytes, None when there is none."""
        blob = self._blobs.get(digest)
        return None if blob is None else len(blob)

    def read_blob(self, digest: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        blob = self._blobs[digest]
        for first in range(start, stop, PIECE):
            yield blob[first : min(first + PIECE, stop)]

    def remove_blob(self, digest: str) -> None:
        """Forget a blob, if it is there."""
        self._blobs.pop(digest, None)

    def blobs(self) -> dict[str, int]:
        """All blobs with their sizes."""
        return {digest: len(blob) for digest, blob in self._blobs.items()}

    def start_upload(self, info: UploadInfo) -> Upload:
        """Open an upload."""
        upload = MemoryUpload(self, info)
        self._uploads[info.uuid] = upload
        return upload

    def upload(self, uuid: str) -> Upload | None:
        """The open upload of this name."""
        return self._uploads.get(uuid)

    def uploads(self) -> list[Upload]:
        """All open uploads."""
        return list(self._uploads.values())

    def add(self, digest: str, data: bytes) -> None:
        """Keep bytes under their digest."""
        self._blobs[digest] = data

    def forget(self, uuid: str) -> None:
        """Drop an upload."""
        self._uploads.pop(uuid, None)
