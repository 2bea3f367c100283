// Application Insights and the workspace behind it. Only Entra identities may send telemetry.

@description('The name of Application Insights.')
param name string

@description('The name of the Log Analytics workspace.')
param workspaceName string

@description('Where both are made.')
param location string

@description('The tags of every resource.')
param tags object

@description('The object id of the app\'s identity, which may send telemetry.')
param principalId string

@description('How many days telemetry is kept.')
param retentionDays int

@description('The most gigabytes that are taken in a day; what comes later that day is lost. -1: no limit.')
param dailyLimitGb int

var roles = loadJsonContent('../roles.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyLimitGb
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, principalId, roles.MonitoringMetricsPublisher)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.MonitoringMetricsPublisher)
  }
}

@description('The resource id of Application Insights.')
output id string = insights.id

@description('Where telemetry is sent; no secret, since local authentication is off.')
output connectionString string = insights.properties.ConnectionString

@description('The resource id of the workspace.')
output workspaceId string = workspace.id
