// The subscription that brings pushes from a registry's topic into the queue `events`. A queue needs no handshake, no
// function key and no public endpoint, so it can be made before the code is deployed.

@description('The name of the registry\'s topic.')
param topicName string

@description('The name of the subscription.')
param name string

@description('The resource id of the storage account.')
param storageId string

@description('The name of the queue.')
param queueName string

@description('What the names of the repositories begin with whose pushes are sent; empty: all.')
param repositoryPrefix string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: name
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: storageId
          queueName: queueName
          queueMessageTimeToLiveInSeconds: -1
        }
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.ContainerRegistry.ImagePushed'
        'Microsoft.ContainerRegistry.ChartPushed'
      ]
      subjectBeginsWith: repositoryPrefix
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}
