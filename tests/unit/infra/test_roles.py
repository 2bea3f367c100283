"""Which rights the app's identity gets: the least that works, by Azure's own role ids."""

import json
import re

from importcore.access.arm import API_VERSION
from tests.unit.infra.bicep_text import INFRA, bicep_files, text

ROLES = json.loads((INFRA / "roles.json").read_text())
# Azure's built-in roles ("Azure built-in roles" in its documentation; the ids are the same in every tenant and cloud).
_BUILT_IN = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "ContainerRegistryRepositoryCatalogLister": "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
    "ContainerRegistryRepositoryReader": "b93aa761-3e63-49ed-ac28-beffa264f7ac",
    "ContainerRegistryRepositoryWriter": "2a1e307c-b015-4ebd-883e-5b7698a07328",
    "EventGridDataSender": "d5a91429-5739-47e2-a06b-3470a27159e7",
    "KeyVaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "KeyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "MonitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "StorageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "StorageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "StorageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "StorageQueueDataMessageSender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "StorageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
_API_VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.ContainerRegistry/registries": "2025-11-01",
    "Microsoft.EventGrid/systemTopics": "2025-02-15",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": "2025-02-15",
    "Microsoft.EventGrid/topics": "2025-02-15",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.KeyVault/vaults": "2025-05-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/networkSecurityGroups": "2025-05-01",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-05-01",
    "Microsoft.Network/virtualNetworks": "2025-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Resources/resourceGroups": "2025-04-01",
    "Microsoft.Storage/storageAccounts": "2025-06-01",
    "Microsoft.Web/serverfarms": "2025-03-01",
    "Microsoft.Web/sites": "2025-03-01",
}


def _assigned(path: str) -> set[str]:
    return set(re.findall(r"\broles\.([A-Z]\w+)", text(path)))


def test_role_ids_are_azures_own() -> None:
    """A wrong id is refused only in the middle of a deployment."""
    assert {name: _BUILT_IN[name] for name in ROLES} == ROLES


def test_every_role_is_assigned_somewhere() -> None:
    """A role that is listed and not given is a right that somebody misses."""
    assert set().union(*(_assigned(path) for path in bicep_files())) == set(ROLES)


def test_a_target_gets_the_right_to_write_and_no_other() -> None:
    """AcrPush where roles hold for the whole registry, Repository Writer where they hold by repository."""
    assert _assigned("registry/target_access.bicep") == {"AcrPush", "ContainerRegistryRepositoryWriter"}


def test_a_source_gets_rights_to_read_alone() -> None:
    """Its images, its catalogue, and its description in Azure Resource Manager."""
    assert _assigned("registry/source_access.bicep") == {
        "AcrPull",
        "ContainerRegistryRepositoryCatalogLister",
        "ContainerRegistryRepositoryReader",
        "Reader",
    }


def test_no_role_reaches_further_than_one_resource() -> None:
    """Every assignment has a scope of its own: never the resource group, never the subscription."""
    for path in bicep_files():
        for body in re.findall(r"roleAssignments@[^\n]*\{\n(.*?)\n\}", text(path), re.DOTALL):
            assert re.search(r"^  scope: \w+$", body, re.MULTILINE), path


def test_resources_use_the_api_versions_that_were_looked_up() -> None:
    """A new version is looked up in the published types first; children have their parent's."""
    for path in bicep_files():
        for kind, version in re.findall(r"'(Microsoft\.[\w/]+)@([\w-]+)'", text(path)):
            parent = next(known for known in (kind, kind.rsplit("/", 1)[0], *_parents(kind)) if known in _API_VERSIONS)
            assert _API_VERSIONS[parent] == version, (path, kind)


def test_the_app_asks_resource_manager_in_the_same_version() -> None:
    """What a cloud offers to the deployment, it offers to the app."""
    assert _API_VERSIONS["Microsoft.ContainerRegistry/registries"] == API_VERSION


def _parents(kind: str) -> list[str]:
    parts = kind.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts) - 1, 1, -1)]
