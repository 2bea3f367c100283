// Who the app is: towards storage, the vault, Application Insights and registries. One identity, so that its rights can
// be read in one place and survive the app itself.

@description('The name of the identity.')
param name string

@description('Where it is made.')
param location string

@description('The tags of every resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('The resource id of the identity.')
output id string = identity.id

@description('What an app setting names it by.')
output clientId string = identity.properties.clientId

@description('What a role assignment names it by.')
output principalId string = identity.properties.principalId
