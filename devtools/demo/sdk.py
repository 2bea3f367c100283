"""The demo's last act: Azure's own SDK, unchanged, imports through the stack by ARM's own operation."""

import asyncio

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistry.models import ImportImageParameters, ImportSource
from rich.console import Console

from devtools.stack_process import Stack
from importcore.reference import Reference

_SUBSCRIPTION, _GROUP, _REGISTRY = "00000000-0000-0000-0000-000000000000", "any-group", "target"


class SdkFailedError(Exception):
    """The SDK raised an error instead of a result."""


async def import_by_sdk(console: Console, stack: Stack, source: Reference) -> Reference:
    """Import with `begin_import_image(…).result()`; where to.

    Raises:
        SdkFailedError: With the SDK's words.
    """
    target = Reference.in_registry(stack.target, "sdk/app:1.0")
    console.print(f'[bold]azure-mgmt-containerregistry[/] begin_import_image("{_GROUP}", "{_REGISTRY}", …).result()')
    key = AzureKeyCredential("the local host asks for none")
    client = ContainerRegistryManagementClient(
        key,  # type: ignore[arg-type]  # the policy below takes it; the SDK's signature knows tokens alone
        _SUBSCRIPTION,
        base_url=f"{stack.api}/api",
        authentication_policy=AzureKeyCredentialPolicy(key, "x-functions-key"),
        use_env_settings=False,
    )
    parameters = ImportImageParameters(
        source=ImportSource(registry_uri=source.registry, source_image=f"{source.repository}:{source.tag}"),
        target_tags=[f"{target.repository}:{target.tag}"],
    )
    begin = client.registries.begin_import_image
    try:
        await asyncio.to_thread(lambda: begin(_GROUP, _REGISTRY, parameters).result())
    except HttpResponseError as error:
        raise SdkFailedError(str(error)) from error
    return target
