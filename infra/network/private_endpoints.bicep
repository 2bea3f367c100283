// The private endpoints of everything that the app needs, and of the app itself where only the network may call it.

@description('What the names of the endpoints end in.')
param token string

@description('Where they are made: the region of their subnet.')
param location string

@description('The tags of every resource.')
param tags object

@description('The resource id of the subnet that they lie in.')
param subnetId string

@description('The resource id of the network that finds them by name; empty: no DNS zones are made.')
param networkId string

@description('The resource id of the storage account.')
param storageId string

@description('The resource id of the vault.')
param vaultId string

@description('The resource id of the registry that was made with the app; empty: none was.')
param registryId string

@description('The resource id of the app; empty: it is called from the internet.')
param appId string

// The zones that the platform's own names point to (Azure Private Link, "Private DNS zone values").
var suffixes = environment().suffixes
var siteZones = {
  AzureCloud: 'privatelink.azurewebsites.net'
  AzureChinaCloud: 'privatelink.chinacloudsites.cn'
  AzureUSGovernment: 'privatelink.azurewebsites.us'
}
var storageParts = [
  'blob'
  'queue'
  'table'
]

module storage 'private_endpoint.bicep' = [for part in storageParts: {
  name: 'endpoint-${part}-${token}'
  params: {
    name: 'pep-${part}-${token}'
    location: location
    tags: tags
    resourceId: storageId
    groupId: part
    subnetId: subnetId
    zoneName: 'privatelink.${part}.${suffixes.storage}'
    networkId: networkId
  }
}]

module vault 'private_endpoint.bicep' = {
  name: 'endpoint-vault-${token}'
  params: {
    name: 'pep-vault-${token}'
    location: location
    tags: tags
    resourceId: vaultId
    groupId: 'vault'
    subnetId: subnetId
    zoneName: 'privatelink${replace(suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
    networkId: networkId
  }
}

module registry 'private_endpoint.bicep' = if (!empty(registryId)) {
  name: 'endpoint-registry-${token}'
  params: {
    name: 'pep-registry-${token}'
    location: location
    tags: tags
    resourceId: registryId
    groupId: 'registry'
    subnetId: subnetId
    zoneName: 'privatelink${suffixes.acrLoginServer}'
    networkId: networkId
  }
}

module app 'private_endpoint.bicep' = if (!empty(appId)) {
  name: 'endpoint-app-${token}'
  params: {
    name: 'pep-app-${token}'
    location: location
    tags: tags
    resourceId: appId
    groupId: 'sites'
    subnetId: subnetId
    zoneName: siteZones[environment().name]
    networkId: networkId
  }
}
