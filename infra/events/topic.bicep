// The registry's event topic: Event Grid says there what was pushed. It lies in the registry's own resource group and
// region, and a registry can have only one; where there is one already, that one is used.

@description('The name of the registry.')
param registryName string

@description('The tags of every resource.')
param tags object

@description('The name of the registry\'s topic where it has one already, with a system-assigned identity; empty: one is made.')
param existingTopicName string

var isNew = empty(existingTopicName)

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource newTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (isNew) {
  name: 'transload-${registryName}'
  location: registry.location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: registry.id
    topicType: 'Microsoft.ContainerRegistry.Registries'
  }
}

resource oldTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!isNew) {
  name: isNew ? 'none' : existingTopicName
}

@description('The name of the topic.')
output name string = isNew ? newTopic.name : existingTopicName

@description('The object id of the topic\'s identity, which puts events into the queue.')
output principalId string = isNew ? newTopic!.identity.principalId : oldTopic!.identity.principalId
