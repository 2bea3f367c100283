// The right to read a registry: AcrPull, or Repository Reader and Catalog Lister where rights are given by repository;
// and Reader, by which a source named by its resource id is resolved to its host name.

@description('The name of the registry.')
param name string

@description('How the registry reads role assignments: LegacyRegistryPermissions or AbacRepositoryPermissions.')
param roleAssignmentMode string

@description('The object id of the app\'s identity.')
param principalId string

var roles = loadJsonContent('../roles.json')
var dataRoles = roleAssignmentMode == 'AbacRepositoryPermissions' ? [
  roles.ContainerRegistryRepositoryReader
  roles.ContainerRegistryRepositoryCatalogLister
] : [
  roles.AcrPull
]

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: name
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in concat(dataRoles, [roles.Reader]): {
  scope: registry
  name: guid(registry.id, principalId, role)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]
