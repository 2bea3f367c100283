"""An app with an open target, and whatever source a test puts beside it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from devtools.app_in_process import AppInProcess
from devtools.emulator import Emulator
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import SampleImage, multi_platform
from devtools.testing import running_emulator
from importcore.api.http_api import Answer

IMAGE = multi_platform([2_000, 300], ["linux/amd64", "linux/arm64"])


class Dock:
    """The app and its target."""

    def __init__(self, app: AppInProcess, target: str, emulator: Emulator) -> None:
        self.app, self.target, self.emulator = app, target, emulator

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        storage: str,
        hosts: Mapping[str, Mapping[str, Any]],
        settings: Mapping[str, str] | None = None,
        target_host: Mapping[str, Any] | None = None,
    ) -> AsyncIterator["Dock"]:
        """Start the app beside an emulated target without a sign-in.

        Args:
            storage: Connection string of the storage account.
            hosts: What the settings say about other hosts.
            settings: More app settings.
            target_host: What else the settings say about the target.
        """
        async with running_emulator() as (target, emulator):
            configured = app_settings(
                storage, target, {target: {**open_host(), **(target_host or {})}, **hosts}, **(settings or {})
            )
            async with AppInProcess.started(configured) as app:
                yield cls(app, target, emulator)

    async def send(self, source: object, **more: object) -> Answer:
        """Send a request for an import to `app:1`."""
        return await self.app.post({"source": source, "targetTags": ["app:1"], **more})

    async def import_from(self, source: object, **more: object) -> dict[str, Any]:
        """Import to `app:1`, and give the record when everything is worked off."""
        answer = await self.send(source, **more)
        assert answer.status == 202, answer.body
        await self.app.work_off()
        return await self.app.record(json.loads(answer.body)["id"])

    async def require_arrived(self, record: Mapping[str, Any], image: SampleImage = IMAGE) -> None:
        """The import succeeded, and the target serves exactly the image."""
        assert (record["status"], record["error"]) == ("Succeeded", None)
        async with RegistryContent.at(f"http://{self.target}", "app") as content:
            found = await content.read("1")
        assert (found.root, set(found.blobs)) == (image.root, set(image.blobs))


async def push(
    address: str, image: SampleImage = IMAGE, repository: str = "app", *, auth: httpx.Auth | None = None
) -> None:
    """Push an image to a registry on this machine as `{repository}:1`."""
    async with RegistryContent.at(f"http://{address}", repository, auth) as content:
        await content.push(image, "1")


def problems_of(answer: Answer) -> dict[str, str]:
    """The wrong fields of a refused request, with the words about each."""
    assert answer.status == 400, answer.body
    return {problem["target"]: problem["message"] for problem in json.loads(answer.body)["error"]["details"]}
