"""Reads app settings one by one, and remembers everything that was wrong, so that it is all said at once."""

import base64
import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from importcore.documents.place import DocumentPlace
from importcore.errors import ConfigurationError, InvalidReferenceError, printable
from importcore.reference import normal_registry
from importcore.settings.clouds import CLOUDS, PUBLIC, Cloud, cloud_of_registry
from importcore.settings.values import (
    KEY_VAULT_UNRESOLVED,
    ConfiguredCredentials,
    HookSettings,
    HostSettings,
    StorageAccount,
)

_SEALING_KEY_BYTES = 32
_CREDENTIALS_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOSTS = TypeAdapter(dict[str, HostSettings])
_CREDENTIALS = TypeAdapter(dict[str, ConfiguredCredentials])
_HOOKS = TypeAdapter(dict[str, HookSettings])
_HOOK_NAME = re.compile(r"[a-z]{1,32}(/[A-Za-z0-9_-]{1,64})?")

T = TypeVar("T")


class SettingsReader:
    """Gives the value of each setting; a wrong one gives a default and is named by `raise_if_wrong`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._found: list[str] = []

    def wrong(self, what: str) -> None:
        """Note that something is wrong; `what` begins with the setting's name."""
        self._found.append(what)

    def raise_if_wrong(self) -> None:
        """Raise one error that names everything that was wrong.

        Raises:
            ConfigurationError: Something was.
        """
        if self._found:
            raise ConfigurationError("; ".join(self._found))

    def text(self, name: str, default: str) -> str:
        """Give a text, trimmed."""
        value = self._environment.get(name, "").strip()
        if value.startswith(KEY_VAULT_UNRESOLVED):
            self.wrong(f"{name}: its Key Vault reference was not resolved; check the identity's role there")
            return default
        return value or default

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """Give a number within bounds."""
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self.wrong(f"{name}: '{printable(text, 40)}' is not a number from {least:g} to {most:g}")
            return float(default)
        return value

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        """Give a whole number within bounds."""
        value = self.number(name, default, least=least, most=most)
        if not value.is_integer():
            self.wrong(f"{name}: {value:g} is not a whole number")
        return int(value)

    def netloc(self, name: str) -> str | None:
        """Give `host[:port]` of a URL."""
        try:
            parts = urlsplit(self.text(name, ""))
            _ = parts.port  # raises where it is no number
        except ValueError:
            self.wrong(f"{name}: is not a URL")
            return None
        return parts.netloc or None

    def flag(self, name: str) -> bool:
        """Give true or false."""
        text = self.text(name, "false").lower()
        if text not in {"true", "false"}:
            self.wrong(f"{name}: must be true or false")
        return text == "true"

    def registry(self, name: str) -> str | None:
        """Give a registry in its normal form."""
        text = self.text(name, "")
        return self._normal(name, text) if text else None

    def registry_list(self, name: str) -> tuple[str, ...]:
        """Give registries, separated by commas, in their normal form."""
        parts = (part.strip() for part in self.text(name, "").split(","))
        return tuple(host for part in parts if part and (host := self._normal(name, part)))

    def hosts(self, name: str) -> dict[str, HostSettings]:
        """Give what is special about each host, by its normal form."""
        hosts: dict[str, HostSettings] = {}
        for key, value in self._json(name, _HOSTS).items():
            host = self._normal(name, key)
            if host and host in value.mirrors:
                self.wrong(f"{name}: {host}.mirrors: names the registry itself")
            if host:
                hosts[host] = value
        return hosts

    def credentials(self, name: str) -> dict[str, ConfiguredCredentials]:
        """Give the configured credentials by their names; nothing of a wrong one is repeated but its name."""
        found = self._json(name, _CREDENTIALS)
        for key in found:
            if _CREDENTIALS_NAME.fullmatch(key) is None:
                self.wrong(f"{name}: '{printable(key, 64)}': a name has 1 to 64 letters, digits, '_' or '-'")
        return found

    def hooks(self, name: str) -> dict[str, HookSettings]:
        """Give what is special about each hook, by `kind` or `kind/name`; nothing of a wrong one is repeated."""
        found = self._json(name, _HOOKS)
        for key in found:
            if _HOOK_NAME.fullmatch(key) is None:
                self.wrong(f"{name}: '{printable(key, 80)}': must be a kind, or a kind and a name: acr, harbor/team")
        return found

    def cloud(self, name: str, *registries: str | None) -> Cloud:
        """Give the cloud that is named; else that of the first registry which is an ACR; else the public one."""
        text = self.text(name, "")
        if text and text not in CLOUDS:
            self.wrong(f"{name}: '{printable(text, 40)}' is not one of {', '.join(CLOUDS)}")
        near = (cloud for registry in registries if registry and (cloud := cloud_of_registry(registry)))
        return CLOUDS.get(text) or next(near, PUBLIC)

    def url(self, name: str, default: str) -> str:
        """Give a URL of a server, without a slash at the end."""
        text = self.text(name, default).rstrip("/")
        parts = urlsplit(text) if self.netloc(name) or text == default else None
        if parts is None or parts.scheme not in {"https", "http"} or parts.path or parts.query or parts.username:
            self.wrong(f"{name}: must be a URL such as {default}, without a path")
            return default
        return text

    def document(self, name: str) -> DocumentPlace | None:
        """Give where a document lies; what it says is read later, and again when it changes."""
        text = self.text(name, "")
        try:
            return DocumentPlace.parse(text) if text else None
        except ValueError as error:
            self.wrong(f"{name}: {error}")
            return None

    def sealing_keys(self) -> tuple[tuple[str, bytes], ...]:
        """Give the sealing keys, by id, in their order."""
        name = "TRANSLOAD_SEALING_KEYS"
        keys = self.keys(name, least=_SEALING_KEY_BYTES, most=_SEALING_KEY_BYTES)
        if not self.text(name, "").strip(", "):
            self.wrong(f"{name}: is missing; it seals credentials and upload sessions that wait in the queue")
        return keys

    def keys(self, name: str, *, least: int, most: int) -> tuple[tuple[str, bytes], ...]:
        """Give keys of so many bytes, by id, in their order."""
        keys: dict[str, bytes] = {}
        for part in (part.strip() for part in self.text(name, "").split(",") if part.strip()):
            key_id, _, encoded = part.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:  # not base64, or not even ASCII
                key = b""
            if not (key_id.isascii() and key_id.isalnum()) or not least <= len(key) <= most:
                size = str(least) if least == most else f"{least} to {most}"
                self.wrong(f"{name}: each entry must be id:base64, with {size} bytes in base64")
            elif key_id in keys:
                self.wrong(f"{name}: two keys have the id '{key_id[:40]}'")
            keys[key_id] = key
        return tuple(keys.items())

    def storage(self, cloud: Cloud) -> StorageAccount:
        """Give the storage account; its endpoints are those of the cloud, unless they are named themselves."""
        name = "AzureWebJobsStorage"
        connection_string = self.text(name, "")
        if connection_string:
            return StorageAccount(connection_string=connection_string)
        account = self.text(f"{name}__accountName", "")

        def endpoint(service: str) -> str | None:
            derived = f"https://{account}.{service}.{cloud.storage_suffix}" if account else ""
            return self.text(f"{name}__{service}ServiceUri", derived) or None

        queue, table, blob = endpoint("queue"), endpoint("table"), endpoint("blob")
        if not (queue and table and blob):
            self.wrong(
                f"{name}: set a connection string, or {name}__accountName, or all of {name}__queueServiceUri, "
                f"{name}__tableServiceUri and {name}__blobServiceUri"
            )
        return StorageAccount(None, queue, table, blob, self.text(f"{name}__clientId", "") or None)

    def _json(self, name: str, adapter: TypeAdapter[dict[str, T]]) -> dict[str, T]:
        try:
            return adapter.validate_json(self.text(name, "{}"))
        except ValidationError as error:
            for problem in error.errors(include_input=False, include_url=False, include_context=False):
                place = ".".join(printable(str(part), 80) for part in problem["loc"])
                self.wrong(f"{name}: {place + ': ' if place else ''}{problem['msg'].removeprefix('Value error, ')}")
            return {}

    def _normal(self, name: str, text: str) -> str | None:
        try:
            return normal_registry(text)
        except InvalidReferenceError as error:
            self.wrong(f"{name}: {error.message}")
            return None
