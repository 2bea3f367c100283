// Transload in Azure: `azd up`, or `az deployment sub create --template-file infra/main.bicep`. docs/deploy.md goes through
// it; main.bicepparam binds each parameter to a variable of the azd environment.

targetScope = 'subscription'

@description('The name of this installation; it names the resource group (rg-NAME) and, hashed, every resource.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region of every resource.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('The object id of a person, group or application that may write the vault\'s secrets and the documents in the storage account; empty: nobody gets that right here.')
param operatorId string = ''

// Registries

@description('The resource ids of the registries that imports may write to, in any resource group or subscription; the first is the default target. Empty: a new registry is made.')
param targetRegistryIds array = []

@description('What the names of the repositories begin with that may be written; empty: any. Takes effect on registries that give rights by repository (ABAC).')
param targetRepositoryPrefix string = ''

@description('The size of the new registry. A private endpoint needs Premium. Empty: Premium with privateNetwork, else Basic.')
@allowed(['', 'Basic', 'Standard', 'Premium'])
param newRegistrySku string = ''

@description('The resource ids of the registries that are read with the app\'s identity.')
param sourceRegistryIds array = []

@description('The hosts that imports may come from; empty: any.')
param sourceRegistries array = []

@description('TRANSLOAD_REGISTRIES, as an object: what is special about a registry host.')
param registries object = {}

@description('Who may do what (TRANSLOAD_POLICY): the text itself, file:NAME or blob:documents/NAME. Needed with entraClientId.')
param policy string = ''

@description('What a push means (TRANSLOAD_RULES): the text itself, file:NAME or blob:documents/NAME.')
param rules string = ''

@description('More app settings by their names: any of docs/settings.md. Nothing secret: that belongs into the vault.')
param moreSettings object = {}

@description('False: the rights on registries that were there before are given elsewhere, to TRANSLOAD_PRINCIPAL_ID of the outputs; the deployer then needs no right to give them.')
param assignRegistryRoles bool = true

// The app

@description('FC1 is Flex Consumption: it scales to zero. The others are dedicated plans, for regions and clouds without Flex Consumption.')
@allowed(['FC1', 'B1', 'B2', 'P0v3', 'P1v3'])
param planSku string = 'FC1'

@description('True: instances are spread over the zones of the region, where it has some; wants a storageSku with ZRS in its name.')
param zoneRedundant bool = false

