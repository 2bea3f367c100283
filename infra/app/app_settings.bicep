// Every app setting that the infrastructure gives. docs/settings.md describes them; a test holds this list to the code:
// what is set here is read there, or is the platform's own.

@description('The name of the function app.')
param appName string

@description('True: a Flex Consumption plan, which refuses the settings that tell other plans how to run Python.')
param isFlex bool

@description('The client id of the app\'s identity.')
param identityClientId string

@description('The endpoint of the blob service.')
param blobEndpoint string

@description('The endpoint of the queue service.')
param queueEndpoint string

@description('The endpoint of the table service.')
param tableEndpoint string

@description('Where telemetry is sent.')
param insightsConnectionString string

@description('The Key Vault reference of TRANSLOAD_SEALING_KEYS.')
param sealingKeysReference string

@description('The Key Vault reference of TRANSLOAD_CREDENTIALS.')
param registryCredentialsReference string

@description('The Key Vault reference of TRANSLOAD_HOOKS.')
param hooksReference string

@description('The login server of the registry that was made with the app; empty: none was.')
param newLoginServer string

@description('The login servers of the registries that were there before.')
param targetLoginServers array

@description('TRANSLOAD_REGISTRIES, as an object: what is special about a registry host.')
param registries object

@description('TRANSLOAD_SOURCE_REGISTRIES: the hosts that imports may come from; empty: any.')
param sourceRegistries array

@description('TRANSLOAD_POLICY: who may do what; the text itself, file:NAME or blob:documents/NAME. Empty: none.')
param policy string

@description('TRANSLOAD_RULES: what a push means; the text itself, file:NAME or blob:documents/NAME. Empty: none.')
param rules string

@description('The Key Vault reference of TRANSLOAD_CALLBACK_KEYS.')
param callbackKeysReference string

@description('TRANSLOAD_CALLBACK_HOSTS: the only hosts that callbacks may go to; empty: any public one.')
param callbackHosts array

@description('TRANSLOAD_EVENTS_ENDPOINT: where an event about the end of every import goes; empty: nowhere.')
param eventsEndpoint string

@description('True: callers need an Entra token. False: a function key.')
param callersSignIn bool

@description('More app settings by their names: any of docs/settings.md. They win over what is set here.')
param moreSettings object

// Storage by identity. The endpoints are named one by one, since their suffix differs from cloud to cloud.
var storageSettings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__tableServiceUri: tableEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
}

var platformSettings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

// What Flex Consumption knows from the app's own configuration.
var dedicatedSettings = isFlex ? {} : {
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'python'
  SCM_DO_BUILD_DURING_DEPLOYMENT: 'true'
  ENABLE_ORYX_BUILD: 'true'
}

var targets = concat(empty(newLoginServer) ? [] : [newLoginServer], targetLoginServers)

var transloadSettings = {
  AZURE_CLIENT_ID: identityClientId
  AZURE_CLOUD: environment().name
  TRANSLOAD_SEALING_KEYS: sealingKeysReference
  TRANSLOAD_CREDENTIALS: registryCredentialsReference
  TRANSLOAD_HOOKS: hooksReference
  TRANSLOAD_DEFAULT_TARGET_REGISTRY: targets[0]
  TRANSLOAD_TARGET_REGISTRIES: join(targets, ',')
  TRANSLOAD_SOURCE_REGISTRIES: join(sourceRegistries, ',')
  TRANSLOAD_REGISTRIES: string(registries)
  TRANSLOAD_CALLERS: callersSignIn ? 'entra' : 'function-key'
  TRANSLOAD_POLICY: policy
  TRANSLOAD_RULES: rules
  TRANSLOAD_CALLBACK_KEYS: callbackKeysReference
  TRANSLOAD_CALLBACK_HOSTS: join(callbackHosts, ',')
  TRANSLOAD_EVENTS_ENDPOINT: eventsEndpoint
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(storageSettings, platformSettings, dedicatedSettings, transloadSettings, moreSettings)
}

@description('Where an import goes whose request names no registry.')
output defaultTargetRegistry string = targets[0]
