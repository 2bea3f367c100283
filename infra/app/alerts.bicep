// What somebody has to look at: a message was given up, imports fail, messages wait too long. docs/deploy.md says what to
// do about each. The queries read what the app logs; a test holds them to the code.

@description('What the names of the rules end in.')
param token string

@description('Where they are made.')
param location string

@description('The tags of every resource.')
param tags object

@description('The resource id of Application Insights.')
param insightsId string

@description('Who gets an e-mail.')
param emails array

@description('The resource ids of action groups that are told, besides.')
param actionGroupIds array

@description('How many of a hundred imports that ended in the last hour may have failed.')
param failedPercent int

@description('How many minutes a message may wait to be taken.')
param oldestMessageMinutes int

var rules = [
  {
    name: 'poisoned'
    title: 'A message was given up'
    description: 'The Functions host gave a message up (it came into a poison queue). The import was put back or ended; the log says what stopped it.'
    severity: 1
    query: 'requests | where name in ("take_poisoned")'
    measure: null
    aggregation: 'Count'
    threshold: 0
    window: 'PT15M'
    frequency: 'PT5M'
    periods: 1
  }
  {
    name: 'failing'
    title: 'Imports fail'
    description: 'Too many of the imports that ended in the last hour have failed. GET /api/imports?status=Failed tells why.'
    severity: 2
    query: 'traces | where message has "\\"event\\": \\"Succeeded\\"" or message has "\\"event\\": \\"Failed\\"" | extend event = tostring(parse_json(message).event) | summarize ended = count(), failed = countif(event == "Failed") | where ended > 0 | project percent = 100.0 * failed / ended'
    measure: 'percent'
    aggregation: 'Maximum'
    threshold: failedPercent
    window: 'PT1H'
    frequency: 'PT15M'
    periods: 1
  }
  {
    name: 'waiting'
    title: 'Messages wait too long'
    description: 'A message in the queue has waited to be taken. GET /api/health tells whether the app is well; look for functions that cannot start, or raise maximumInstanceCount.'
    severity: 2
    query: 'traces | where message startswith "backlog: " | parse message with "backlog: oldest " seconds:real " s" * | project minutes = seconds / 60'
    measure: 'minutes'
    aggregation: 'Maximum'
    threshold: oldestMessageMinutes
    window: 'PT30M'
    frequency: 'PT15M'
    periods: 2
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(emails)) {
  name: 'transload-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'transload'
    emailReceivers: [for email in emails: {
      name: email
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'transload-${rule.name}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [
      insightsId
    ]
    windowSize: rule.window
    evaluationFrequency: rule.frequency
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: rule.measure
          timeAggregation: rule.aggregation
          operator: 'GreaterThan'
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: rule.periods
            minFailingPeriodsToAlert: rule.periods
          }
        }
      ]
    }
    // there is no telemetry, and so no table, before the app has run
    skipQueryValidation: true
    autoMitigate: true
    actions: {
      actionGroups: concat(empty(emails) ? [] : [group.id], actionGroupIds)
    }
  }
}]
