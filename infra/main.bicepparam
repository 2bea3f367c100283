// What `azd env set NAME VALUE` (or the shell) decides; docs/deploy.md describes each variable. Lists are separated by
// commas, objects are JSON.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param operatorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')

param targetRegistryIds = filter(split(readEnvironmentVariable('TARGET_REGISTRY_IDS', ''), ','), id => !empty(id))
param targetRepositoryPrefix = readEnvironmentVariable('TARGET_REPOSITORY_PREFIX', '')
param newRegistrySku = readEnvironmentVariable('NEW_REGISTRY_SKU', '')
param sourceRegistryIds = filter(split(readEnvironmentVariable('SOURCE_REGISTRY_IDS', ''), ','), id => !empty(id))
param sourceRegistries = filter(split(readEnvironmentVariable('SOURCE_REGISTRIES', ''), ','), host => !empty(host))
param assignRegistryRoles = bool(readEnvironmentVariable('ASSIGN_REGISTRY_ROLES', 'true'))
param registries = json(readEnvironmentVariable('REGISTRIES', '{}'))
param policy = readEnvironmentVariable('POLICY', '')
param rules = readEnvironmentVariable('RULES', '')
param moreSettings = json(readEnvironmentVariable('MORE_SETTINGS', '{}'))

param planSku = readEnvironmentVariable('PLAN_SKU', 'FC1')
param zoneRedundant = bool(readEnvironmentVariable('ZONE_REDUNDANT', 'false'))
param pythonVersion = readEnvironmentVariable('PYTHON_VERSION', '3.12')
param instanceMemoryMB = int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '2048'))
param maximumInstanceCount = int(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', '40'))
param alwaysReadyHttpInstances = int(readEnvironmentVariable('ALWAYS_READY_HTTP_INSTANCES', '0'))
param httpConcurrency = int(readEnvironmentVariable('HTTP_CONCURRENCY', '16'))
param storageSku = readEnvironmentVariable('STORAGE_SKU', 'Standard_LRS')
param purgeProtection = bool(readEnvironmentVariable('PURGE_PROTECTION', 'true'))

param entraClientId = readEnvironmentVariable('ENTRA_CLIENT_ID', '')
param entraTenantId = readEnvironmentVariable('ENTRA_TENANT_ID', '')
param entraAllowedClientIds = filter(split(readEnvironmentVariable('ENTRA_ALLOWED_CLIENT_IDS', ''), ','), id => !empty(id))

param privateNetwork = bool(readEnvironmentVariable('PRIVATE_NETWORK', 'false'))
param networkAddressPrefix = readEnvironmentVariable('NETWORK_ADDRESS_PREFIX', '10.84.0.0/24')
param appSubnetPrefix = readEnvironmentVariable('APP_SUBNET_PREFIX', '10.84.0.0/26')
param endpointSubnetPrefix = readEnvironmentVariable('ENDPOINT_SUBNET_PREFIX', '10.84.0.64/26')
param appSubnetId = readEnvironmentVariable('APP_SUBNET_ID', '')
param endpointSubnetId = readEnvironmentVariable('ENDPOINT_SUBNET_ID', '')
param makeDnsZones = bool(readEnvironmentVariable('MAKE_DNS_ZONES', 'true'))
param publicAccess = bool(readEnvironmentVariable('PUBLIC_ACCESS', 'true'))

param eventRegistryIds = filter(split(readEnvironmentVariable('EVENT_REGISTRY_IDS', ''), ','), id => !empty(id))
param existingEventTopics = json(readEnvironmentVariable('EXISTING_EVENT_TOPICS', '{}'))
param eventRepositoryPrefix = readEnvironmentVariable('EVENT_REPOSITORY_PREFIX', '')

param webhookRegistryIds = filter(split(readEnvironmentVariable('WEBHOOK_REGISTRY_IDS', ''), ','), id => !empty(id))
param webhookRepositories = readEnvironmentVariable('WEBHOOK_REPOSITORIES', '')

param noticeTopicId = readEnvironmentVariable('NOTICE_TOPIC_ID', '')
param callbackHosts = filter(split(readEnvironmentVariable('CALLBACK_HOSTS', ''), ','), host => !empty(host))

param logRetentionDays = int(readEnvironmentVariable('LOG_RETENTION_DAYS', '30'))
param dailyLogLimitGb = int(readEnvironmentVariable('DAILY_LOG_LIMIT_GB', '-1'))
param alertsEnabled = bool(readEnvironmentVariable('ALERTS_ENABLED', 'true'))
param alertEmails = filter(split(readEnvironmentVariable('ALERT_EMAILS', ''), ','), email => !empty(email))
param alertActionGroupIds = filter(split(readEnvironmentVariable('ALERT_ACTION_GROUP_IDS', ''), ','), id => !empty(id))
param alertFailedPercent = int(readEnvironmentVariable('ALERT_FAILED_PERCENT', '20'))
param alertOldestMessageMinutes = int(readEnvironmentVariable('ALERT_OLDEST_MESSAGE_MINUTES', '30'))
