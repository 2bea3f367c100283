"""The app settings, as the host reads them: `%NAME%` in bindings, and what a `connection` stands for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue.aio import QueueServiceClient

_RETRY: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "retry_total": 2}
"""Short waits: the listeners have their own back-off, and a renewal must not come too late."""
_PLACEHOLDER = re.compile(r"%([^%]+)%")


class MissingSettingError(LookupError):
    """A binding refers to an app setting that is not there."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The settings of one function app."""

    values: Mapping[str, str]

    def expanded(self, text: str) -> str:
        """Replace every `%NAME%` by the setting's value.

        Raises:
            MissingSettingError: There is no such setting.
        """

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self.values:
                raise MissingSettingError(f"'{text}': there is no app setting {name}")
            return self.values[name]

        return _PLACEHOLDER.sub(value, text)

    def seconds(self, name: str, default: float) -> float:
        """Read a number of seconds."""
        return float(self.values.get(name, default))

    def queue_service(self, connection: str) -> QueueServiceClient:
        """Build the client of a binding's `connection`.

        An exact setting is a connection string and wins over the group `<connection>__…` of an identity-based
        connection; the prefix `AzureWebJobs` may be left off ("Connections", Azure Functions queue trigger).

        Raises:
            MissingSettingError: Nothing tells where the storage account is.
        """
        for name in (connection, f"AzureWebJobs{connection}"):
            if name in self.values:
                return QueueServiceClient.from_connection_string(self.values[name], **_RETRY)
            endpoint = self._queue_endpoint(name)
            if endpoint:
                return QueueServiceClient(endpoint, credential=self._credential(name), **_RETRY)
        raise MissingSettingError(
            f"connection '{connection}': set {connection} to a connection string, or {connection}__queueServiceUri,"
            f" or {connection}__accountName"
        )

    def _queue_endpoint(self, name: str) -> str | None:
        for field in ("queueServiceUri", "serviceUri"):
            if f"{name}__{field}" in self.values:
                return self.values[f"{name}__{field}"]
        account = self.values.get(f"{name}__accountName")
        return f"https://{account}.queue.core.windows.net" if account else None

    def _credential(self, name: str) -> AsyncTokenCredential:
        client_id = self.values.get(f"{name}__clientId")
        if self.values.get(f"{name}__credential", "").lower() == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        return DefaultAzureCredential(managed_identity_client_id=client_id)
