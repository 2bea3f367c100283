"""EmulatorConfig: everything about an emulated registry that can be chosen."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from devtools.emulator.identities import Identities


class StateCheck(StrEnum):
    """When the signed `_state` of an upload Location is checked against the upload's offset.

    Distribution changed its mind: up to 2.8 every request needs the newest state, so that an interrupted chunk costs
    the whole upload (404 BLOB_UPLOAD_INVALID, which users of ACR report too); since 3.0 the status request needs none
    and a stale one is answered with 416.
    """

    WRITES = "writes"
    EVERY_REQUEST = "every-request"


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """The manners of one emulated registry.

    Attributes:
        auth: "acr" for the token dance of ACR, "none" for an open registry.
        data_dir: Where content lasts; None keeps it in memory.
        host_name: The service name in challenges and tokens; None takes each request's Host header.
        identities: Who may do what.
        anonymous_pull: Whether the token service grants `pull` on everything to callers without credentials.
        tenant: The Entra tenant whose tokens are exchanged; None takes any.
        arm_audience: Whether Entra tokens for Azure Resource Manager are exchanged too, as the registry policy
            `azureADAuthenticationAsArmPolicy` says.
        access_token_seconds: Life of an ACR access token.
        refresh_token_seconds: Life of an ACR refresh token.
        state_check: When upload states are checked.
        referrers: Whether the referrers API exists (it does not on registries with customer-managed keys).
        data_url: Origin that blob GETs are redirected to, as "http://127.0.0.1:5002"; None serves them directly.
        data_url_seconds: Life of a signed data URL.
        bytes_per_second: The registry's throughput in each direction, shared by all connections; None is unlimited.
        largest_chunk: Bodies of PATCH and PUT above this many bytes are answered 413; None takes any.
        largest_put: Bodies of PUT alone above this many bytes are answered 413; None takes any.
        chunk_at_least: Announced as `OCI-Chunk-Min-Length`; None announces nothing.
    """

    auth: Literal["acr", "none"] = "none"
    data_dir: Path | None = None
    host_name: str | None = None
    identities: Identities = field(default_factory=Identities)
    anonymous_pull: bool = False
    tenant: str | None = None
    arm_audience: bool = True
    access_token_seconds: float = 75 * 60
    refresh_token_seconds: float = 3 * 60 * 60
    state_check: StateCheck = StateCheck.WRITES
    referrers: bool = True
    data_url: str | None = None
    data_url_seconds: float = 300
    bytes_per_second: int | None = None
    largest_chunk: int | None = None
    largest_put: int | None = None
    chunk_at_least: int | None = None
