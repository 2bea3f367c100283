// A registry's own webhook to the app, for whoever does not want Event Grid (subscription.bicep, the default). The host
// makes the key of the function `take_hook` when it runs it for the first time, so the code has to be deployed before.

@description('The name of the registry.')
param registryName string

@description('The name of the webhook: 5 to 50 letters and digits.')
param name string

@description('The tags of every resource.')
param tags object

@description('The resource group of the app.')
param appGroup string

@description('The subscription of the app.')
param appSubscriptionId string

@description('The name of the app.')
param appName string

@description('The address of the app.')
param appUrl string

@description('The repositories whose pushes are told: repo, repo:tag or repo:*; empty: all.')
param repositories string

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  scope: resourceGroup(appSubscriptionId, appGroup)
  name: appName
}

resource webhook 'Microsoft.ContainerRegistry/registries/webhooks@2025-11-01' = {
  parent: registry
  name: name
  location: registry.location
  tags: tags
  properties: {
    serviceUri: '${appUrl}/api/hooks/acr'
    // opens this one function and nothing else of the app
    customHeaders: {
      'x-functions-key': listKeys('${app.id}/functions/take_hook', '2025-03-01').default
    }
    actions: [
      'push'
      'chart_push'
    ]
    scope: repositories
    status: 'enabled'
  }
}
