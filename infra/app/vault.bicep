// The vault: the sealing key, the key of callbacks, the credentials of registries and the secrets of webhooks. The app
// reads them as Key Vault references.
//
// The secrets are made once and never overwritten by a deployment: a new sealing key would make everything unreadable
// that waits in the queue, and the credentials are the operator's to write. Needs Bicep 0.38 (`onlyIfNotExists`).

@description('The name of the vault: 3 to 24 letters, digits and dashes; unique in Azure.')
param name string

@description('Where it is made.')
param location string

@description('The tags of every resource.')
param tags object

@description('The object id of the app\'s identity, which may read secrets.')
param principalId string

@description('The object id of a person, group or application that may write secrets; empty: nobody gets that right here.')
param operatorId string

@description('True: only private endpoints and the trusted services of Azure reach the vault.')
param private bool

@description('True: nobody can purge a deleted vault before its 90 days are over, so the sealing key cannot be lost; and a vault of this name cannot be made again before that.')
param purgeProtection bool

@description('The first value of the sealing key, as TRANSLOAD_SEALING_KEYS wants it. It is used only where the vault holds none yet.')
@secure()
param firstSealingKey string

@description('The first value of the key that callbacks are signed with, as TRANSLOAD_CALLBACK_KEYS wants it; used as that one is.')
@secure()
param firstCallbackKey string

var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

@onlyIfNotExists()
resource sealingKeys 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: 'sealing-keys'
  properties: {
    value: firstSealingKey
    contentType: 'TRANSLOAD_SEALING_KEYS: id:base64, separated by commas; the first seals, all open'
  }
}

@onlyIfNotExists()
resource callbackKeys 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: 'callback-keys'
  properties: {
    value: firstCallbackKey
    contentType: 'TRANSLOAD_CALLBACK_KEYS: id:base64, separated by commas; every one signs'
  }
}

@onlyIfNotExists()
resource registryCredentials 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: 'registry-credentials'
  properties: {
    value: '{}'
    contentType: 'TRANSLOAD_CREDENTIALS: JSON, see docs/settings.md'
  }
}

@onlyIfNotExists()
resource hooks 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: 'hooks'
  properties: {
    value: '{}'
    contentType: 'TRANSLOAD_HOOKS: JSON, see docs/settings.md'
  }
}

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, roles.KeyVaultSecretsUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.KeyVaultSecretsUser)
  }
}

resource writers 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorId)) {
  scope: vault
  name: guid(vault.id, operatorId, roles.KeyVaultSecretsOfficer)
  properties: {
    principalId: operatorId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.KeyVaultSecretsOfficer)
  }
}

@description('The resource id of the vault.')
output id string = vault.id

@description('The name of the vault.')
output name string = vault.name

@description('The app setting that refers to the sealing key.')
output sealingKeysReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/sealing-keys)'

@description('The app setting that refers to the key of callbacks.')
output callbackKeysReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/callback-keys)'

@description('The app setting that refers to the credentials of registries.')
output registryCredentialsReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/registry-credentials)'

@description('The app setting that refers to the secrets of webhooks.')
output hooksReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/hooks)'