@description('The version of Python.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.12'

@description('The memory of one instance, in MiB: 512, 2048 or 4096; processor and network grow with it.')
@minValue(512)
@maxValue(4096)
param instanceMemoryMB int = 2048

@description('The most instances at once; each works on four imports. Not every region takes less than 40.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('How many instances always wait for HTTP requests, so that none meets a cold start; 0 scales to zero. With zoneRedundant, 0 or at least 2.')
@minValue(0)
param alwaysReadyHttpInstances int = 0

@description('How many HTTP requests one instance works on at once.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('How the storage account is replicated.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('True: the vault cannot be purged before 90 days are over. False suits an installation that is made and removed often.')
param purgeProtection bool = true

@description('The first sealing key, as id:base64 of 32 bytes. Used once, where the vault holds none; the default is made of two random GUIDs, of which it takes 160 bits of chance.')
@secure()
param firstSealingKey string = 'k1:${substring(replace('${newGuid()}${newGuid()}', '-', ''), 0, 42)}A='

@description('The first key that callbacks are signed with, as id:base64. Used once, where the vault holds none; receivers get it from there.')
@secure()
param firstCallbackKey string = 'k1:${substring(replace('${newGuid()}${newGuid()}', '-', ''), 0, 42)}A='

// Entra authentication

@description('The client id of an app registration: callers then need an Entra token for it. A policy has to name them, too. Empty: function keys protect the API.')
param entraClientId string = ''

@description('The tenant whose tokens are accepted; empty: that of the subscription.')
param entraTenantId string = ''

@description('The client ids of the applications that may call; empty: whoever gets a token of the tenant.')
param entraAllowedClientIds array = []

// The network

@description('True: storage, vault and the new registry are reached by private endpoints alone, and the app through a virtual network.')
param privateNetwork bool = false

@description('The addresses of the new virtual network.')
param networkAddressPrefix string = '10.84.0.0/24'

@description('The addresses of the app\'s subnet in it: at least a /27, a /26 for more than 40 instances.')
param appSubnetPrefix string = '10.84.0.0/26'

@description('The addresses of the subnet for private endpoints in it.')
param endpointSubnetPrefix string = '10.84.0.64/26'

@description('The resource id of a subnet for the app, delegated to Microsoft.App/environments (Flex Consumption) or Microsoft.Web/serverFarms; empty: a network is made.')
param appSubnetId string = ''

@description('The resource id of a subnet for private endpoints in the same network; needed with appSubnetId.')
param endpointSubnetId string = ''

@description('True: private DNS zones are made and linked. False: names are kept elsewhere (a hub, a policy).')
param makeDnsZones bool = true

@description('False: with privateNetwork, only the network may call the app, and only from there can it be deployed.')
param publicAccess bool = true

// Events of registries

@description('The resource ids of the registries whose pushes are sent to the app by Event Grid.')
param eventRegistryIds array = []

@description('The event topics that registries have already, by the registry\'s name: a registry can have only one. Each needs a system-assigned identity.')
param existingEventTopics object = {}

@description('What the names of the repositories begin with whose pushes are sent; empty: all.')
param eventRepositoryPrefix string = ''

@description('The resource ids of registries whose own webhooks call the app, instead of Event Grid. Give them once the code is deployed: the key is made by the running app.')
param webhookRegistryIds array = []

@description('The repositories whose pushes those webhooks tell: repo, repo:tag or repo:*; empty: all.')
param webhookRepositories string = ''

// Being told when imports have ended

@description('The resource id of an Event Grid topic with the CloudEvents schema that gets an event about the end of every import; the app gets the right to send to it. Empty: none.')
param noticeTopicId string = ''

@description('The only hosts that callbacks may go to, host[:port] or *.domain; empty: any public one.')
param callbackHosts array = []

// Monitoring

@description('How many days telemetry is kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('The most gigabytes of telemetry in a day; what comes later that day is lost. -1: no limit.')
param dailyLogLimitGb int = -1

@description('True: alerts for messages given up, failing imports, waiting imports, and an app that does not run.')
param alertsEnabled bool = true

@description('Who gets an e-mail when an alert fires.')
param alertEmails array = []

@description('The resource ids of action groups that are told, besides.')
param alertActionGroupIds array = []

@description('How many of a hundred imports that ended within an hour may have failed.')
@minValue(0)
@maxValue(100)
param alertFailedPercent int = 20

@description('How many minutes an import may wait without a sign of life.')
@minValue(1)
param alertOldestMessageMinutes int = 30

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var makesRegistry = empty(targetRegistryIds)
var makesNetwork = privateNetwork && empty(appSubnetId)
var subnetOfApp = makesNetwork ? network!.outputs.appSubnetId : appSubnetId
var subnetOfEndpoints = makesNetwork ? network!.outputs.endpointSubnetId : endpointSubnetId
var registrySku = empty(newRegistrySku) ? (privateNetwork ? 'Premium' : 'Basic') : newRegistrySku
// What cannot work is refused here, with what to do, before anything is made.
var mistakes = [
  !empty(entraClientId) && empty(policy) ? 'entraClientId (ENTRA_CLIENT_ID) needs policy (POLICY): with Entra sign-in a policy has to name the callers, or the app answers configuration_invalid to everybody. docs/deploy.md has one to begin with.' : ''
  privateNetwork && makesRegistry && registrySku != 'Premium' ? 'privateNetwork (PRIVATE_NETWORK) needs newRegistrySku (NEW_REGISTRY_SKU) Premium: other registries have no private endpoints.' : ''
  privateNetwork && empty(appSubnetId) != empty(endpointSubnetId) ? 'appSubnetId (APP_SUBNET_ID) and endpointSubnetId (ENDPOINT_SUBNET_ID) belong together: give both, or neither.' : ''
  !publicAccess && !privateNetwork ? 'publicAccess (PUBLIC_ACCESS) false needs privateNetwork (PRIVATE_NETWORK) true: nobody could reach the app.' : ''
  zoneRedundant && !contains(storageSku, 'ZRS') ? 'zoneRedundant (ZONE_REDUNDANT) needs a storageSku (STORAGE_SKU) with ZRS in its name.' : ''
  zoneRedundant && alwaysReadyHttpInstances == 1 ? 'zoneRedundant (ZONE_REDUNDANT) wants alwaysReadyHttpInstances (ALWAYS_READY_HTTP_INSTANCES) to be 0, or 2 and more.' : ''
]
var mistake = trim(join(mistakes, ' '))
var groupName = empty(mistake) ? 'rg-${environmentName}' : fail(mistake)
// Without a token: what has its own check (hooks want a function key), and what tells nothing.
var openPaths = [
  '/api/health'
  '/api/hooks/*'
  '/api/openapi.json'
]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  scope: group
  name: 'identity-${token}'
  params: {
    name: 'id-transload-${token}'
    location: location
    tags: tags
  }
}

module storage 'app/storage.bicep' = {
  scope: group
  name: 'storage-${token}'
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    operatorId: operatorId
    sku: storageSku
    private: privateNetwork
  }
}

module vault 'app/vault.bicep' = {
  scope: group
  name: 'vault-${token}'
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    operatorId: operatorId
    private: privateNetwork
    purgeProtection: purgeProtection
    firstSealingKey: firstSealingKey
    firstCallbackKey: firstCallbackKey
  }
}

module monitoring 'app/monitoring.bicep' = {
  scope: group
  name: 'monitoring-${token}'
  params: {
    name: 'appi-transload-${token}'
    workspaceName: 'log-transload-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    retentionDays: logRetentionDays
    dailyLimitGb: dailyLogLimitGb
  }
}

module network 'network/network.bicep' = if (makesNetwork) {
  scope: group
  name: 'network-${token}'
  params: {
    name: 'vnet-transload-${token}'
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    appSubnetPrefix: appSubnetPrefix
    endpointSubnetPrefix: endpointSubnetPrefix
    delegation: planSku == 'FC1' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
  }
}

module newRegistry 'registry/new.bicep' = if (makesRegistry) {
  scope: group
  name: 'registry-${token}'
  params: {
    name: 'cr${token}'
    location: location
    tags: tags
    sku: registrySku
    private: privateNetwork
  }
}

module newRegistryAccess 'registry/target_access.bicep' = if (makesRegistry) {
  scope: group
  name: 'registry-access-${token}'
  params: {
    name: newRegistry!.outputs.name
    roleAssignmentMode: newRegistry!.outputs.roleAssignmentMode
    principalId: identity.outputs.principalId
    repositoryPrefix: targetRepositoryPrefix
  }
}

module targets 'registry/existing.bicep' = [for (id, i) in targetRegistryIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'target-${i}-${token}'
  params: {
    name: last(split(id, '/'))
  }
}]

