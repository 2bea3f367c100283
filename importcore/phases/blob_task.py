"""What copying one blob needs, whichever way it goes: the two registries, the feed of its bytes, the attempts.

`whole_blob.py` and `chunked_blob.py` are the ways; `blob_copy.py` chooses.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from importcore.deadline import Deadline
from importcore.descriptors import Descriptor, Hasher
from importcore.errors import AuthenticationError, DigestMismatchError, RegistryError, Side, TransloadError
from importcore.phases.attempts import BlobAttempts
from importcore.registry.blob import BlobReader
from importcore.registry.client import RegistryClient
from importcore.registry.registries import Registries
from importcore.registry.upload import UploadSession
from importcore.state.checkpoint import CheckpointLog
from importcore.state.progress import BytesSent, Observer

_RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class CopyTools:
    """What copying needs, for all blobs of an import."""

    source: RegistryClient
    source_repository: str
    target: RegistryClient
    registries: Registries
    log: CheckpointLog
    observer: Observer
    deadline: Deadline


class BlobTask:
    """One blob that is to be copied into one repository."""

    def __init__(self, tools: CopyTools, blob: Descriptor, repository: str) -> None:
        self.tools = tools
        self.blob = blob
        self.repository = repository
        self.attempts = BlobAttempts(tools.deadline)
        self._may_renew_token = True

    async def start(self) -> UploadSession:
        """Open an upload session; one whose answer was lost is no harm, so this is tried a few times.

        Raises:
            RegistryError: The target refuses, or its trouble does not pass.
        """
        while True:
            try:
                return await self.tools.target.start_upload(self.repository, self.blob.digest)
            except RegistryError as error:
                if not error.retryable:
                    raise
                await self.attempts.stumble(error, 0)

    async def is_there(self) -> bool:
        """Ask whether the blob stands at the target after all."""
        return await self.tools.target.blob_exists(self.repository, self.blob)

    def moved(self) -> None:
        """Take note that the target acknowledged something: a token that ends later is another one."""
        self._may_renew_token = True

    def require_worth_asking(self, error: RegistryError) -> None:
        """Let pass what may be mended by asking the target and going on; anything else is the import's error.

        A 401 in the middle of a blob is mended once: the token ended while the bytes were on their way, and the next
        request gets a new one. A 416 says that the offsets differ, which the status will settle.
        """
        if isinstance(error, AuthenticationError) and error.origin is Side.TARGET and self._may_renew_token:
            self._may_renew_token = False
            return
        if error.retryable or (error.status == _RANGE_NOT_SATISFIABLE and error.origin is Side.TARGET):
            return
        raise error

    def wrong_bytes(self, found: str, encoding: str = "") -> DigestMismatchError:
        """Make the error for bytes of the source that have another digest."""
        said = f" (with Content-Encoding: {encoding})" if encoding else ""
        return DigestMismatchError(
            f"{self.tools.source.registry} served bytes with digest {found} for {self.blob.digest}{said}",
            origin=Side.SOURCE,
            step="read blob",
            reference=f"{self.tools.source_repository}@{self.blob.digest}",
        )


class Feed:
    """Cuts the stream of a blob into bodies of requests, and remembers whose fault it was when one broke."""

    def __init__(self, task: BlobTask, reader: BlobReader, hasher: Hasher | None) -> None:
        """Take the stream; `hasher` where it is read from the blob's beginning."""
        self._task = task
        self._reader = reader
        self._pieces = aiter(reader)
        self._rest = b""
        self._hasher = hasher
        self.failure: TransloadError | None = None

    async def take(self, length: int) -> AsyncIterator[bytes]:
        """Give exactly `length` bytes; what the last piece held beyond them waits for the next request."""
        left = length
        while left:
            piece = self._rest or await self._next()
            self._rest = piece[left:]
            piece = piece[:left]
            left -= len(piece)
            if self._hasher:
                self._hasher.update(piece)
            self._task.tools.observer(BytesSent(len(piece)))
            yield piece

    async def whole(self) -> AsyncIterator[bytes]:
        """Give the whole blob; its last piece only when the digest of all of it is right, so that none is closed wrong.

        Raises:
            DigestMismatchError: The source served something else.
        """
        held = b""
        async for piece in self.take(self._task.blob.size):
            if held:
                yield held
            held = piece
        try:
            await self.end()
        except TransloadError as error:
            self.failure = error
            raise
        yield held

    async def end(self) -> None:
        """Read the end of the stream, which must come now; then compare the digest.

        Raises:
            SizeMismatchError: More came than the descriptor says.
            DigestMismatchError: The bytes are not what the descriptor says.
        """
        await anext(self._pieces, None)
        if self._hasher is None:
            return
        found = f"{self._task.blob.digest.partition(':')[0]}:{self._hasher.hexdigest()}"
        if found != self._task.blob.digest:
            raise self._task.wrong_bytes(found, self._reader.encoding)

    async def _next(self) -> bytes:
        try:
            return await anext(self._pieces)
        except TransloadError as error:
            self.failure = error  # the client of the target would report it as the target's
            raise
