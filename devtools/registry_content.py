"""Pushing a sample image to a registry, and reading a registry's image back to compare it byte for byte.

Plain HTTP requests in the shape of the distribution spec, so that what is proved with it does not rest on the
product's own client.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from devtools.sample_images import SampleImage, image_of_large_layer
from importcore.descriptors import ACCEPT

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What a registry really holds under a reference: digests computed from the bytes it served."""

    root: str
    manifests: dict[str, bytes]
    blobs: dict[str, int]


class BrokenContentError(Exception):
    """A registry serves something else than its digest says, or lacks a part of an image."""


class RegistryContent:
    """Pushes to and reads from one repository of a registry."""

    def __init__(self, http: httpx.AsyncClient, repository: str) -> None:
        self._http = http
        self._repository = f"/v2/{repository}"

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str, repository: str, auth: httpx.Auth | None = None) -> AsyncIterator["RegistryContent"]:
        """Open a repository of the registry at a URL."""
        async with httpx.AsyncClient(base_url=url, auth=auth, timeout=120, trust_env=False) as http:
            yield cls(http, repository)

    async def push(self, image: SampleImage, tag: str) -> None:
        """Push blobs, then manifests by digest, then the tag."""
        for name, blob in image.blobs.items():
            await self._push_blob(name, blob)
        for name, (media_type, raw) in image.manifests.items():
            await self._put_manifest(name, media_type, raw)
        await self._put_manifest(tag, *image.manifests[image.root])

    async def push_large(self, block: bytes, times: int, tag: str) -> Found:
        """Push an image with one layer, `block` over and over, without ever holding the layer in memory."""
        hasher = hashlib.sha256()
        for _ in range(times):
            await asyncio.to_thread(hasher.update, block)
        name, size = f"sha256:{hasher.hexdigest()}", len(block) * times

        async def layer() -> AsyncIterator[bytes]:
            for _ in range(times):
                yield block

        started = await self._http.post(f"{self._repository}/blobs/uploads/")
        _expect(started, 202)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        sent = await self._http.patch(started.headers["location"], content=layer(), headers=headers)
        _expect(sent, 202)
        _expect(await self._http.put(_closing(sent.headers["location"], name)), 201)
        image = image_of_large_layer(name, size)
        await self.push(image, tag)
        manifests = {digest: raw for digest, (_, raw) in image.manifests.items()}
        return Found(image.root, manifests, {name: size, **{blob: len(data) for blob, data in image.blobs.items()}})

    async def _push_blob(self, name: str, blob: bytes) -> None:
        started = await self._http.post(f"{self._repository}/blobs/uploads/")
        _expect(started, 202)
        closing = _closing(started.headers["location"], name)
        _expect(await self._http.put(closing, content=blob, headers={"Content-Type": "application/octet-stream"}), 201)

    async def _put_manifest(self, reference: str, media_type: str, raw: bytes) -> None:
        url = f"{self._repository}/manifests/{reference}"
        _expect(await self._http.put(url, content=raw, headers={"Content-Type": media_type}), 201)

    async def tag_digest(self, tag: str) -> str | None:
        """What a tag stands on; None when there is no such tag."""
        answer = await self._http.head(f"{self._repository}/manifests/{tag}", headers={"Accept": ACCEPT})
        return None if answer.status_code == httpx.codes.NOT_FOUND else str(answer.headers["docker-content-digest"])

    async def read(self, reference: str) -> Found:
        """Read a whole image: every manifest and every byte of every blob, hashing what comes.

        Raises:
            BrokenContentError: Something is missing or has another digest.
        """
        raw = await self._manifest(reference)
        root = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        manifests, blobs, waiting = {root: raw}, dict[str, int](), [raw]
        while waiting:
            body = json.loads(waiting.pop())
            for child in body.get("manifests") or []:
                if child["digest"] not in manifests:
                    manifests[child["digest"]] = await self._manifest(child["digest"])
                    waiting.append(manifests[child["digest"]])
            for part in [*filter(None, [body.get("config")]), *(body.get("layers") or []), *(body.get("blobs") or [])]:
                blobs[part["digest"]] = part["size"]
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def check(name: str, size: int) -> None:
            async with at_once:
                await self._check_blob(name, size)

        async with asyncio.TaskGroup() as group:
            for name, size in blobs.items():
                group.create_task(check(name, size))
        return Found(root, manifests, blobs)

    async def _manifest(self, reference: str) -> bytes:
        answer = await self._http.get(f"{self._repository}/manifests/{reference}", headers={"Accept": ACCEPT})
        _expect(answer, 200)
        if ":" in reference and f"sha256:{hashlib.sha256(answer.content).hexdigest()}" != reference:
            raise BrokenContentError(f"{reference} is served with other bytes")
        return answer.content

    async def _check_blob(self, name: str, size: int) -> None:
        hasher, length = hashlib.new(name.partition(":")[0]), 0
        async with self._http.stream("GET", f"{self._repository}/blobs/{name}", follow_redirects=True) as answer:
            _expect(answer, 200)
            async for piece in answer.aiter_raw():
                hasher.update(piece)
                length += len(piece)
        if (length, hasher.hexdigest()) != (size, name.partition(":")[2]):
            raise BrokenContentError(f"{name} is served with other bytes")


def _closing(location: str, name: str) -> httpx.URL:
    url = httpx.URL(location)
    return url.copy_merge_params([*url.params.multi_items(), ("digest", name)])


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        where = f"{answer.request.method} {answer.request.url.path}"
        raise BrokenContentError(f"{where} answered {answer.status_code}, expected {status}")
