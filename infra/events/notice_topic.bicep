// The topic that is told when imports have ended: the operator's own, with the CloudEvents schema. Here the app gets the
// right to send events to it, and to nothing else.

@description('The name of the topic.')
param name string

@description('The object id of the app\'s identity.')
param principalId string

var roles = loadJsonContent('../roles.json')

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: name
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, principalId, roles.EventGridDataSender)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.EventGridDataSender)
  }
}

@description('Where events go.')
output endpoint string = topic.properties.endpoint
