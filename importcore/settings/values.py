"""The values that app settings hold: what is special about a host, configured credentials, the storage account.

`settings_reader.py` reads them, `settings.py` puts them together.
"""

from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from importcore.errors import InvalidReferenceError
from importcore.reference import normal_registry

MEBIBYTE = 1024 * 1024
KEY_VAULT_UNRESOLVED = "@Microsoft.KeyVault("
"""What a value begins with whose Key Vault reference the platform could not resolve."""


def _registry(text: str) -> str:
    try:
        return normal_registry(text)
    except InvalidReferenceError as error:
        raise ValueError(error.message) from error


def _resolved(text: str) -> str:
    if text.startswith(KEY_VAULT_UNRESOLVED):
        raise ValueError(
            "is a Key Vault reference; the platform resolves one only where it is the whole app setting, "
            "so keep the whole JSON in the vault"
        )
    return text


_Registry = Annotated[str, AfterValidator(_registry)]
_Resolved = Annotated[str, Field(min_length=1), AfterValidator(_resolved)]


class HostSettings(BaseModel):
    """What is special about one registry host (a value of the JSON object in `TRANSLOAD_REGISTRIES`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    plain_http: bool = False
    """Speak http instead of https; for test registries inside a closed network."""
    private: bool = False
    """The host may resolve to a private or loopback address."""
    acr: bool | None = None
    """Offer this app's Entra identity to the host; by default only ACR's own host names get it."""
    ca_file: str | None = None
    """A PEM file with the certificate authority that signed the host's certificate."""
    client_cert_file: str | None = None
    """A PEM file with the certificate (chain) that this app shows to the host (mTLS)."""
    client_key_file: str | None = None
    """A PEM file with the key of that certificate; needed unless the key stands in `client_cert_file`."""
    arm_name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9]{5,50}$")] | None = None
    """What ARM's own operation (`importImage`) calls this registry; an ACR has the first part of its host name."""
    mirrors: tuple[_Registry, ...] = ()
    """Registries that are asked for manifests and blobs first, in this order."""
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """The most requests to send on behalf of this registry, in each worker process."""
    bytes_per_second: Annotated[int, Field(ge=64 * 1024)] | None = None
    """The most bytes to read from this registry, and to write to it, in each worker process."""
    parallel_transfers: Annotated[int, Field(ge=1, le=64)] | None = None
    """The most blobs that move from or to this registry at once, in each worker process."""
    chunk_bytes: Annotated[int, Field(ge=64 * 1024, le=1024 * MEBIBYTE)] | None = None
    """The largest chunk to send to this host, in bytes."""

    @model_validator(mode="after")
    def _require_a_certificate_for_the_key(self) -> Self:
        if self.client_key_file is not None and self.client_cert_file is None:
            raise ValueError("clientKeyFile needs a clientCertFile")
        return self


class ConfiguredCredentials(BaseModel):
    """A user and a password for one registry (a value of the JSON object in `TRANSLOAD_CREDENTIALS`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    registry: _Registry
    username: _Resolved
    password: Annotated[_Resolved, Field(repr=False)]


class HookSettings(BaseModel):
    """What is special about one hook (a value of the JSON object in `TRANSLOAD_HOOKS`, by `kind` or `kind/name`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, alias_generator=to_camel)

    secrets: Annotated[tuple[_Resolved, ...], Field(repr=False, max_length=8)] = ()
    """Any of them proves the sender; several while one replaces another."""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    """The header that holds the secret, word for word, or the signature; None is where the kind has it."""
    signed: bool | None = None
    """The header holds the HMAC-SHA256 of the body, in hexadecimal, instead of the secret; None is as the kind does."""
    registry: _Registry | None = None
    """The registry that this hook is about, where the sender does not say, or says another name."""

    @model_validator(mode="after")
    def _require_secrets_for_a_proof(self) -> Self:
        """Where a proof is described, one is meant to be asked for; without a secret none would be."""
        if not self.secrets and (self.header is not None or self.signed is not None):
            raise ValueError("header and signed say how a delivery proves itself; that needs secrets")
        return self


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """How to reach the storage account that also serves the Functions host.

    Either `connection_string` is set (local stack), or the three endpoints are, to be used with an identity.
    """

    connection_string: str | None = field(default=None, repr=False)
    queue_endpoint: str | None = None
    table_endpoint: str | None = None
    blob_endpoint: str | None = None
    client_id: str | None = None
