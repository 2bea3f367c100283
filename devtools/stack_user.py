"""For tests: somebody who uses a running stack over HTTP, has images to import, and can be called back."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from devtools.demo.proof import content_of
from devtools.receiver import Receiver
from devtools.sample_images import SampleImage, multi_platform
from devtools.stack_process import Stack
from importcore.reference import Reference

CALLBACK_KEY = b"c" * 32
HOOK_SECRET = "hush"  # noqa: S105 (made up)
FINAL = {"Succeeded", "Failed", "Canceled"}
IMAGE = multi_platform([50_000, 3_000], ["linux/amd64", "linux/arm64"])
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class StackUser:
    """Somebody with an HTTP client and images to import.

    Attributes:
        stack: The running stack.
        api: A client of its HTTP API.
        receiver: Takes the callbacks that go to `callback_url`.
        callback_url: A URL that the stack may call.
        data: The stack's folder: its logs, its storage.
    """

    stack: Stack
    api: httpx.AsyncClient
    receiver: Receiver
    callback_url: str
    data: Path

    async def push(self, repository: str, image: SampleImage = IMAGE) -> str:
        """Push an image to the source, signed in with the stack's managed identity; its reference."""
        reference = Reference.in_registry(self.stack.source, f"{repository}:1")
        async with content_of(reference, self.stack.identity) as content:
            await content.push(image, "1")
        return str(reference)

    async def ended(self, import_id: str) -> dict[str, Any]:
        """Wait until an import has ended; its record."""
        while True:
            record: dict[str, Any] = (await self.api.get(f"/api/imports/{import_id}")).json()
            if record["status"] in FINAL:
                return record
            await asyncio.sleep(_PAUSE_SECONDS)

    async def told(self, import_id: str) -> dict[str, Any]:
        """Wait until the callback of an import was delivered; its record."""
        while True:
            record = await self.ended(import_id)
            if record["notices"][0]["status"] == "Delivered":
                return record
            await asyncio.sleep(_PAUSE_SECONDS)

    async def require_equal(self, reference: str, image: SampleImage = IMAGE) -> None:
        """The target serves exactly the image.

        Raises:
            AssertionError: It does not.
        """
        wanted = Reference.parse(reference)
        async with content_of(wanted, self.stack.identity) as content:
            found = await content.read(wanted.manifest_reference)
        if (found.root, set(found.blobs)) != (image.root, set(image.blobs)):
            raise AssertionError(f"{reference} does not hold the image that was pushed")
