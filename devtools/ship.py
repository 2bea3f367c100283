"""For tests: an emulated source, an emulated target, and the whole app between them, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from devtools.app_in_process import AppInProcess
from devtools.emulator import Emulator, EmulatorConfig
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import SampleImage
from devtools.testing import running_emulator


class Ship:
    """A source, a target, and an app between them."""

    def __init__(self, app: AppInProcess, source: tuple[str, Emulator], target: tuple[str, Emulator]) -> None:
        self.app = app
        self.source, self.source_emulator = source
        self.target, self.target_emulator = target

    @classmethod
    @asynccontextmanager
    async def sails(
        cls,
        storage: str,
        source: EmulatorConfig | None = None,
        target: EmulatorConfig | None = None,
        **settings: str,
    ) -> AsyncIterator["Ship"]:
        """Start two emulated registries and the app, with more app settings where a test needs them."""
        async with running_emulator(source) as here, running_emulator(target) as there:
            hosts = {here[0]: open_host(), there[0]: open_host()}
            async with AppInProcess.started(app_settings(storage, there[0], hosts, **settings)) as app:
                yield cls(app, here, there)

    async def push(self, content: SampleImage, tag: str | None = "1", repository: str = "app") -> None:
        """Push to a repository of the source; without a tag by digest alone."""
        async with RegistryContent.at(f"http://{self.source}", repository) as pushed:
            await pushed.push(content, tag or content.root)

    async def import_app(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of the body)
        """Import `app:1`."""
        return await self.app.import_now(f"{self.source}/app:1", f"{self.target}/app:1", **more)

    def manifests(self) -> set[str]:
        """The digests of all manifests at the target."""
        return set(self.target_emulator.state()["repositories"]["app"]["manifests"])

    def tags(self) -> dict[str, str]:
        """The tags at the target."""
        return dict(self.target_emulator.state()["repositories"]["app"]["tags"])
