"""A blob in chunks: one open GET of the source feeds PATCH requests, so memory does not grow with the blob.

The end of a chunk is a checkpoint. What broke is found out, not guessed: after a failed write the target is asked how
far it got, after a failed read the source is opened again at that offset.
"""

from importcore.descriptors import hasher_for
from importcore.errors import (
    BodyTooLargeError,
    DigestMismatchError,
    NotFoundError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    SizeMismatchError,
    TransloadError,
    UploadSessionLostError,
)
from importcore.phases.blob_task import BlobTask, Feed
from importcore.registry.upload import UploadSession
from importcore.state.checkpoint import UploadState
from importcore.state.progress import BlobStarted, BytesAcknowledged

_CHUNK_AT_LEAST = 4 * 1024 * 1024
_NO_CHUNKS = frozenset({405, 415, 501})
_LOCKED = "REGISTRY_DISALLOWED_OPERATION"


class ChunksRefused(Exception):  # noqa: N818 (no error: there is another way)
    """The target takes no chunks: send the blob whole."""


class ChunkedBlob:
    """Copies one blob chunk by chunk."""

    def __init__(self, task: BlobTask) -> None:
        self._task = task
        self._tools = task.tools
        self._blob = task.blob
        self._repository = task.repository
        self._reach = 0
        self._vanished = 0

    async def send(self, session: UploadSession | None) -> None:
        """Copy the blob; `session` is one that the target has just opened for it.

        Raises:
            ChunksRefused: The target takes none.
            TransloadError: As `BlobCopy.run`.
        """
        session = await self._resumed() or session or await self._task.start()
        await self._note(session, at_once=False)  # so that whoever ends the import cancels it, even if it stays empty
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
            except SizeMismatchError as error:
                await self._task.attempts.restart_after_pause(error)
                asked = await self._asked(session, error)
            except RegistryError as error:
                if await self._is_about_the_session(session, error):
                    asked = await self._restarted(error)
                else:
                    self._task.require_worth_asking(error)
                    await self._task.attempts.stumble(error, session.offset)
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
            feed = Feed(self._task, reader, hasher)
            while session.offset < self._blob.size:
                self._tools.deadline.check()
                begin = session.offset
                length = min(self._chunk_bytes(session), self._blob.size - begin)
                self._reach = max(self._reach, begin + length)
                try:
                    await session.append(feed.take(length), length)
                except TransloadError as error:
                    raise feed.failure or error from error
                self._task.moved()
                self._tools.observer(BytesAcknowledged(self._blob.digest, session.offset))
                # The first checkpoint of a session at once: from then on a death costs at most this chunk.
                await self._note(session, at_once=begin == 0)
                if session.offset != begin + length:
                    raise RegistryUnavailableError(
                        f"{self._tools.target.registry} acknowledged {session.offset} of {begin + length} bytes",
                        registry=self._tools.target.registry, origin=Side.TARGET, step="send chunk",
                        reference=f"{self._repository}@{self._blob.digest}",
                    )  # fmt: skip
            try:
                await feed.end()
            except DigestMismatchError:
                await session.cancel()
                raise

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
        self._reach = self._blob.size  # the run before may have sent more than its last checkpoint says
        return session

    async def _asked(self, session: UploadSession, error: TransloadError) -> UploadSession | None:
        """Learn where the target is after trouble: its own word, or as `_restarted` when it lost the session."""
        try:
            await session.status()
        except UploadSessionLostError:
            return await self._restarted(error)
        if session.offset > self._reach:  # it holds something that we never sent
            await session.cancel()
            return await self._restarted(error)
        self._tools.observer(BytesAcknowledged(self._blob.digest, session.offset))
        return session

    async def _restarted(self, error: TransloadError) -> UploadSession | None:
        """Begin the blob again; None when it is there after all (the answer to the closing PUT was lost)."""
        self._tools.log.forget(self._repository, self._blob.digest)
        self._task.attempts.restart(error)
        if await self._task.is_there():
            return None
        self._tools.observer(BlobStarted(self._blob.digest, 0))
        self._reach = 0
        session = await self._task.start()
        await self._note(session, at_once=False)
        return session

    async def _is_about_the_session(self, session: UploadSession, error: RegistryError) -> bool:
        """Tell a session that is gone without the spec's code for it; raise where no chunk is taken at all.

        Registries that take no chunks answer the first one with 405, 415 or 501, or say UNSUPPORTED. A bare 404 may be
        a lost session, too: it counts only when a second session, too, is refused its first chunk.

        Raises:
            ChunksRefused: The target takes no chunks.
        """
        if error.step != "send chunk" or error.origin is not Side.TARGET:
            return False
        self._vanished += isinstance(error, NotFoundError)
        codes = {answer.partition(":")[0] for answer in error.answers}
        refused = error.status in _NO_CHUNKS or "UNSUPPORTED" in codes or self._vanished > 1
        if session.offset == 0 and refused and _LOCKED not in codes:
            self._tools.log.forget(self._repository, self._blob.digest)
            await session.cancel()
            raise ChunksRefused from error
        return isinstance(error, NotFoundError)

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
