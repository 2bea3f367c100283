"""The app settings, read once per worker process; the only reader of the environment.

Every setting is described in `docs/settings.md`. A wrong value never falls back to a default: all wrong settings are
named in one `ConfigurationError`, which every function then answers until they are corrected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Self

from importcore.documents.place import DocumentPlace
from importcore.reference import registry_of
from importcore.settings.clouds import PUBLIC, Cloud, cloud_of_registry
from importcore.settings.notices import NoticeSettings
from importcore.settings.reader import SettingsReader
from importcore.settings.values import MEBIBYTE, ConfiguredCredentials, HookSettings, HostSettings, StorageAccount

__all__ = ["MEBIBYTE", "CallersBy", "ConfiguredCredentials", "HostSettings", "Settings", "StorageAccount", "callers_by"]

_ORDINARY_HOST = HostSettings()
_CALLERS = "TRANSLOAD_CALLERS"
_IDENTITY_ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
"""Where a platform says that tokens of this app's identity are to be had; nobody is sent there."""
_PLATFORM_SIGNS_IN = "WEBSITE_AUTH_ENABLED"
"""Set by App Service to tell that its authentication is on; read-only there."""


class CallersBy(StrEnum):
    """How HTTP callers are known."""

    FUNCTION_KEY = "function-key"
    ENTRA = "entra"


def callers_by(environment: Mapping[str, str]) -> CallersBy | None:
    """Read TRANSLOAD_CALLERS; None where it is neither of them."""
    text = environment.get(_CALLERS, "").strip().lower()
    return next((by for by in CallersBy if by.value == (text or CallersBy.FUNCTION_KEY)), None)


