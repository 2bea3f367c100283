"""Leaving nothing open at a target: the upload sessions of an import that has ended without them."""

import asyncio
import logging
from collections.abc import Sequence

from importcore.errors import TransloadError
from importcore.parallel import for_each
from importcore.registry.client import RegistryClient
from importcore.state.checkpoint import UploadState

SECONDS_AT_MOST = 15.0
"""For all of them: nobody renews the lease meanwhile, and a target that does not answer must not keep the import from
its end. A session that is left ends by itself."""
_AT_ONCE = 8

_log = logging.getLogger("transload")


async def cancel_uploads(target: RegistryClient, uploads: Sequence[UploadState]) -> None:
    """Cancel upload sessions, as many as there is time for."""

    async def cancel(upload: UploadState) -> None:
        try:
            await target.resume_upload(upload.repository, upload.digest, upload.location, upload.offset).cancel()
        except TransloadError as error:
            _log.info("an upload session is left to end by itself: %s", error)

    try:
        async with asyncio.timeout(SECONDS_AT_MOST):
            await for_each(uploads, cancel, at_once=_AT_ONCE)
    except TimeoutError:
        _log.warning("%s did not answer in time; its upload sessions are left to end by themselves", target.registry)
