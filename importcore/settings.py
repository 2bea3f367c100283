"""The app settings, read once per worker process; the only reader of the environment.

Every setting is described in `docs/settings.md`. A wrong value never falls back to a default: all wrong settings are
named in one `ConfigurationError`, which every function then answers until they are corrected.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from importcore.errors import ConfigurationError, InvalidReferenceError, printable
from importcore.reference import normal_registry, registry_of

MEBIBYTE = 1024 * 1024
_ACR_SUFFIXES = (".azurecr.io", ".azurecr.cn", ".azurecr.us")
_KEY_VAULT_UNRESOLVED = "@Microsoft.KeyVault("
_SEALING_KEY_BYTES = 32


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class HostSettings(BaseModel):
    """What is special about one registry host (a value of the JSON object in `TRANSLOAD_REGISTRIES`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_camel)

    plain_http: bool = False
    """Speak http instead of https; for test registries inside a closed network."""
    private: bool = False
    """The host may resolve to a private or loopback address."""
    acr: bool | None = None
    """Offer this app's Entra identity to the host; by default only ACR's own host names get it."""
    ca_file: str | None = None
    """A PEM file with the certificate authority that signed the host's certificate."""
    chunk_bytes: Annotated[int, Field(ge=64 * 1024, le=1024 * MEBIBYTE)] | None = None
    """The largest chunk to send to this host, in bytes."""


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """How to reach the storage account that also serves the Functions host.

    Either `connection_string` is set (local stack), or the three endpoints are, to be used with an identity.
    """

    connection_string: str | None = None
    queue_endpoint: str | None = None
    table_endpoint: str | None = None
    blob_endpoint: str | None = None
    client_id: str | None = None


