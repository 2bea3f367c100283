// What has to be known about a registry that is there already, in whatever resource group or subscription.

@description('The name of the registry.')
param name string

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: name
}

@description('The host name that images are addressed by; it cannot be derived from the name alone.')
output loginServer string = registry.properties.loginServer

@description('How the registry reads role assignments: LegacyRegistryPermissions or AbacRepositoryPermissions.')
output roleAssignmentMode string = registry.properties.?roleAssignmentMode ?? 'LegacyRegistryPermissions'

@description('The region of the registry, where its event topic has to be, too.')
output location string = registry.location
