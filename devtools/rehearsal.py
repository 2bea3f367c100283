"""For tests: a worker process that can die at any moment, in front of emulated registries and the real Azurite.

A `Worker` is the product as `wiring.build` makes it, with one difference: all its exchanges, with registries and
with storage, pass a `Mortality` that can end the worker before one is sent or after it was answered. From then on
nothing leaves the worker any more, as if the process had been killed; what it had in memory is gone.
"""

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx
from azure.core.pipeline.transport import AioHttpTransport

from importcore.registry.origin import OriginGate, netloc_of
from importcore.storage.names import STORAGE_NAMES, StorageNames
from importcore.wiring import Services, build


class Moment(StrEnum):
    """When, around an exchange, the worker dies."""

    BEFORE = "before"
    AFTER = "after"


class Died(BaseException):
    """The worker was killed; not an Exception, so that nothing in the product can catch it."""


@dataclass(slots=True)
class Mortality:
    """Counts the exchanges of a worker and ends it at one of them.

    Attributes:
        at: The number of the exchange, from 0; None never.
        moment: Whether the exchange still reaches the other side.
        seen: The exchanges so far, as "METHOD host path".
    """

    at: int | None = None
    moment: Moment = Moment.BEFORE
    seen: list[str] = field(default_factory=list)
    dead: bool = False

    def before(self, what: str) -> int:
        """Count an exchange; ends the worker when it is the one.

        Raises:
            Died: Now or earlier.
        """
        if self.dead:
            raise Died
        number = len(self.seen)
        self.seen.append(what)
        if number == self.at and self.moment is Moment.BEFORE:
            self._die()
        return number

    def after(self, number: int) -> None:
        """The exchange was answered; ends the worker when it is the one.

        Raises:
            Died: Now or earlier.
        """
        if self.dead or (number == self.at and self.moment is Moment.AFTER):
            self._die()

    def _die(self) -> None:
        self.dead = True
        raise Died


class RegistryWire(httpx.AsyncBaseTransport):
    """Carries a worker's requests to emulated registries in process, by `host[:port]`."""

    def __init__(self, registries: Mapping[str, Any], mortality: Mortality, gate: OriginGate) -> None:
        self._apps = {host: httpx.ASGITransport(app) for host, app in registries.items()}
        self._mortality = mortality
        self._gate = gate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, unless the worker dies of it."""
        host = netloc_of(request.url)
        number = self._mortality.before(f"{request.method} {host} {request.url.path}")
        if host not in self._apps:
            raise httpx.ConnectError(f"nothing listens at {host}")
        response = await self._apps[host].handle_async_request(request)
        self._mortality.after(number)
        return response


class StorageWire(AioHttpTransport):  # type: ignore[misc]  # the SDK loads it lazily, untyped
    """Carries a worker's requests to Azurite."""

    def __init__(self, mortality: Mortality) -> None:
        super().__init__()
        self._mortality = mortality

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 (the SDK's)
        """Carry one request, unless the worker dies of it."""
        path = httpx.URL(request.url).path
        number = self._mortality.before(f"{request.method} storage {path}")
        response = await super().send(request, **options)
        self._mortality.after(number)
        return response


def app_settings(
    connection_string: str, target: str, hosts: Mapping[str, Mapping[str, Any]], **more: str
) -> dict[str, str]:
    """The app settings of a worker on this machine."""
    return {
        "AzureWebJobsStorage": connection_string,
        "TRANSLOAD_SEALING_KEYS": "test:" + base64.b64encode(b"k" * 32).decode(),
        "TRANSLOAD_DEFAULT_TARGET_REGISTRY": target,
        "TRANSLOAD_REGISTRIES": json.dumps(hosts),
        **more,
    }


def open_host() -> dict[str, Any]:
    """What the settings say about a registry on this machine."""
    return {"plainHttp": True, "private": True}


def worker(
    settings: Mapping[str, str],
    registries: Mapping[str, Any],
    mortality: Mortality | None = None,
    names: StorageNames = STORAGE_NAMES,
) -> Services:
    """Start a worker: the whole product, its exchanges under `mortality`."""
    fate = mortality or Mortality()

    def wire(gate: OriginGate, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:  # noqa: ARG001 (the factory's form)
        return RegistryWire(registries, fate, gate)

    return build(settings, transport=wire, storage_options={"transport": StorageWire(fate)}, names=names)
