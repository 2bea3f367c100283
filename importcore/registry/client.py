"""RegistryClient: one method per endpoint of the OCI distribution spec, for one registry and one side of an import.

How they are sent, and what an answer means, stands in `sender.py` and `answers.py`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from importcore.content import MANIFEST_BYTES_AT_MOST, Manifest
from importcore.descriptors import ACCEPT, Descriptor
from importcore.errors import ContentError, DigestMismatchError, NotFoundError, SizeMismatchError, printable
from importcore.reference import is_digest
from importcore.registry.answers import unavailable
from importcore.registry.blob import BlobReader
from importcore.registry.numbers import whole_number
from importcore.registry.sender import RegistrySender
from importcore.registry.tokens import read_at_most
from importcore.registry.upload import UploadSession


class RegistryClient(RegistrySender):
    """Speaks to one registry, as source or as target."""

    # -- manifests ---------------------------------------------------------------------------------------------

    async def head_manifest(self, repository: str, reference: str) -> str | None:
        """Ask for a manifest's digest (spec: "Checking if content exists in the registry"); None when absent.

        A HEAD does not count as a pull at Docker Hub. Registries that leave `Docker-Content-Digest` out are asked
        for the manifest itself.
        """
        step = "check manifest"
        try:
            response = await self.send(
                "HEAD", _manifest(repository, reference), repository, step, headers={"Accept": ACCEPT}
            )
        except NotFoundError:
            return None
        await response.aclose()
        digest: str = response.headers.get("docker-content-digest", "")
        return digest if is_digest(digest) else (await self.get_manifest(repository, reference)).digest

    async def get_manifest(self, repository: str, reference: str) -> Manifest:
        """Get a manifest, verified against the digest that names it (spec: "Pulling manifests").

        Raises:
            NotFoundError: It is not there.
            ContentError: It is not what its digest or type says.
        """
        step = "get manifest"
        response = await self.send(
            "GET", _manifest(repository, reference), repository, step, headers={"Accept": ACCEPT}
        )
        try:
            raw = await read_at_most(response, MANIFEST_BYTES_AT_MOST + 1)
        except httpx.TransportError as error:
            raise unavailable(error, self.registry, step, self.side, self._named(repository, reference)) from error
        expected = reference if is_digest(reference) else response.headers.get("docker-content-digest")
        try:
            return Manifest.parse(
                raw,
                content_type=response.headers.get("content-type", ""),
                expected=expected if expected and is_digest(expected) else None,
            )
        except ContentError as error:
            encoding = printable(response.headers.get("content-encoding", ""), 40)
            if encoding not in {"", "identity"}:
                error.message = f"{error.message} (it came with Content-Encoding: {encoding}, which was not asked for)"
                error.args = (error.message,)
            raise self._located(error, step, self._named(repository, reference)) from error

    async def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Put a manifest under a tag or its digest, with the bytes as they were received (spec: "Pushing Manifests").

        By digest it is repeated where that may help. A tag is moved with one request: whoever moves it decides anew.

        Raises:
            MissingContentError: The target lacks a part of it.
            DigestMismatchError: The target stored something else.
        """
        step = "put manifest"
        response = await self.send(
            "PUT",
            _manifest(repository, reference),
            repository,
            step,
            headers={"Content-Type": manifest.media_type},
            content=manifest.raw,
            accept=(201, 200, 202),
            repeatable=is_digest(reference),
        )
        await response.aclose()
        stored = response.headers.get("docker-content-digest", manifest.digest)
        if stored != manifest.digest and stored.partition(":")[0] == manifest.digest.partition(":")[0]:
            raise self._located(
                DigestMismatchError(f"{self.registry} stored {printable(stored, 80)} instead of {manifest.digest}"),
                step,
                self._named(repository, reference),
            )

    # -- blobs -------------------------------------------------------------------------------------------------

    async def blob_exists(self, repository: str, blob: Descriptor) -> bool:
        """Tell whether a blob is there (spec: "Checking if content exists in the registry").

        Raises:
            SizeMismatchError: Something else is there under its digest.
        """
        step = "check blob"
        try:
            response = await self.send("HEAD", f"/v2/{repository}/blobs/{blob.digest}", repository, step)
        except NotFoundError:
            return False
        await response.aclose()
        length = whole_number(response.headers.get("content-length"))
        if length is not None and length != blob.size:
            raise self._located(
                SizeMismatchError(f"{self.registry} holds {blob.digest} with {length} bytes, expected {blob.size}"),
                step,
                self._named(repository, blob.digest),
            )
        return True

    @asynccontextmanager
    async def open_blob(self, repository: str, blob: Descriptor, offset: int = 0) -> AsyncIterator[BlobReader]:
        """Read a blob from an offset (spec: "Pulling blobs"; RFC 9110, 14 for `Range`).

        Always asks the registry itself: the signed URL of an earlier redirect may have ended.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = await self.send(
            "GET",
            f"/v2/{repository}/blobs/{blob.digest}",
            repository,
            "read blob",
            headers=headers,
            accept=(200, 206),
        )
        try:
            yield BlobReader(
                response, blob, offset, registry=self.registry, reference=self._named(repository, blob.digest)
            )
        finally:
            await response.aclose()

    async def mount_blob(self, repository: str, digest: str, from_repository: str) -> UploadSession | None:
        """Mount a blob from another repository (spec: "Mounting a blob from another repository").

        Returns:
            None when it is mounted; an open upload session when the registry answered with one instead (202).
        """
        path = f"/v2/{repository}/blobs/uploads/?mount={digest}&from={from_repository}"
        response = await self.send(
            "POST",
            path,
            repository,
            "mount blob",
            content=b"",
            accept=(201, 202),
            also_pull_from=from_repository,
        )
        await response.aclose()
        if response.status_code == httpx.codes.CREATED:
            return None
        return UploadSession.started(self, repository, digest, response)

    async def start_upload(self, repository: str, digest: str) -> UploadSession:
        """Open an upload session (spec: "Pushing blobs", POST)."""
        response = await self.send(
            "POST", f"/v2/{repository}/blobs/uploads/", repository, "start upload", content=b"", accept=(202,)
        )
        await response.aclose()
        return UploadSession.started(self, repository, digest, response)

    def resume_upload(self, repository: str, digest: str, location: str, offset: int) -> UploadSession:
        """Take up a session that another process opened; ask its `status` before sending anything."""
        return UploadSession(self, repository, digest, self.resolve(location), offset)


def _manifest(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"
