"""DiskStore: blobs and uploads that survive the process, however it ends.

secret.key                    signs upload states and tokens, so that they outlive a restart too
blobs/{algorithm}/{ab}/{hex}  one file per blob
uploads/{uuid}/data           appended while it streams in; its length is the upload's offset
uploads/{uuid}/upload.json    what is known from the start
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from io import FileIO
from pathlib import Path

from devtools.emulator.grammar import algorithm_of
from devtools.emulator.store import PIECE, DigestMismatchError, Upload, UploadInfo


class DiskUpload:
    """An upload in a folder.

    The sha256 is computed as bytes arrive. An upload that an earlier process began has no such state, and a closing
    digest of another algorithm has no use for it: then the file is read once more at the end.
    """

    def __init__(self, store: "DiskStore", info: UploadInfo, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._data = folder / "data"
        self._file: FileIO | None = None
        self.info = info
        self.offset = self._data.stat().st_size
        self._sha256 = hashlib.sha256() if self.offset == 0 else None

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        if self._file is None:
            self._file = FileIO(self._data, "ab")
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self.offset += len(data)
        if self._sha256 is not None:
            self._sha256.update(data)

    def pause(self) -> None:
        """Close the file until the next `append`."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def finish(self, digest: str) -> int:
        """Make it a blob, see `store.Upload`."""
        self.pause()
        if self._digest(algorithm_of(digest)) != digest:
            self.cancel()
            raise DigestMismatchError
        target = self._store.blob_path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._data.replace(target)
        self.cancel()
        return self.offset

    def cancel(self) -> None:
        """Forget it."""
        self.pause()
        self._store.forget(self.info.uuid)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _digest(self, algorithm: str) -> str:
        if algorithm == "sha256" and self._sha256 is not None:
            return f"sha256:{self._sha256.hexdigest()}"
        with self._data.open("rb") as file:
            return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


class DiskStore:
    """All in files below one folder, see `store.Store`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "uploads").mkdir(parents=True, exist_ok=True)
        (folder / "blobs").mkdir(exist_ok=True)
        self._uploads: dict[str, DiskUpload] = {}
        for path in (folder / "uploads").iterdir():
            description = path / "upload.json"
            if description.exists():
                info = UploadInfo(**json.loads(description.read_bytes()))
                self._uploads[info.uuid] = DiskUpload(self, info, path)

    def secret(self) -> bytes:
        """The signing key of this folder."""
        path = self._folder / "secret.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        return path.read_bytes()

    def blob_size(self, digest: str) -> int | None:
        """The size of a blob in bytes, None when there is none."""
        path = self.blob_path(digest)
        return path.stat().st_size if path.exists() else None

    def read_blob(self, digest: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        with self.blob_path(digest).open("rb", buffering=0) as file:
            file.seek(start)
            left = stop - start
            while left and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece

    def remove_blob(self, digest: str) -> None:
        """Forget a blob, if it is there."""
        self.blob_path(digest).unlink(missing_ok=True)

    def blobs(self) -> dict[str, int]:
        """All blobs with their sizes."""
        found = (self._folder / "blobs").glob("*/*/*")
        return {f"{path.parent.parent.name}:{path.name}": path.stat().st_size for path in found}

    def start_upload(self, info: UploadInfo) -> Upload:
        """Open an upload; its description is written last, so that half an upload is none."""
        folder = self._folder / "uploads" / info.uuid
        folder.mkdir()
        (folder / "data").touch()
        unfinished = folder / "upload.json.new"
        unfinished.write_text(json.dumps(asdict(info)))
        unfinished.replace(folder / "upload.json")
        upload = DiskUpload(self, info, folder)
        self._uploads[info.uuid] = upload
        return upload

    def upload(self, uuid: str) -> Upload | None:
        """The open upload of this name."""
        return self._uploads.get(uuid)

    def uploads(self) -> list[Upload]:
        """All open uploads."""
        return list(self._uploads.values())

    def blob_path(self, digest: str) -> Path:
        """Where a blob is kept."""
        algorithm, _, encoded = digest.partition(":")
        return self._folder / "blobs" / algorithm / encoded[:2] / encoded

    def forget(self, uuid: str) -> None:
        """Drop an upload from the list."""
        self._uploads.pop(uuid, None)
