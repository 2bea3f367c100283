"""The Azure clouds: where each one signs in, manages resources, and keeps its registries and storage.

Source: the endpoints that the Azure CLI knows (`azure/cli/core/cloud.py`). A registry's host name tells its cloud.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud of Azure.

    Attributes:
        name: Its name in the Azure CLI, and in the app setting AZURE_CLOUD.
        acr_suffix: What the login server of each of its registries ends in, with the dot.
        authority: The host of its Entra ID. A managed identity needs none: its endpoint is the cloud's own.
        arm: The URL of Azure Resource Manager, without a slash at the end.
        arm_audience: The audience of an Entra token for it.
        storage_suffix: What follows `{account}.{service}.` in a storage endpoint.
        event_grid_suffix: What the host of each Event Grid topic ends in, with the dot.
    """

    name: str
    acr_suffix: str
    authority: str
    arm: str
    arm_audience: str
    storage_suffix: str
    event_grid_suffix: str


PUBLIC = Cloud(
    "AzureCloud",
    ".azurecr.io",
    "login.microsoftonline.com",
    "https://management.azure.com",
    "https://management.azure.com",
    "core.windows.net",
    ".eventgrid.azure.net",
)
CHINA = Cloud(
    "AzureChinaCloud",
    ".azurecr.cn",
    "login.chinacloudapi.cn",
    "https://management.chinacloudapi.cn",
    "https://management.chinacloudapi.cn",
    "core.chinacloudapi.cn",
    ".eventgrid.azure.cn",
)
US_GOVERNMENT = Cloud(
    "AzureUSGovernment",
    ".azurecr.us",
    "login.microsoftonline.us",
    "https://management.usgovcloudapi.net",
    "https://management.usgovcloudapi.net",
    "core.usgovcloudapi.net",
    ".eventgrid.azure.us",
)
CLOUDS = {cloud.name: cloud for cloud in (PUBLIC, CHINA, US_GOVERNMENT)}


def cloud_of_registry(registry: str) -> Cloud | None:
    """Tell the cloud of an ACR by its login server; None where the host is no ACR's."""
    return next((cloud for cloud in CLOUDS.values() if registry.endswith(cloud.acr_suffix)), None)