@dataclass(frozen=True)
class Settings:
    """All that an installation can decide. Times are in seconds, sizes in bytes."""

    storage: StorageAccount
    sealing_keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    default_target_registry: str | None = None
    target_registries: tuple[str, ...] = ()
    source_registries: tuple[str, ...] = ()
    callers_by: CallersBy = CallersBy.FUNCTION_KEY
    platform_signs_in: bool = False
    registries: Mapping[str, HostSettings] = field(default_factory=dict)
    credentials: Mapping[str, ConfiguredCredentials] = field(default_factory=dict)
    cloud: Cloud = PUBLIC
    arm_endpoint: str = PUBLIC.arm
    slice_seconds: float = 540.0
    lease_seconds: float = 60.0
    idle_seconds: float = 60.0
    chunk_bytes: int = 32 * MEBIBYTE
    parallel_transfers: int = 6
    orphan_seconds: float = 900.0
    retention_days: float = 30.0
    client_id: str | None = None
    identity_endpoints: tuple[str, ...] = ()
    use_developer_identity: bool = False
    rules: DocumentPlace | None = None
    policy: DocumentPlace | None = None
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    hooks: Mapping[str, HookSettings] = field(default_factory=dict)

    def host(self, registry: str) -> HostSettings:
        """Give what is special about a registry host; nothing is, unless configured."""
        return self.registries.get(registry_of(registry), _ORDINARY_HOST)

    def is_acr(self, registry: str) -> bool:
        """Tell whether this host is an Azure Container Registry, in whatever cloud."""
        configured = self.host(registry).acr
        return cloud_of_registry(registry) is not None if configured is None else configured

    def takes_identity(self, registry: str) -> bool:
        """Tell whether this host may be shown the app's Entra identity: an ACR of the app's own cloud."""
        configured = self.host(registry).acr
        return cloud_of_registry(registry) is self.cloud if configured is None else configured

    def credentials_for(self, registry: str) -> tuple[str, ...]:
        """Name the configured credentials for a registry."""
        return tuple(name for name, value in self.credentials.items() if value.registry == registry)

    @cached_property
    def allowed_targets(self) -> tuple[str, ...]:
        """The registries that imports may write to: those listed, else the default one alone."""
        if self.target_registries:
            return self.target_registries
        return (self.default_target_registry,) if self.default_target_registry else ()

    def targets_named(self, name: str) -> tuple[str, ...]:
        """Find the target registries that Azure Resource Manager's own operation means by a registry's name.

        An ACR is at `NAME.azurecr.io`, or at `NAME-HASH.azurecr.io` (domain name label scope); names have no dash.
        """
        return tuple(target for target in self.allowed_targets if self._arm_name(target) == name.lower())

    def _arm_name(self, target: str) -> str | None:
        configured = self.host(target).arm_name
        if configured is not None:
            return configured.lower()
        return target.partition(".")[0].partition("-")[0] if self.is_acr(target) else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the app settings.

        Raises:
            ConfigurationError: Names every setting that is missing or wrong.
        """
        reader = SettingsReader(environment)
        default_target = reader.registry("TRANSLOAD_DEFAULT_TARGET_REGISTRY")
        targets = reader.registry_list("TRANSLOAD_TARGET_REGISTRIES")
        cloud = reader.cloud("AZURE_CLOUD", default_target, *targets)
        settings = cls(
            storage=reader.storage(cloud),
            sealing_keys=reader.sealing_keys(),
            default_target_registry=default_target,
            target_registries=targets,
            source_registries=reader.registry_list("TRANSLOAD_SOURCE_REGISTRIES"),
            callers_by=callers_by(environment) or CallersBy.FUNCTION_KEY,
            platform_signs_in=environment.get(_PLATFORM_SIGNS_IN, "").strip().lower() == "true",
            registries=reader.hosts("TRANSLOAD_REGISTRIES"),
            credentials=reader.credentials("TRANSLOAD_CREDENTIALS"),
            cloud=cloud,
            arm_endpoint=reader.url("TRANSLOAD_ARM_ENDPOINT", cloud.arm),
            slice_seconds=reader.number("TRANSLOAD_SLICE_SECONDS", 540, least=1, most=86_400),
            lease_seconds=reader.number("TRANSLOAD_LEASE_SECONDS", 60, least=1, most=3_600),
            idle_seconds=reader.number("TRANSLOAD_IDLE_SECONDS", 60, least=1, most=600),
            chunk_bytes=reader.whole("TRANSLOAD_CHUNK_BYTES", 32 * MEBIBYTE, least=64 * 1024, most=1024 * MEBIBYTE),
            parallel_transfers=reader.whole("TRANSLOAD_PARALLEL_TRANSFERS", 6, least=1, most=16),
            orphan_seconds=reader.number("TRANSLOAD_ORPHAN_SECONDS", 900, least=1, most=86_400),
            retention_days=reader.number("TRANSLOAD_RETENTION_DAYS", 30, least=0, most=3_650),
            client_id=reader.text("AZURE_CLIENT_ID", "") or None,
            identity_endpoints=tuple(filter(None, map(reader.netloc, _IDENTITY_ENDPOINTS))),
            use_developer_identity=reader.flag("TRANSLOAD_DEVELOPER_IDENTITY"),
            rules=reader.document("TRANSLOAD_RULES"),
            policy=reader.document("TRANSLOAD_POLICY"),
            notices=NoticeSettings.read(reader, cloud),
            hooks=reader.hooks("TRANSLOAD_HOOKS"),
        )
        settings._check_callers(environment, reader)
        for target in settings.allowed_targets:
            names = settings.credentials_for(target)
            if len(names) > 1 and not settings.takes_identity(target):
                reader.wrong(
                    f"TRANSLOAD_CREDENTIALS: {', '.join(names)}: a target can have one credential, not several"
                )
        reader.raise_if_wrong()
        return settings

    def _check_callers(self, environment: Mapping[str, str], reader: SettingsReader) -> None:
        """Entra callers need a platform that signs them in, and a policy that knows them; without either: nobody."""
        if callers_by(environment) is None:
            reader.wrong(f"{_CALLERS}: must be {' or '.join(CallersBy)}")
        if self.callers_by is not CallersBy.ENTRA:
            return
        if not self.platform_signs_in:
            reader.wrong(
                f"{_CALLERS}: is entra, and App Service authentication is off ({_PLATFORM_SIGNS_IN} is not true): "
                "nobody could be believed"
            )
        if self.policy is None:
            reader.wrong(f"{_CALLERS}: is entra, and there is no TRANSLOAD_POLICY: nobody would be let in")