module targetAccess 'registry/target_access.bicep' = [for (id, i) in (assignRegistryRoles ? targetRegistryIds : []): {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'target-access-${i}-${token}'
  params: {
    name: last(split(id, '/'))
    roleAssignmentMode: targets[i].outputs.roleAssignmentMode
    principalId: identity.outputs.principalId
    repositoryPrefix: targetRepositoryPrefix
  }
}]

module sources 'registry/existing.bicep' = [for (id, i) in sourceRegistryIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'source-${i}-${token}'
  params: {
    name: last(split(id, '/'))
  }
}]

module sourceAccess 'registry/source_access.bicep' = [for (id, i) in (assignRegistryRoles ? sourceRegistryIds : []): {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'source-access-${i}-${token}'
  params: {
    name: last(split(id, '/'))
    roleAssignmentMode: sources[i].outputs.roleAssignmentMode
    principalId: identity.outputs.principalId
  }
}]

module app 'app/function_app.bicep' = {
  scope: group
  name: 'app-${token}'
  params: {
    name: 'func-transload-${token}'
    planName: 'plan-transload-${token}'
    location: location
    tags: tags
    planSku: planSku
    zoneRedundant: zoneRedundant
    identityId: identity.outputs.id
    packageContainer: storage.outputs.packageContainer
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttpInstances: alwaysReadyHttpInstances
    httpConcurrency: httpConcurrency
    subnetId: subnetOfApp
    publicAccess: publicAccess
  }
}

module settings 'app/app_settings.bicep' = {
  scope: group
  name: 'settings-${token}'
  // New settings restart the app, and it can reach neither storage nor vault before their endpoints are there.
  dependsOn: [
    endpoints
  ]
  params: {
    appName: app.outputs.name
    isFlex: planSku == 'FC1'
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    insightsConnectionString: monitoring.outputs.connectionString
    sealingKeysReference: vault.outputs.sealingKeysReference
    registryCredentialsReference: vault.outputs.registryCredentialsReference
    hooksReference: vault.outputs.hooksReference
    newLoginServer: makesRegistry ? newRegistry!.outputs.loginServer : ''
    targetLoginServers: [for (id, i) in targetRegistryIds: targets[i].outputs.loginServer]
    registries: registries
    sourceRegistries: sourceRegistries
    policy: policy
    rules: rules
    callbackKeysReference: vault.outputs.callbackKeysReference
    callbackHosts: callbackHosts
    eventsEndpoint: empty(noticeTopicId) ? '' : noticeTopic!.outputs.endpoint
    callersSignIn: !empty(entraClientId)
    moreSettings: moreSettings
  }
}

