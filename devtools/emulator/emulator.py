"""Emulator: one registry with its store, its fault script and its journal, as an ASGI application."""

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devtools.emulator.announcements import Announcements
from devtools.emulator.catalog import Catalog
from devtools.emulator.config import EmulatorConfig
from devtools.emulator.control import PREFIX, ControlEndpoints, state_of
from devtools.emulator.disk_store import DiskStore
from devtools.emulator.faults import FaultScript
from devtools.emulator.faulty_wire import Pace, paced, run_faulty
from devtools.emulator.grammar import is_repository
from devtools.emulator.journal import Journal
from devtools.emulator.memory_store import MemoryStore
from devtools.emulator.refusal import RefusalError
from devtools.emulator.routes import registry_routes
from devtools.emulator.store import Store
from devtools.emulator.wire import ConnectionDroppedError, hang_up


@dataclass(frozen=True, slots=True)
class Emulator:
    """One emulated registry.

    Attributes:
        app: The ASGI application; also fits `httpx.ASGITransport`.
        config: Its manners.
        store: The bytes.
        catalog: The repositories.
        faults: What is to go wrong.
        journal: What was asked.
        announcements: Who is told of pushes.
    """

    app: ASGIApp
    config: EmulatorConfig
    store: Store
    catalog: Catalog
    faults: FaultScript
    journal: Journal
    announcements: Announcements

    def state(self) -> dict[str, Any]:
        """What the registry holds, in the form of `GET /_emulator/state`."""
        return state_of(self.store, self.catalog)

    def close(self) -> None:
        """Let go of files."""
        for upload in self.store.uploads():
            upload.pause()
        self.catalog.close()


def create_emulator(config: EmulatorConfig | None = None) -> Emulator:
    """Make a registry; without a configuration an open one in memory."""
    config = config or EmulatorConfig()
    if config.data_dir is not None:
        config.data_dir.mkdir(parents=True, exist_ok=True)
    store: Store = MemoryStore() if config.data_dir is None else DiskStore(config.data_dir)
    catalog = Catalog(None if config.data_dir is None else config.data_dir / "catalog.sqlite")
    faults, journal = FaultScript(), Journal()
    announcements = Announcements()
    registry = Router(registry_routes(config, store, catalog, announcements), redirect_slashes=False)
    endpoints = ControlEndpoints(faults, journal, store, catalog, announcements)
    control = Router(endpoints.routes(), redirect_slashes=False)
    app = _Front(config, registry, control, faults, journal)
    return Emulator(app, config, store, catalog, faults, journal, announcements)


class _Front:
    """Takes every request: journal, then faults, then the registry."""

    def __init__(
        self, config: EmulatorConfig, registry: ASGIApp, control: ASGIApp, faults: FaultScript, journal: Journal
    ) -> None:
        self._registry = registry
        self._control = control
        self._faults = faults
        self._journal = journal
        rate = config.bytes_per_second
        self._paces = None if rate is None else (Pace(rate), Pace(rate))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith(PREFIX):
            await self._control(scope, receive, send)
            return
        entry, receive, send = self._journal.open(scope, receive, send)
        if self._paces is not None:
            receive, send = paced(receive, send, *self._paces)
        actions = self._faults.take(entry.method, entry.path)
        entry.faults = tuple(action.kind for action in actions)
        try:
            await run_faulty(self._answer, actions, scope, receive, send)
        except ConnectionDroppedError:
            entry.dropped = True
            await hang_up(scope, receive)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the registry answer; what it refuses becomes the spec's error body."""

        async def versioned(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/v2"):
                MutableHeaders(scope=message)["Docker-Distribution-Api-Version"] = "registry/2.0"
            await send(message)

        try:
            if _names_no_repository(scope["path"]):
                response = Response("404 page not found\n", status_code=404, media_type="text/plain")
                await response(scope, receive, versioned)
            else:
                await self._registry(scope, receive, versioned)
        except RefusalError as refusal:
            await refusal.response()(scope, receive, versioned)
        except ClientDisconnect:
            return  # the client hung up in the middle of its body; what came is kept, and nobody waits for an answer


def _names_no_repository(path: str) -> bool:
    """Whether a path is about a repository whose name breaks the grammar; it leads nowhere, as in distribution."""
    for part in ("/blobs/", "/manifests/", "/tags/list", "/referrers/"):
        name, found, _ = path.removeprefix("/v2/").rpartition(part)
        if path.startswith("/v2/") and found:
            return not is_repository(name)
    return False
