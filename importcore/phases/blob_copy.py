"""One blob, from source to target: a small one in one request, a large one in chunks that can be taken up anywhere.

A large blob is streamed: one open GET of the source feeds PATCH requests of one chunk each, so memory does not grow
with it. The end of a chunk is a checkpoint. What broke is found out, not guessed: after a failed write the target is
asked how far it got, after a failed read the source is opened again at that offset.

Every blob that this run sends whole is hashed on the way; one that was begun by another run is verified by the target,
which computes the digest of all it got before it closes the upload (spec: "Pushing blobs").
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from importcore.content import Descriptor, Hasher, digest_of, hasher_for
from importcore.deadline import Deadline
from importcore.errors import (
    AuthenticationError,
    BodyTooLargeError,
    DigestMismatchError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    TransloadError,
    UploadSessionLostError,
)
from importcore.phases.attempts import BlobAttempts
from importcore.registry.blob import BlobReader
from importcore.registry.client import RegistryClient
from importcore.registry.registries import Registries
from importcore.registry.upload import UploadSession
from importcore.state.checkpoint import CheckpointLog, UploadState
from importcore.state.progress import BlobStarted, BytesAcknowledged, BytesSent, Observer

SMALL = 4 * 1024 * 1024
"""Sent in one PUT: no registry refuses this size, it saves a request, and the digest is known before it is sent."""
_CHUNK_AT_LEAST = 4 * 1024 * 1024
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


class BlobCopy:
    """Copies one blob into one repository."""

    def __init__(self, tools: CopyTools, blob: Descriptor, repository: str) -> None:
        self._tools = tools
        self._blob = blob
        self._repository = repository
        self._attempts = BlobAttempts(tools.deadline)
        self._may_renew_token = True

    async def run(self, session: UploadSession | None = None) -> None:
        """Copy the blob; `session` is one that the target has just opened for it.

        Raises:
            OutOfTime: The slice is over; the upload is noted in the checkpoint.
            RegistryError: A registry refused, or its fault did not pass.
            ContentError: The source serves something else than the descriptor says.
        """
        chunk = self._tools.registries.chunk_bytes(self._tools.target.registry)
        if self._blob.size <= min(SMALL, chunk):
            await self._send_whole(session)
        else:
            await self._send_in_chunks(session)
        self._tools.log.forget(self._repository, self._blob.digest)

    # -- small blobs -------------------------------------------------------------------------------------------

    async def _send_whole(self, session: UploadSession | None) -> None:
        body = await self._read_whole()
        while True:
            session = session or await self._start()
            try:
                await session.finish(body)
            except (RegistryUnavailableError, UploadSessionLostError, DigestMismatchError) as error:
                # The answer may have been lost after the blob was stored: ask before sending it again.
                await self._attempts.stumble(error, 0)
                if await self._tools.target.blob_exists(self._repository, self._blob):
                    return
                session = None
            else:
                self._tools.observer(BytesSent(len(body)))
                return

    async def _read_whole(self) -> bytes:
        while True:
            try:
                async with self._tools.source.open_blob(self._tools.source_repository, self._blob) as reader:
                    body = b"".join([piece async for piece in reader])
            except RegistryUnavailableError as error:
                await self._attempts.stumble(error, 0)
                continue
            found = digest_of(body, like=self._blob.digest)
            if found == self._blob.digest:
                return body
            self._attempts.restart(self._wrong_bytes(found))

    # -- large blobs -------------------------------------------------------------------------------------------

    async def _send_in_chunks(self, session: UploadSession | None) -> None:
        session = await self._resumed() or session or await self._start()
        self._tools.observer(BlobStarted(self._blob.digest, session.offset))
        while True:
            try:
                if session.offset < self._blob.size:
                    await self._stream(session)
                await session.finish()
            except (UploadSessionLostError, DigestMismatchError) as error:
                asked = await self._restarted(error)
            except BodyTooLargeError as error:
                self._learn_smaller_chunks(error)
                asked = await self._asked(session, error)
            except RegistryError as error:
                self._require_worth_asking(error)
                await self._attempts.stumble(error, session.offset)
                asked = await self._asked(session, error)
            else:
                return
            if asked is None:
                return
            session = asked

    async def _stream(self, session: UploadSession) -> None:
        """Feed the source's bytes from the session's offset on into chunks, to the end of the blob."""
        hasher = hasher_for(self._blob.digest) if session.offset == 0 else None
        async with self._tools.source.open_blob(self._tools.source_repository, self._blob, session.offset) as reader:
            feed = _Feed(reader, hasher, self._tools.observer)
            while session.offset < self._blob.size:
                self._tools.deadline.check()
                begin = session.offset
                length = min(self._chunk_bytes(session), self._blob.size - begin)
                try:
                    await session.append(feed.take(length), length)
                except TransloadError as error:
                    raise feed.failure or error from error
                self._tools.observer(BytesAcknowledged(self._blob.digest, session.offset))
                # The first checkpoint of a session at once: from then on a death costs at most this chunk.
                await self._note(session, at_once=begin == 0)
                if session.offset != begin + length:
                    raise RegistryUnavailableError(
                        f"{self._tools.target.registry} acknowledged {session.offset} of {begin + length} bytes",
                        registry=self._tools.target.registry, origin=Side.TARGET, step="send chunk",
                        reference=f"{self._repository}@{self._blob.digest}",
                    )  # fmt: skip
            await feed.end()
        if hasher and (found := f"{self._blob.digest.partition(':')[0]}:{hasher.hexdigest()}") != self._blob.digest:
            await session.cancel()
            raise self._wrong_bytes(found)

    async def _resumed(self) -> UploadSession | None:
        """Take up what an earlier run left open; None when the target does not know it any more."""
        left = self._tools.log.open_upload(self._repository, self._blob.digest)
        if left is None:
            return None
        session = self._tools.target.resume_upload(self._repository, self._blob.digest, left.location, left.offset)
        try:
            await session.status()
        except UploadSessionLostError:
            self._tools.log.forget(self._repository, self._blob.digest)
            return None
        if session.offset > self._blob.size:
            await session.cancel()
            return None
        return session

    async def _start(self) -> UploadSession:
        return await self._tools.target.start_upload(self._repository, self._blob.digest)

    async def _asked(self, session: UploadSession, error: TransloadError) -> UploadSession | None:
        """Learn where the target is after trouble: its own word, or as `_restarted` when it lost the session."""
        try:
            await session.status()
        except UploadSessionLostError:
            return await self._restarted(error)
        self._tools.observer(BytesAcknowledged(self._blob.digest, session.offset))
        return session

    async def _restarted(self, error: TransloadError) -> UploadSession | None:
        """Begin the blob again; None when it is there after all (the answer to the closing PUT was lost)."""
        self._tools.log.forget(self._repository, self._blob.digest)
        self._attempts.restart(error)
        if await self._tools.target.blob_exists(self._repository, self._blob):
            return None
        self._tools.observer(BlobStarted(self._blob.digest, 0))
        return await self._start()

    def _require_worth_asking(self, error: RegistryError) -> None:
        """Let pass what may be mended by asking the target and going on; anything else is the import's error.

        A 401 in the middle of a blob is mended once: the token ended while the chunk was on its way, and the next
        request gets a new one. A 416 says that the offsets differ, which the status will settle.
        """
        if isinstance(error, AuthenticationError) and error.origin is Side.TARGET and self._may_renew_token:
            self._may_renew_token = False
            return
        if error.retryable or error.status == _RANGE_NOT_SATISFIABLE:
            return
        raise error

    def _chunk_bytes(self, session: UploadSession) -> int:
        return max(self._tools.registries.chunk_bytes(self._tools.target.registry), session.chunk_at_least)

    def _learn_smaller_chunks(self, error: BodyTooLargeError) -> None:
        registry = self._tools.target.registry
        now = self._tools.registries.chunk_bytes(registry)
        if now <= _CHUNK_AT_LEAST:
            raise error
        self._tools.registries.learn_chunk_bytes(registry, max(now // 2, _CHUNK_AT_LEAST))

    async def _note(self, session: UploadSession, *, at_once: bool) -> None:
        state = UploadState(self._blob.digest, self._repository, session.location, session.offset)
        await self._tools.log.note(state, at_once=at_once)

    def _wrong_bytes(self, found: str) -> DigestMismatchError:
        return DigestMismatchError(
            f"{self._tools.source.registry} served bytes with digest {found} for {self._blob.digest}",
            origin=Side.SOURCE,
            step="read blob",
            reference=f"{self._tools.source_repository}@{self._blob.digest}",
        )


class _Feed:
    """Cuts the stream of a blob into chunks, and remembers whose fault it was when one broke."""

    def __init__(self, reader: BlobReader, hasher: Hasher | None, observer: Observer) -> None:
        self._pieces = aiter(reader)
        self._rest = b""
        self._hasher = hasher
        self._observer = observer
        self.failure: TransloadError | None = None

    async def take(self, length: int) -> AsyncIterator[bytes]:
        """Give exactly `length` bytes; what the last piece held beyond them waits for the next chunk."""
        left = length
        while left:
            piece = self._rest or await self._next()
            self._rest = piece[left:]
            piece = piece[:left]
            left -= len(piece)
            if self._hasher:
                self._hasher.update(piece)
            self._observer(BytesSent(len(piece)))
            yield piece

    async def end(self) -> None:
        """Read the end of the stream, which must come now."""
        await anext(self._pieces, None)

    async def _next(self) -> bytes:
        try:
            return await anext(self._pieces)
        except TransloadError as error:
            self.failure = error  # the client of the target would report it as the target's
            raise
