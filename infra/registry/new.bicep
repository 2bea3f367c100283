// A registry to import into, for whoever brings none.

@description('The name of the registry: 5 to 50 letters and digits; unique in Azure.')
param name string

@description('Where it is made.')
param location string

@description('The tags of every resource.')
param tags object

@description('Basic, Standard or Premium. A private endpoint needs Premium.')
@allowed(['Basic', 'Standard', 'Premium'])
param sku string

@description('True: only private endpoints and the trusted services of Azure reach the registry.')
param private bool

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkRuleBypassOptions: 'AzureServices'
    // rights by repository: the writer's role can then be narrowed to chosen repositories
    roleAssignmentMode: 'AbacRepositoryPermissions'
  }
}

@description('The resource id of the registry.')
output id string = registry.id

@description('The name of the registry.')
output name string = registry.name

@description('The host name that images are addressed by.')
output loginServer string = registry.properties.loginServer

@description('How the registry reads role assignments.')
output roleAssignmentMode string = registry.properties.roleAssignmentMode
