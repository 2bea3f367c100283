"""A blob in one PUT: a small one out of memory, or a large one as a stream, where the target takes no chunks.

Nothing of a PUT can be taken up again, so a small blob is read and verified first, and the last bytes of a stream are
held back until its digest is right. What became of a PUT without an answer is asked for, not guessed.
"""

from importcore.descriptors import digest_of, hasher_for
from importcore.errors import (
    AuthenticationError,
    DigestMismatchError,
    RegistryError,
    Side,
    SizeMismatchError,
    TransloadError,
)
from importcore.phases.blob_task import BlobTask, Feed
from importcore.registry.upload import UploadSession
from importcore.state.progress import BytesSent, WholeBlobStarted

SMALL = 4 * 1024 * 1024
"""Sent in one PUT: no registry refuses this size, it saves a request, and the digest is known before it is sent."""


async def send_small(task: BlobTask, session: UploadSession | None) -> None:
    """Copy a blob through memory; `session` is one that is open for it already.

    Raises:
        TransloadError: As `BlobCopy.run`.
    """
    body = await _read(task)
    while True:
        session = session or await task.start()
        try:
            await session.finish(body)
        except (RegistryError, DigestMismatchError) as error:
            if await _stands_after(task, session, error):
                return
            session = None
        else:
            task.tools.observer(BytesSent(len(body)))
            return


async def _read(task: BlobTask) -> bytes:
    while True:
        try:
            async with task.tools.source.open_blob(task.tools.source_repository, task.blob) as reader:
                body = b"".join([piece async for piece in reader])
                encoding = reader.encoding
        except RegistryError as error:
            if not error.retryable:
                raise
            await task.attempts.stumble(error, 0)
            continue
        except SizeMismatchError as error:
            await task.attempts.restart_after_pause(error)
            continue
        found = digest_of(body, like=task.blob.digest)
        if found == task.blob.digest:
            return body
        await task.attempts.restart_after_pause(task.wrong_bytes(found, encoding))


async def stream_whole(task: BlobTask) -> None:
    """Copy a blob as one streamed PUT, from its beginning whenever that breaks.

    Raises:
        TransloadError: As `BlobCopy.run`.
    """
    task.tools.observer(WholeBlobStarted(task.blob.digest, task.blob.size))
    while True:
        task.tools.deadline.check()
        session = await task.start()
        try:
            await _put(task, session)
        except (DigestMismatchError, SizeMismatchError) as error:
            await session.cancel()
            await task.attempts.restart_after_pause(error)
            if error.origin is Side.TARGET and await task.is_there():
                return
        except RegistryError as error:
            if await _stands_after(task, session, error):
                return
        else:
            return


async def _put(task: BlobTask, session: UploadSession) -> None:
    async with task.tools.source.open_blob(task.tools.source_repository, task.blob) as reader:
        feed = Feed(task, reader, hasher_for(task.blob.digest))
        try:
            await session.finish(feed.whole(), task.blob.size)
        except TransloadError as error:
            raise feed.failure or error from error


async def _stands_after(task: BlobTask, session: UploadSession, error: TransloadError) -> bool:
    """After a PUT that went wrong: wait a little, and ask whether the blob was stored all the same.

    Raises:
        TransloadError: `error`, where asking cannot mend it or it happened too often.
    """
    if isinstance(error, RegistryError):
        try:
            task.require_worth_asking(error)
        except RegistryError:
            await session.cancel()
            raise
    await task.attempts.stumble(error, 0)
    if isinstance(error, AuthenticationError) or error.origin is Side.SOURCE:
        return False  # nothing was stored: the PUT was refused, or never came to its end
    return await task.is_there()
