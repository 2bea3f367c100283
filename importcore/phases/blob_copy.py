"""One blob, from source to target: the choice of the way it goes.

A small one goes in one request (`whole_blob.py`); a large one in chunks that can be taken up anywhere
(`chunked_blob.py`), or, where the target takes no chunks, as one stream that cannot (docs/decisions/0010).

Every blob that this run sends whole is hashed on the way; one that was begun by another run is verified by the target,
which computes the digest of all it got before it closes the upload (spec: "Pushing blobs").
"""

from importcore.descriptors import Descriptor
from importcore.phases.blob_task import BlobTask, CopyTools
from importcore.phases.chunked_blob import ChunkedBlob, ChunksRefused
from importcore.phases.whole_blob import SMALL, send_small, stream_whole
from importcore.registry.upload import UploadSession

__all__ = ["BlobCopy", "CopyTools"]


class BlobCopy:
    """Copies one blob into one repository."""

    def __init__(self, tools: CopyTools, blob: Descriptor, repository: str) -> None:
        self._tools = tools
        self._task = BlobTask(tools, blob, repository)

    async def run(self, session: UploadSession | None = None) -> None:
        """Copy the blob; `session` is one that the target has just opened for it.

        Raises:
            OutOfTime: The slice is over; the upload is noted in the checkpoint.
            RegistryError: A registry refused, or its fault did not pass.
            ContentError: The source serves something else than the descriptor says.
        """
        registries, target = self._tools.registries, self._tools.target.registry
        if self._task.blob.size <= min(SMALL, registries.chunk_bytes(target)):
            await send_small(self._task, session)
        elif registries.takes_chunks(target):
            try:
                await ChunkedBlob(self._task).send(session)
            except ChunksRefused:
                await stream_whole(self._task)
                registries.learn_no_chunks(target)  # only now: the blob's way in one request is proved
        else:
            if session:
                await session.cancel()
            await stream_whole(self._task)
        self._tools.log.forget(self._task.repository, self._task.blob.digest)
