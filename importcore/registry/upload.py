"""UploadSession: how a blob gets into a registry, request by request (spec: "Pushing blobs").

    start    POST …/uploads/        202, Location            `RegistryClient.start_upload`
    append   PATCH {Location}       202, Location, Range     one chunk, in order
    status   GET {Location}         204, Location, Range     after an answer that never came
    finish   PUT {Location}?digest= 201                      the registry verifies the digest
    cancel   DELETE {Location}      204

The Location changes with every answer and is used whole, as it came, the latest one only; it may carry signed state
and is a secret. `offset` is what the registry has acknowledged, never what was sent.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

import httpx

from importcore.errors import (
    DigestMismatchError,
    RegistryError,
    RegistryUnavailableError,
    TransloadError,
    UploadSessionLostError,
)
from importcore.registry.numbers import whole_number

if TYPE_CHECKING:
    from importcore.registry.client import RegistryClient

_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_CANCEL_TRIES = 4
_CANCEL_PAUSE = 0.5
_BUSY = frozenset({404, 416})


class UploadSession:
    """One upload of one blob."""

    def __init__(self, client: "RegistryClient", repository: str, digest: str, url: httpx.URL, offset: int = 0) -> None:
        self._client = client
        self._repository = repository
        self._url = url
        self.digest = digest
        self.offset = offset
        self.chunk_at_least = 0

    @classmethod
    def started(cls, client: "RegistryClient", repository: str, digest: str, response: httpx.Response) -> Self:
        """Take the session that a POST answered with."""
        location = response.headers.get("location")
        if not location:
            raise _odd(client, "start upload", "without a Location")
        session = cls(client, repository, digest, client.resolve(location, response.request.url))
        session.chunk_at_least = whole_number(response.headers.get("oci-chunk-min-length")) or 0
        return session

    @property
    def location(self) -> str:
        """The latest Location, for the checkpoint; a secret."""
        return str(self._url)

    async def append(self, chunk: AsyncIterator[bytes], length: int) -> None:
        """Send one chunk of exactly `length` bytes; afterwards `offset` is what the registry acknowledged.

        The chunk is streamed, so it cannot be repeated: on any error ask `status` and go on from there.

        Raises:
            RegistryUnavailableError: No answer, no byte moved for too long, or more was acknowledged than was sent.
            UploadSessionLostError: The registry does not know the session any more.
            BodyTooLargeError: Send smaller chunks.
            RegistryError: It refused otherwise.
        """
        first, last = self.offset, self.offset + length - 1
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(length),
            "Content-Range": f"{first}-{last}",  # neither "bytes " before nor "/*" behind: ACR refuses both
        }
        response = await self._client.send(
            "PATCH", self._url, self._repository, "send chunk",
            headers=headers, content=chunk, accept=(202, 201, 204), limits=self._client.patience.chunk,
        )  # fmt: skip
        await response.aclose()
        self._take(response, default=first + length, sent=length)
        if self.offset > first + length:
            acknowledged, self.offset = self.offset, first
            raise _odd(
                self._client, "send chunk", f"acknowledged {acknowledged} bytes, {first + length} were sent at most"
            )

    async def status(self) -> None:
        """Ask how far the registry got; afterwards `offset` and the Location are as it says.

        Raises:
            UploadSessionLostError: It does not know the session any more.
        """
        try:
            response = await self._client.send(
                "GET", self._url, self._repository, "ask upload status", accept=(204, 200, 202)
            )
        except RegistryError as error:
            # A registry without this endpoint cannot say where to go on (405); the rest says that there is nothing.
            if error.status in {400, 404, 405, 416} and not isinstance(error, UploadSessionLostError):
                raise UploadSessionLostError(
                    error.message, registry=error.registry, status=error.status, answers=error.answers,
                    origin=error.origin, step=error.step, reference=error.reference,
                ) from error  # fmt: skip
            raise
        await response.aclose()
        self._take(response, default=0, sent=0)

    async def finish(self, body: bytes | AsyncIterator[bytes] = b"", length: int | None = None) -> None:
        """Close the upload under its digest, with the whole blob as `body` where nothing was sent before.

        A body that is streamed has a `length`, and cannot be repeated.

        Raises:
            DigestMismatchError: The registry computed another digest; the session is dead.
            UploadSessionLostError: It does not know the session any more.
        """
        location = str(self._url)  # opaque: what it has is kept to the letter, and the digest comes behind
        url = httpx.URL(f"{location}{'&' if '?' in location else '?'}digest={self.digest}")
        size = len(body) if isinstance(body, bytes) else length
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        try:
            response = await self._client.send(
                "PUT", url, self._repository, "finish upload",
                headers=headers, content=body, accept=(201, 204), limits=self._client.patience.closing,
            )  # fmt: skip
        except RegistryError as error:
            if any(answer.startswith("DIGEST_INVALID") for answer in error.answers):
                raise self._other_digest("did not get the bytes of") from error
            raise
        await response.aclose()
        stored = response.headers.get("docker-content-digest", self.digest)
        if stored != self.digest and stored.partition(":")[0] == self.digest.partition(":")[0]:
            raise self._other_digest(f"stored {stored} instead of")

    async def cancel(self) -> None:
        """Give the session up. A registry that refuses forgets it by itself after a while, so that is no error.

        The status is asked first, for its Location: a chunk that was broken off made the one we have stale, and again
        when the registry was still busy with that chunk (404 for a session that it knows, or 416).
        """
        for _ in range(_CANCEL_TRIES):
            known = True
            try:
                await self.status()
            except UploadSessionLostError:
                known = False
            except TransloadError:
                pass  # then with the Location that we have
            try:
                response = await self._client.send(
                    "DELETE", self._url, self._repository, "cancel upload", accept=(204, 200, 202, 404, 405, 416)
                )
            except TransloadError:
                return
            await response.aclose()
            if response.status_code not in _BUSY or not known:
                return
            await asyncio.sleep(_CANCEL_PAUSE)

    def _take(self, response: httpx.Response, *, default: int, sent: int) -> None:
        """Take the new Location and the acknowledged range."""
        location = response.headers.get("location")
        if location:
            self._url = self._client.resolve(location, response.request.url)
        self.chunk_at_least = whole_number(response.headers.get("oci-chunk-min-length")) or self.chunk_at_least
        found = _RANGE.fullmatch(response.headers.get("range", "").strip())
        last = whole_number(found[1]) if found else None
        if last is None:
            self.offset = default
        elif last == 0:
            # "0-0" means nothing yet, or one byte; it is one byte only where exactly that can have been sent.
            self.offset = 1 if sent == 1 and default == 1 else 0
        else:
            self.offset = last + 1

    def _other_digest(self, what: str) -> DigestMismatchError:
        return DigestMismatchError(
            f"{self._client.registry} {what} {self.digest}",
            origin=self._client.side,
            step="finish upload",
            reference=f"{self._repository}@{self.digest}",
        )


def _odd(client: "RegistryClient", step: str, what: str) -> RegistryUnavailableError:
    return RegistryUnavailableError(
        f"{client.registry} answered {step} {what}"
        if what.startswith("without")
        else f"{client.registry} {what} ({step})",
        registry=client.registry,
        origin=client.side,
        step=step,
    )
