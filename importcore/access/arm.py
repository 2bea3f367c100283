"""Azure Resource Manager, as far as imports need it: the login server of a registry's resource id.

Source: Azure REST API, Microsoft.ContainerRegistry, "Registries - Get" (`GET {arm}{resourceId}?api-version=…` →
`properties.loginServer`). The name alone does not give the login server: it can have a hash behind it (domain name
label scope), and its suffix is the cloud's. Needs the role Reader on the registry, or any other that may read it.
"""

import json
import time
from collections.abc import Awaitable, Callable

import httpx

from importcore.errors import (
    AuthenticationError,
    InvalidReferenceError,
    InvalidRequestError,
    RegistryUnavailableError,
    UnsafeUrlError,
    printable,
)
from importcore.reference import normal_registry
from importcore.registry.answers import error_for, unavailable
from importcore.registry.registries import Registries
from importcore.registry.tokens import read_at_most
from importcore.request.source_access import RegistryResource
from importcore.settings.model import Settings

API_VERSION = "2025-11-01"
_NAME = "Azure Resource Manager"
_STEP = "find the registry of a resource id"
_KEPT_SECONDS = 3600.0
_KEPT_AT_MOST = 1_000
_ANSWER_AT_MOST = 1024 * 1024


class RegistryResources:
    """Finds login servers by resource ids; keeps them for an hour, in this process."""

    def __init__(self, settings: Settings, registries: Registries, tokens: Callable[[], Awaitable[str]]) -> None:
        self._settings = settings
        self._registries = registries
        self._tokens = tokens
        self._kept: dict[str, tuple[float, str]] = {}

    async def login_server(self, resource: RegistryResource) -> str:
        """Give the login server of a registry.

        Raises:
            InvalidRequestError: There is no such registry, or this app's identity may not read it.
            AuthenticationError: The identity has no token, or the token is not accepted.
            RegistryUnavailableError: Azure Resource Manager did not answer; asking again may help.
            UnsafeUrlError: What it named is no registry that this app's identity may be shown to.
        """
        key = str(resource).lower()
        until, server = self._kept.get(key, (0.0, ""))
        if time.monotonic() < until:
            return server
        server = self._accepted(resource, await self._ask(resource))
        while len(self._kept) >= _KEPT_AT_MOST:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = (time.monotonic() + _KEPT_SECONDS, server)
        return server

    async def _ask(self, resource: RegistryResource) -> bytes:
        url = httpx.URL(self._settings.arm_endpoint)
        http = self._registries.http(url)
        url = url.copy_with(path=str(resource)).copy_set_param("api-version", API_VERSION)
        headers = {"Authorization": f"Bearer {await self._tokens()}", "Accept": "application/json"}
        try:
            response = await http.send(http.build_request("GET", url, headers=headers), stream=True, auth=None)
            body = await read_at_most(response, _ANSWER_AT_MOST)
        except httpx.RequestError as error:
            raise unavailable(error, _NAME, _STEP) from error
        match response.status_code:
            case httpx.codes.OK:
                return body
            case httpx.codes.FORBIDDEN:
                raise _not_readable(resource, "this app's identity may not read")
            case httpx.codes.NOT_FOUND:
                raise _not_readable(resource, "there is no registry, or none that this app's identity may see, at")
            case httpx.codes.UNAUTHORIZED:
                raise AuthenticationError(
                    f"{_NAME} does not accept the token of this app's identity",
                    registry=_NAME,
                    status=response.status_code,
                    step=_STEP,
                    action="Check that AZURE_CLOUD names the cloud, and that the identity is of the registry's tenant.",
                )
        raise error_for(response, body, registry=_NAME, step=_STEP)

    def _accepted(self, resource: RegistryResource, body: bytes) -> str:
        try:
            server = normal_registry(json.loads(body)["properties"]["loginServer"])
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError, InvalidReferenceError) as error:
            raise RegistryUnavailableError(
                f"{_NAME} answered without the login server of {resource}", registry=_NAME, step=_STEP
            ) from error
        if not self._settings.takes_identity(server):
            raise UnsafeUrlError(
                f"{_NAME} names {printable(server, 80)} as the login server of {resource.name}, which is no registry "
                f"of {self._settings.cloud.name}: it gets no token of this app's identity",
                action="Set AZURE_CLOUD to the registry's cloud.",
                step=_STEP,
            )
        return server


def _not_readable(resource: RegistryResource, why: str) -> InvalidRequestError:
    message = f"{why} {resource}; the identity needs the role Reader there, besides AcrPull or Repository Reader"
    return InvalidRequestError.in_field("source.resourceId", message, "not_readable")
