// Entra authentication in front of the app (App Service authentication): who has no token of the tenant gets 401 before
// the app sees the request.

@description('The name of the function app.')
param appName string

@description('The application (client) id of the app registration that callers ask tokens for.')
param clientId string

@description('The tenant whose tokens are accepted.')
param tenantId string

@description('The client ids of the applications that may call; empty: every application and user of the tenant that gets a token.')
param allowedClientIds array

@description('Paths that are answered without a token of the tenant: those that have their own check, or need none.')
param openPaths array

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource signIn 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: openPaths
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            clientId
            'api://${clientId}'
          ]
          defaultAuthorizationPolicy: empty(allowedClientIds) ? null : {
            allowedApplications: allowedClientIds
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}