module signIn 'app/sign_in.bicep' = if (!empty(entraClientId)) {
  scope: group
  name: 'sign-in-${token}'
  params: {
    appName: app.outputs.name
    clientId: entraClientId
    tenantId: empty(entraTenantId) ? tenant().tenantId : entraTenantId
    allowedClientIds: entraAllowedClientIds
    openPaths: openPaths
  }
}

module endpoints 'network/private_endpoints.bicep' = if (privateNetwork) {
  scope: group
  name: 'endpoints-${token}'
  params: {
    token: token
    location: location
    tags: tags
    subnetId: subnetOfEndpoints
    networkId: makeDnsZones ? split(subnetOfEndpoints, '/subnets/')[0] : ''
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    registryId: makesRegistry ? newRegistry!.outputs.id : ''
    appId: publicAccess ? '' : app.outputs.id
  }
}

module eventTopics 'events/topic.bicep' = [for (id, i) in eventRegistryIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'event-topic-${i}-${token}'
  params: {
    registryName: last(split(id, '/'))
    tags: tags
    existingTopicName: existingEventTopics[?last(split(id, '/'))] ?? ''
  }
}]

module eventSenders 'events/queue_sender.bicep' = [for (id, i) in eventRegistryIds: {
  scope: group
  name: 'event-sender-${i}-${token}'
  params: {
    storageName: storage.outputs.name
    queueName: 'events'
    principalId: eventTopics[i].outputs.principalId
  }
}]

module eventSubscriptions 'events/subscription.bicep' = [for (id, i) in eventRegistryIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'event-subscription-${i}-${token}'
  dependsOn: [
    eventSenders
  ]
  params: {
    topicName: eventTopics[i].outputs.name
    name: 'transload-${token}'
    storageId: storage.outputs.id
    queueName: 'events'
    repositoryPrefix: eventRepositoryPrefix
  }
}]

module webhooks 'events/webhook.bicep' = [for (id, i) in webhookRegistryIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'webhook-${i}-${token}'
  // The key is asked for from a running app, which it is not before it has its settings.
  dependsOn: [
    settings
  ]
  params: {
    registryName: last(split(id, '/'))
    name: 'transload${token}'
    tags: tags
    appGroup: group.name
    appSubscriptionId: subscription().subscriptionId
    appName: app.outputs.name
    appUrl: app.outputs.url
    repositories: webhookRepositories
  }
}]

module noticeTopic 'events/notice_topic.bicep' = if (!empty(noticeTopicId)) {
  scope: resourceGroup(split(noticeTopicId, '/')[2], split(noticeTopicId, '/')[4])
  name: 'notice-topic-${token}'
  params: {
    name: last(split(noticeTopicId, '/'))
    principalId: identity.outputs.principalId
  }
}

module alerts 'app/alerts.bicep' = if (alertsEnabled) {
  scope: group
  name: 'alerts-${token}'
  params: {
    token: token
    location: location
    tags: tags
    insightsId: monitoring.outputs.id
    emails: alertEmails
    actionGroupIds: alertActionGroupIds
    failedPercent: alertFailedPercent
    oldestMessageMinutes: alertOldestMessageMinutes
  }
}

// azd keeps the outputs in its environment: `azd env get-values`.

@description('The resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The name of the function app.')
output TRANSLOAD_APP_NAME string = app.outputs.name

@description('The address of the API.')
output TRANSLOAD_URL string = app.outputs.url

@description('The default target.')
output TRANSLOAD_DEFAULT_TARGET_REGISTRY string = settings.outputs.defaultTargetRegistry

@description('The vault with the sealing key and the credentials of registries.')
output TRANSLOAD_VAULT_NAME string = vault.outputs.name

@description('The object id of the app\'s identity, for role assignments that are made elsewhere.')
output TRANSLOAD_PRINCIPAL_ID string = identity.outputs.principalId
