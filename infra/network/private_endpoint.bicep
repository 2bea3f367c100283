// A private endpoint of one resource, with the name under which it is found in the network.

@description('The name of the endpoint.')
param name string

@description('Where it is made: the region of its subnet.')
param location string

@description('The tags of every resource.')
param tags object

@description('The resource id of what it leads to.')
param resourceId string

@description('Which part of that: blob, queue, table, vault, registry or sites.')
param groupId string

@description('The resource id of the subnet that it lies in.')
param subnetId string

@description('The private DNS zone of such endpoints.')
param zoneName string

@description('The resource id of the network that asks the zone; empty: no zone is made, since names are kept elsewhere (a hub, a policy).')
param networkId string

var makesZone = !empty(networkId)

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: resourceId
          groupIds: [
            groupId
          ]
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (makesZone) {
  name: zoneName
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = if (makesZone) {
  parent: zone
  name: 'network'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = if (makesZone) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: {
          privateDnsZoneId: zone.id
        }
      }
    ]
  }
}
