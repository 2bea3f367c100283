"""The app settings that the stack gives to the Functions hosts, as infra does in Azure."""

import json
from collections.abc import Mapping
from typing import Any

from devtools.stack.options import RegistryKind, StackOptions

_CALLERS = ("TRANSLOAD_", "AzureFunctionsJobHost__", "LOCALHOST_")
_TARGETS = "TRANSLOAD_TARGET_REGISTRIES"
_REGISTRIES = "TRANSLOAD_REGISTRIES"


def app_settings(
    options: StackOptions,
    *,
    storage: str,
    source: str,
    target: str,
    sealing_key: str,
    identity_endpoint: str,
    identity_header: str,
    caller: Mapping[str, str],
) -> dict[str, str]:
    """Build the environment of the Functions hosts.

    Args:
        options: The stack's options.
        storage: Connection string of the storage account.
        source: "host:port" of the source registry.
        target: "host:port" of the target registry.
        sealing_key: 32 bytes in base64.
        identity_endpoint: URL of the managed identity endpoint.
        identity_header: Its shared secret.
        caller: The stack's own environment; its `TRANSLOAD_…`, `AzureFunctionsJobHost__…` and `LOCALHOST_…` win;
            the hosts of its `TRANSLOAD_REGISTRIES` stand beside those of the stack.
    """
    registry = {"plainHttp": True, "private": True, "acr": options.registries is RegistryKind.EMULATOR}
    names = {source: "source", target: "target"}  # by which ARM's operation knows them, as it would NAME.azurecr.io
    hosts = {host: {**registry, "armName": name} for host, name in names.items()}
    hosts |= json.loads(caller.get(_REGISTRIES) or "{}")
    given = {
        "TRANSLOAD_SLICE_SECONDS": options.slice_seconds,
        "TRANSLOAD_LEASE_SECONDS": options.lease_seconds,
        "TRANSLOAD_CHUNK_BYTES": options.chunk_bytes,
    }
    return {
        **caller,
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": storage,
        "IDENTITY_ENDPOINT": identity_endpoint,
        "IDENTITY_HEADER": identity_header,
        "TRANSLOAD_DEFAULT_TARGET_REGISTRY": target,
        _TARGETS: target,
        "TRANSLOAD_SEALING_KEYS": f"local:{sealing_key}",
        # one machine: look often, and end soon
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.5",
        "LOCALHOST_DRAIN_SECONDS": "10",
        # YAML holds JSON; with a target of the caller's own, the rule would name one that is not allowed
        **({} if _TARGETS in caller else {"TRANSLOAD_RULES": json.dumps(_mirror(source, target))}),
        **{name: str(value) for name, value in given.items() if value is not None},
        **{name: value for name, value in caller.items() if name.startswith(_CALLERS)},
        _REGISTRIES: json.dumps(hosts),
    }


def _mirror(source: str, target: str) -> dict[str, Any]:
    """The rules of the stack: whatever the source tells of goes to the target, below `mirror/`."""
    rule = {"name": "mirror", "on": {"registry": source}, "to": f"{target}/mirror/{{repository}}:{{tag}}"}
    return {"version": 1, "rules": [rule]}
