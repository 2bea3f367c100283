// What somebody has to look at: a message was given up, imports fail, imports wait too long, nothing runs. The queries
// read what the host and the app log; tests/unit/infra/test_alerts.py holds them to the code.

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

@description('How many minutes an import may wait without a sign of life.')
param oldestMessageMinutes int

var rules = [
  {
    name: 'poisoned'
    title: 'A message was given up'
    description: 'A message came into a poison queue. Its import was put back or ended, its notice was not sent, its event waits there; the log says what stopped it.'
    severity: 1
    query: 'union (requests | where name in ("take_poisoned", "give_up_notice")), (traces | where message startswith "an event was given up")'
    measure: null
    aggregation: 'Count'
    operator: 'GreaterThan'
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
    query: 'traces | where message startswith "{\\"v\\": " | extend event = tostring(parse_json(message).event) | where event in ("Succeeded", "Failed") | summarize ended = count(), failed = countif(event == "Failed") | where ended > 0 | project percent = 100.0 * failed / ended'
    measure: 'percent'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: failedPercent
    window: 'PT1H'
    frequency: 'PT15M'
    periods: 1
  }
  {
    name: 'waiting'
    title: 'Imports wait too long'
    description: 'An import has waited for a worker, without a sign of life. GET /api/health tells whether the app is well; look for functions that cannot start, or raise maximumInstanceCount.'
    severity: 2
    query: 'traces | where message startswith "backlog: oldest " | parse message with "backlog: oldest " seconds:real " s, " imports:long " open" | project minutes = seconds / 60'
    measure: 'minutes'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: oldestMessageMinutes
    window: 'PT15M'
    frequency: 'PT15M'
    periods: 2
  }
  {
    name: 'silent'
    title: 'The app does not run'
    description: 'The timer that runs every ten minutes has not ended well for an hour: nothing is deployed, the app cannot start, its settings are wrong, or storage does not answer. GET /api/health tells which.'
    severity: 1
    query: 'requests | where name == "keep_up" and success == true | summarize runs = count()'
    measure: 'runs'
    aggregation: 'Total'
    operator: 'LessThan'
    threshold: 1
    window: 'PT30M'
    frequency: 'PT15M'
    periods: 4
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
          operator: rule.operator
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
