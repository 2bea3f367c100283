"""Phase 2 of an import: bring every blob of the plan to every target repository, several at a time.

For each blob: is it there? can the target mount it from another of its repositories? else copy it (`blob_copy.py`).
Nothing is assumed: the target is asked about every blob in every run, so that a target which lost something heals.
"""

import asyncio
from collections.abc import Sequence

from importcore.descriptors import Descriptor
from importcore.errors import AccessDeniedError, AuthenticationError, NotFoundError, Side
from importcore.parallel import for_each
from importcore.phases.blob_copy import BlobCopy, CopyTools
from importcore.registry.upload import UploadSession
from importcore.state.progress import BlobDone, BlobOutcome


class Transfer:
    """Brings the blobs of one import."""

    def __init__(self, tools: CopyTools, slots: asyncio.Semaphore, at_once: int, mount_from: str | None) -> None:
        """Take what a run has.

        Args:
            tools: The two registries and what watches and limits the copying.
            slots: The limit for all imports of this process together.
            at_once: The limit for this import.
            mount_from: A repository of the target registry that has the blobs anyway (the source's, where source and
                target are one registry).
        """
        self._tools = tools
        self._slots = slots
        self._at_once = at_once
        self._mount_from = mount_from

    async def bring(self, blobs: Sequence[Descriptor], repositories: Sequence[str]) -> None:
        """Bring blobs to repositories: copied to the first, mounted from there to the rest.

        Raises:
            OutOfTime: The slice is over; every upload is noted in the checkpoint.
            RegistryError: A registry refused, or its fault did not pass.
            ContentError: The source served something else than its descriptors say.
        """
        log = self._tools.log
        mount_from = self._mount_from
        for repository in repositories:

            def order(blob: Descriptor, repository: str = repository) -> tuple[bool, int]:
                """What was begun goes first, then the largest: the end comes sooner."""
                return (log.open_upload(repository, blob.digest) is None, -blob.size)

            async def bring_one(
                blob: Descriptor, repository: str = repository, mount_from: str | None = mount_from
            ) -> None:
                async with self._slots:
                    self._tools.deadline.check()
                    outcome = await self._bring_one(blob, repository, mount_from)
                self._tools.observer(BlobDone(blob.digest, blob.size, outcome))

            await for_each(sorted(blobs, key=order), bring_one, at_once=self._at_once)
            mount_from = repository

    async def _bring_one(self, blob: Descriptor, repository: str, mount_from: str | None) -> BlobOutcome:
        if await self._tools.target.blob_exists(repository, blob):
            self._tools.log.forget(repository, blob.digest)
            return BlobOutcome.SKIPPED
        session: UploadSession | None = None
        if mount_from and mount_from != repository and self._tools.log.open_upload(repository, blob.digest) is None:
            mounted, session = await self._mount(blob, repository, mount_from)
            if mounted:
                return BlobOutcome.MOUNTED
        try:
            await BlobCopy(self._tools, blob, repository).run(session)
        except NotFoundError as error:
            # Foreign layers (descriptors with `urls`) need not be in a registry: image spec, "layer", urls.
            if blob.is_foreign and error.origin is Side.SOURCE:
                return BlobOutcome.SKIPPED
            raise
        return BlobOutcome.COPIED

    async def _mount(self, blob: Descriptor, repository: str, mount_from: str) -> tuple[bool, UploadSession | None]:
        """Try to mount; a registry that will not may answer with an upload session, or refuse (then: copy).

        Harbor answers 401 for a repository that does not exist, others 403 or 404 where the token is not good for
        the other repository: for a mount, and only there, that means "not this way".
        """
        try:
            session = await self._tools.target.mount_blob(repository, blob.digest, mount_from)
        except (AccessDeniedError, AuthenticationError, NotFoundError):
            return False, None
        return session is None, session
