// The function app and its plan: how it runs, scales and is reached. Its app settings are in app_settings.bicep.

@description('The name of the app; unique in Azure, it is part of the host name.')
param name string

@description('The name of the plan.')
param planName string

@description('Where both are made.')
param location string

@description('The tags of every resource.')
param tags object

@description('FC1 is Flex Consumption: it scales to zero and is paid by the second. The others are dedicated plans with one instance, for regions and clouds without Flex Consumption.')
@allowed(['FC1', 'B1', 'B2', 'P0v3', 'P1v3'])
param planSku string

@description('True: instances are spread over the zones of the region, where it has some.')
param zoneRedundant bool

@description('The resource id of the app\'s identity.')
param identityId string

@description('The container that packages are deployed to.')
param packageContainer string

@description('The version of Python.')
param pythonVersion string

@description('The memory of one instance, in MiB: 512, 2048 or 4096. Flex Consumption only.')
param instanceMemoryMB int

@description('The most instances at once. Flex Consumption only.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('How many instances always wait for HTTP requests; 0 scales to zero. Flex Consumption only.')
@minValue(0)
param alwaysReadyHttpInstances int

@description('How many HTTP requests one instance works on at once. Flex Consumption only.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int

@description('The resource id of the subnet that the app reaches the world from; empty: none.')
param subnetId string

@description('False: only private endpoints reach the app.')
param publicAccess bool

var isFlex = planSku == 'FC1'

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: isFlex ? 'functionapp' : 'linux'
  sku: {
    name: planSku
    tier: isFlex ? 'FlexConsumption' : null
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the app by this tag
  tags: union(tags, {
    'azd-service-name': 'transload'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    reserved: true
    httpsOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Flex Consumption sends everything through its subnet anyway.
    outboundVnetRouting: empty(subnetId) || isFlex ? null : {
      allTraffic: true
    }
    functionAppConfig: isFlex ? {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyHttpInstances == 0 ? [] : [
          {
            name: 'http'
            instanceCount: alwaysReadyHttpInstances
          }
        ]
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    } : null
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
    }
  }
}

// Flex Consumption keeps these elsewhere or has none of them, and refuses to hear of them.
resource dedicatedSettings 'Microsoft.Web/sites/config@2025-03-01' = if (!isFlex) {
  parent: app
  name: 'web'
  properties: {
    alwaysOn: true
    ftpsState: 'Disabled'
    healthCheckPath: '/api/health'
    linuxFxVersion: 'PYTHON|${pythonVersion}'
  }
}

// Deployments sign in with Entra ID; a user and a password for FTP or Kudu would be one more way in.
resource noPasswordForFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noPasswordForKudu 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('The resource id of the app.')
output id string = app.id

@description('The name of the app.')
output name string = app.name

@description('The address of the app.')
output url string = 'https://${app.properties.defaultHostName}'
