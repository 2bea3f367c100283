// The right to write to a registry: AcrPush, or Repository Writer where rights are given by repository, since such a
// registry does not honour AcrPush.

@description('The name of the registry.')
param name string

@description('How the registry reads role assignments: LegacyRegistryPermissions or AbacRepositoryPermissions.')
param roleAssignmentMode string

@description('The object id of the app\'s identity.')
param principalId string

@description('What the names of the repositories begin with that may be written; empty: any. Only a registry that gives rights by repository can be limited so.')
param repositoryPrefix string

var roles = loadJsonContent('../roles.json')
var byRepository = roleAssignmentMode == 'AbacRepositoryPermissions'
var role = byRepository ? roles.ContainerRegistryRepositoryWriter : roles.AcrPush
var actions = 'Microsoft.ContainerRegistry/registries/repositories'
var condition = '((!(ActionMatches{\'${actions}/content/read\'}) AND !(ActionMatches{\'${actions}/content/write\'}) AND !(ActionMatches{\'${actions}/metadata/read\'}) AND !(ActionMatches{\'${actions}/metadata/write\'})) OR (@Request[${actions}:name] StringStartsWithIgnoreCase \'${repositoryPrefix}\'))'
var isNarrowed = byRepository && !empty(repositoryPrefix)

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: name
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, principalId, role)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    condition: isNarrowed ? condition : null
    conditionVersion: isNarrowed ? '2.0' : null
  }
}
