"""RegistryClient: one method per endpoint of the OCI distribution spec, for one registry and one side of an import.

Requests carry the scopes they need; redirects are followed here, for reads only and without Authorization on
another origin; a 404 means absent, and every other status that a step does not expect becomes an error.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx

from importcore.content import ACCEPT, MANIFEST_BYTES_AT_MOST, Descriptor, Manifest
from importcore.errors import (
    AuthenticationError,
    ContentError,
    DigestMismatchError,
    NotFoundError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    SizeMismatchError,
    TransloadError,
)
from importcore.reference import is_digest
from importcore.registry.answers import error_for, unavailable
from importcore.registry.auth import SCOPES, RegistryAuth, explained
from importcore.registry.blob import BlobReader
from importcore.registry.numbers import whole_number
from importcore.registry.origin import same_origin
from importcore.registry.tokens import read_at_most
from importcore.registry.transport import REPEATABLE
from importcore.registry.upload import UploadSession

_ERROR_BODY_AT_MOST = 64 * 1024
_REDIRECTS_AT_MOST = 5
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_READ = frozenset({"GET", "HEAD"})

E = TypeVar("E", bound=TransloadError)


class RegistryClient:
    """Speaks to one registry, as source or as target."""

    def __init__(self, http: httpx.AsyncClient, auth: RegistryAuth, registry: str, url: httpx.URL, side: Side) -> None:
        self._http = http
        self._auth = auth
        self._url = url
        self.registry = registry
        self.side = side

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
            raise self._located(error, step, self._named(repository, reference)) from error

    async def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Put a manifest under a tag or its digest, with the bytes as they were received (spec: "Pushing Manifests").

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
            repeatable=True,
        )
        await response.aclose()
        stored = response.headers.get("docker-content-digest", manifest.digest)
        if stored != manifest.digest and stored.partition(":")[0] == manifest.digest.partition(":")[0]:
            raise self._located(
                DigestMismatchError(f"{self.registry} stored {stored} instead of {manifest.digest}"),
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

    # -- how a request is sent ---------------------------------------------------------------------------------

    def resolve(self, location: str, against: httpx.URL | None = None) -> httpx.URL:
        """Make a Location absolute.

        Raises:
            RegistryUnavailableError: It is no URL.
        """
        try:
            return (against or self._url).join(location)
        except httpx.InvalidURL as error:
            raise RegistryUnavailableError(
                f"{self.registry} answered with a Location that is no URL",
                registry=self.registry,
                origin=self.side,
            ) from error

    async def send(
        self,
        method: str,
        where: str | httpx.URL,
        repository: str,
        step: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        accept: tuple[int, ...] = (200,),
        repeatable: bool = False,
        also_pull_from: str | None = None,
        scopes: tuple[str, ...] | None = None,
        limits: httpx.Timeout | None = None,
    ) -> httpx.Response:
        """Send, follow redirects of reads, and turn every status that is not accepted into an error.

        Args:
            method: The HTTP method.
            where: A path of this registry, or a whole URL that it answered with (upload sessions).
            repository: The repository that the request is about; it gives the scope.
            step: What is being done, for errors.
            headers: Besides those that the pool and the credential add.
            content: The body; one that is streamed is never sent twice.
            accept: The statuses that the step expects.
            repeatable: The transport may send it again although the method alone does not say so.
            also_pull_from: Another repository that the token must be good for.
            scopes: What the token must be good for, where it is no repository.
            limits: Time-outs other than the pool's.
        """
        scopes = scopes or self._scopes(repository, also_pull_from)
        url = self._url.join(where) if isinstance(where, str) else where
        extensions: dict[str, Any] = {SCOPES: scopes, REPEATABLE: repeatable}
        if limits:
            extensions["timeout"] = limits.as_dict()
        reference = repository if isinstance(where, httpx.URL) else _reference_in(where, repository)
        try:
            for _ in range(_REDIRECTS_AT_MOST + 1):
                request = self._http.build_request(method, url, headers=headers, content=content, extensions=extensions)
                ours = same_origin(url, self._url)
                response = await self._http.send(request, stream=True, auth=self._auth if ours else None)
                if response.status_code not in _REDIRECT or method not in _READ or "location" not in response.headers:
                    break
                await response.aclose()
                url = self.resolve(response.headers["location"], url)
            else:
                raise RegistryUnavailableError(
                    f"{self.registry} redirects without end",
                    registry=self.registry,
                    origin=self.side,
                    step=step,
                )
            if response.status_code in accept:
                return response
            body = await read_at_most(response, _ERROR_BODY_AT_MOST)
        except httpx.RequestError as error:
            raise unavailable(error, self.registry, step, self.side, reference) from error
        except TransloadError as error:  # of the gate, or of the token service
            raise self._located(error, error.step or step, reference) from error
        answer = error_for(response, body, registry=self.registry, step=step, side=self.side, reference=reference)
        raise self._understood(answer, scopes, ours=ours)

    def _understood(self, error: RegistryError, scopes: tuple[str, ...], *, ours: bool) -> RegistryError:
        """Explain a 401 of the registry; one of a storage host behind it is only a storage host's fault."""
        if isinstance(error, AuthenticationError):
            if ours:
                return explained(error, self._auth, scopes)
            return RegistryUnavailableError(
                f"the storage behind {self.registry} answered 401",
                registry=self.registry,
                status=401,
                origin=self.side,
                step=error.step,
                reference=error.reference,
            )
        return error

    def _scopes(self, repository: str, also_pull_from: str | None) -> tuple[str, ...]:
        actions = "pull" if self.side is Side.SOURCE else "pull,push"
        scopes = (f"repository:{repository}:{actions}",)
        return (
            (*scopes, f"repository:{also_pull_from}:pull")
            if also_pull_from and also_pull_from != repository
            else scopes
        )

    def _named(self, repository: str, reference: str) -> str:
        return f"{self.registry}/{repository}{'@' if is_digest(reference) else ':'}{reference}"

    def _located(self, error: E, step: str, reference: str) -> E:
        error.origin, error.step = self.side, step
        error.reference = error.reference or reference
        return error


def _manifest(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"


def _reference_in(path: str, repository: str) -> str:
    last = path.partition("?")[0].rpartition("/")[2]
    return (
        f"{repository}@{last}" if is_digest(last) else f"{repository}:{last}" if "/manifests/" in path else repository
    )