@dataclass(frozen=True)
class Settings:
    """All that an installation can decide. Times are in seconds, sizes in bytes."""

    storage: StorageAccount
    sealing_keys: tuple[tuple[str, bytes], ...]
    default_target_registry: str | None = None
    target_registries: tuple[str, ...] = ()
    registries: Mapping[str, HostSettings] = field(default_factory=dict)
    slice_seconds: float = 540.0
    lease_seconds: float = 60.0
    chunk_bytes: int = 32 * MEBIBYTE
    parallel_transfers: int = 6
    client_id: str | None = None
    identity_endpoint_host: str | None = None
    use_developer_identity: bool = False

    def host(self, registry: str) -> HostSettings:
        """Give what is special about a registry host; nothing is, unless configured."""
        return self.registries.get(registry_of(registry), _ORDINARY_HOST)

    def is_acr(self, registry: str) -> bool:
        """Tell whether this host may be shown the app's Entra identity."""
        configured = self.host(registry).acr
        return registry.endswith(_ACR_SUFFIXES) if configured is None else configured

    @cached_property
    def allowed_targets(self) -> tuple[str, ...]:
        """The registries that imports may write to: those listed, else the default one alone."""
        if self.target_registries:
            return self.target_registries
        return (self.default_target_registry,) if self.default_target_registry else ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the app settings.

        Raises:
            ConfigurationError: Names every setting that is missing or wrong.
        """
        reader = _Reader(environment)
        settings = cls(
            storage=reader.storage(),
            sealing_keys=reader.sealing_keys(),
            default_target_registry=reader.registry("TRANSLOAD_DEFAULT_TARGET_REGISTRY"),
            target_registries=reader.registry_list("TRANSLOAD_TARGET_REGISTRIES"),
            registries=reader.hosts("TRANSLOAD_REGISTRIES"),
            slice_seconds=reader.number("TRANSLOAD_SLICE_SECONDS", 540, least=1, most=86_400),
            lease_seconds=reader.number("TRANSLOAD_LEASE_SECONDS", 60, least=1, most=3_600),
            chunk_bytes=reader.whole("TRANSLOAD_CHUNK_BYTES", 32 * MEBIBYTE, least=64 * 1024, most=1024 * MEBIBYTE),
            parallel_transfers=reader.whole("TRANSLOAD_PARALLEL_TRANSFERS", 6, least=1, most=16),
            client_id=reader.text("AZURE_CLIENT_ID", "") or None,
            identity_endpoint_host=reader.netloc("IDENTITY_ENDPOINT"),
            use_developer_identity=reader.flag("TRANSLOAD_DEVELOPER_IDENTITY"),
        )
        reader.raise_if_wrong()
        return settings


_ORDINARY_HOST = HostSettings()
_HOSTS = TypeAdapter(dict[str, HostSettings])


class _Reader:
    """Reads settings one by one and remembers everything that was wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._wrong: list[str] = []

    def text(self, name: str, default: str) -> str:
        value = self._environment.get(name, "").strip()
        if value.startswith(_KEY_VAULT_UNRESOLVED):
            self._wrong.append(f"{name}: its Key Vault reference was not resolved; check the identity's role there")
            return default
        return value or default

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self._wrong.append(f"{name}: '{printable(text, 40)}' is not a number from {least:g} to {most:g}")
            return float(default)
        return value

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.number(name, default, least=least, most=most)
        if not value.is_integer():
            self._wrong.append(f"{name}: {value:g} is not a whole number")
        return int(value)

    def netloc(self, name: str) -> str | None:
        try:
            return urlsplit(self.text(name, "")).netloc or None
        except ValueError:
            self._wrong.append(f"{name}: is not a URL")
            return None

    def flag(self, name: str) -> bool:
        text = self.text(name, "false").lower()
        if text not in {"true", "false"}:
            self._wrong.append(f"{name}: must be true or false")
        return text == "true"

    def registry(self, name: str) -> str | None:
        text = self.text(name, "")
        return self._normal(name, text) if text else None

    def registry_list(self, name: str) -> tuple[str, ...]:
        parts = (part.strip() for part in self.text(name, "").split(","))
        return tuple(host for part in parts if part and (host := self._normal(name, part)))

    def hosts(self, name: str) -> dict[str, HostSettings]:
        try:
            hosts = _HOSTS.validate_json(self.text(name, "{}"))
        except ValidationError as error:
            for problem in error.errors(include_input=False, include_url=False):
                place = ".".join(str(part) for part in problem["loc"])
                self._wrong.append(f"{name}: {place + ': ' if place else ''}{problem['msg']}")
            return {}
        return {host: value for key, value in hosts.items() if (host := self._normal(name, key))}

    def sealing_keys(self) -> tuple[tuple[str, bytes], ...]:
        name = "TRANSLOAD_SEALING_KEYS"
        keys: dict[str, bytes] = {}
        parts = [part.strip() for part in self.text(name, "").split(",") if part.strip()]
        for part in parts:
            key_id, _, encoded = part.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:  # not base64, or not even ASCII
                key = b""
            if not (key_id.isascii() and key_id.isalnum()) or len(key) != _SEALING_KEY_BYTES:
                self._wrong.append(f"{name}: each entry must be id:base64, with {_SEALING_KEY_BYTES} bytes in base64")
            elif key_id in keys:
                self._wrong.append(f"{name}: two keys have the id '{key_id[:40]}'")
            keys[key_id] = key
        if not parts:
            self._wrong.append(f"{name}: is missing; it seals credentials and upload sessions that wait in the queue")
        return tuple(keys.items())

    def storage(self) -> StorageAccount:
        name = "AzureWebJobsStorage"
        connection_string = self.text(name, "")
        if connection_string:
            return StorageAccount(connection_string=connection_string)
        account = self.text(f"{name}__accountName", "")

        def endpoint(service: str) -> str | None:
            derived = f"https://{account}.{service}.core.windows.net" if account else ""
            return self.text(f"{name}__{service}ServiceUri", derived) or None

        queue, table, blob = endpoint("queue"), endpoint("table"), endpoint("blob")
        if not (queue and table and blob):
            self._wrong.append(
                f"{name}: set a connection string, or {name}__accountName, or all of {name}__queueServiceUri, "
                f"{name}__tableServiceUri and {name}__blobServiceUri"
            )
        return StorageAccount(None, queue, table, blob, self.text(f"{name}__clientId", "") or None)

    def _normal(self, name: str, text: str) -> str | None:
        try:
            return normal_registry(text)
        except InvalidReferenceError as error:
            self._wrong.append(f"{name}: {error.message}")
            return None

    def raise_if_wrong(self) -> None:
        if self._wrong:
            raise ConfigurationError("; ".join(self._wrong))
