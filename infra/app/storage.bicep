// The storage account of the Functions host and of Transload: queues, the table, containers, and who may use them.
// The names are those of importcore/storage/names.py; a test compares them.

@description('The name of the account: 3 to 24 lower-case letters and digits.')
param name string

@description('Where it is made.')
param location string

@description('The tags of every resource.')
param tags object

@description('The object id of the app\'s identity.')
param principalId string

@description('The object id of a person, group or application that may write documents (rules, policy); empty: nobody gets that right here.')
param operatorId string

@description('How the account is replicated, such as Standard_LRS, Standard_ZRS or Standard_GZRS. Messages and records are small; what is lost with the account is the progress and the history of imports.')
param sku string

@description('True: only private endpoints and the trusted services of Azure (Event Grid) reach the account.')
param private bool

var roles = loadJsonContent('../roles.json')

var queues = [
  'imports'
  'imports-poison'
  'notices'
  'notices-poison'
  'events'
  'events-poison'
]
var tables = [
  'imports'
]
var containers = [
  'plans'
]
// For the operator: rules and policy, where they are not kept in an app setting (blob:documents/NAME).
var documentContainer = 'documents'
var deploymentContainer = 'deployments'

// The host keeps its leases and keys in blobs, its timers and diagnostics beside them, and makes poison queues: it needs
// these roles on the whole account, which is why the account serves nothing else.
var dataRoles = [
  roles.StorageBlobDataOwner
  roles.StorageQueueDataContributor
  roles.StorageTableDataContributor
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Event Grid delivers as a trusted service; with public access off altogether it could not.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: false
    }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for container in concat(containers, [documentContainer, deploymentContainer]): {
  parent: blobService
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource importQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [for queue in queues: {
  parent: queueService
  name: queue
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource recordTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [for table in tables: {
  parent: tableService
  name: table
}]

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in dataRoles: {
  scope: account
  name: guid(account.id, principalId, role)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

resource documents 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobService
  name: documentContainer
}

resource documentWriters 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorId)) {
  scope: documents
  name: guid(documents.id, operatorId, roles.StorageBlobDataContributor)
  dependsOn: [
    blobContainers
  ]
  properties: {
    principalId: operatorId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.StorageBlobDataContributor)
  }
}

@description('The resource id of the account.')
output id string = account.id

@description('The name of the account.')
output name string = account.name

@description('The endpoint of the blob service.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('The endpoint of the queue service.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('The endpoint of the table service.')
output tableEndpoint string = account.properties.primaryEndpoints.table

@description('Where deployed packages are kept.')
output packageContainer string = '${account.properties.primaryEndpoints.blob}${deploymentContainer}'
