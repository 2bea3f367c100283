// A virtual network with a subnet for the app and one for private endpoints, for whoever brings none.

@description('The name of the network.')
param name string

@description('Where it is made.')
param location string

@description('The tags of every resource.')
param tags object

@description('The addresses of the network.')
param addressPrefix string

@description('The addresses of the app\'s subnet: at least a /27, a /26 for more than 40 instances.')
param appSubnetPrefix string

@description('The addresses of the subnet for private endpoints.')
param endpointSubnetPrefix string

@description('Whom the app\'s subnet is delegated to: Microsoft.App/environments for Flex Consumption, else Microsoft.Web/serverFarms.')
param delegation string

// The default rules of a security group are what is wanted: nothing from the internet, anything to it and within.
resource rules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${name}-rules'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: appSubnetPrefix
          networkSecurityGroup: {
            id: rules.id
          }
          delegations: [
            {
              name: 'app'
              properties: {
                serviceName: delegation
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointSubnetPrefix
          networkSecurityGroup: {
            id: rules.id
          }
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

@description('The resource id of the network.')
output id string = network.id

@description('The resource id of the app\'s subnet.')
output appSubnetId string = '${network.id}/subnets/app'

@description('The resource id of the subnet for private endpoints.')
output endpointSubnetId string = '${network.id}/subnets/endpoints'
