import { graphql } from './generated/index.ts';

/** What the command asks of the API. */

graphql(`
  fragment JobRow on Job {
    id
    kind
    dataType
    state
    revision
    createdAt
    startedAt
    finishedAt
    failureReason
    failedItemsOnly
    retryOf {
      id
    }
    progress {
      currentOperation
      percent
      totalItems
      processedItems
      successCount
      errorCount
      itemsPerSecond
      estimatedCompletion
      elapsedSeconds
    }
  }
`);

graphql(`
  fragment JobFacts on Job {
    ...JobRow
    progress {
      byType {
        dataType
        totalItems
        processedItems
        successCount
        errorCount
      }
    }
    recentErrors
  }
`);

graphql(`
  fragment Refusal on Error {
    message
    ... on InvalidInputError {
      issues {
        field
        message
      }
    }
  }
`);

export const StartSync = graphql(`
  mutation StartSync($input: StartSyncInput!) {
    startSync(input: $input) {
      __typename
      ... on StartSyncSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ...Refusal
      ... on SyncAlreadyRunningError {
        activeJob {
          id
        }
      }
    }
  }
`);

export const StartQueryJob = graphql(`
  mutation StartQueryJob($input: StartQueryJobInput!) {
    startQueryJob(input: $input) {
      __typename
      ... on StartQueryJobSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ...Refusal
    }
  }
`);

export const StopSync = graphql(`
  mutation StopSync {
    stopSync {
      __typename
      ... on StopSyncSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

export const CancelJob = graphql(`
  mutation CancelJob($id: ID!) {
    cancelJob(id: $id) {
      __typename
      ... on CancelJobSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ...Refusal
    }
  }
`);

export const PauseJob = graphql(`
  mutation PauseJob($id: ID!) {
    pauseJob(id: $id) {
      __typename
      ... on PauseJobSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ...Refusal
    }
  }
`);

export const ResumeJob = graphql(`
  mutation ResumeJob($id: ID!) {
    resumeJob(id: $id) {
      __typename
      ... on ResumeJobSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ...Refusal
    }
  }
`);

export const RetryJob = graphql(`
  mutation RetryJob($id: ID!, $failedItemsOnly: Boolean!) {
    retryJob(id: $id, failedItemsOnly: $failedItemsOnly) {
      __typename
      ... on RetryJobSuccess {
        message
        job {
          ...JobFacts
        }
      }
      ...Refusal
      ... on SyncAlreadyRunningError {
        activeJob {
          id
        }
      }
    }
  }
`);

export const Jobs = graphql(`
  query Jobs($filter: JobFilter, $orderBy: JobOrder!, $first: Int!, $after: String) {
    jobs(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          ...JobRow
        }
      }
    }
  }
`);

export const JobState = graphql(`
  query JobState($id: ID!) {
    job(id: $id) {
      ...JobFacts
    }
  }
`);

export const JobDetails = graphql(`
  query JobDetails($id: ID!) {
    job(id: $id) {
      ...JobFacts
      startedBy {
        id
        name
      }
      configuration {
        __typename
        ... on SyncConfiguration {
          syncType
          filter
          maxItems
          options {
            batchSize
            maxErrors
            maxAttempts
            partitionRows
          }
        }
        ... on QueryConfiguration {
          sqlQuery
          parameterNames
          classification
          metadata
          options {
            batchSize
            maxErrors
            maxAttempts
            partitionRows
          }
        }
      }
      partitions {
        id
        sourceName
        dataType
        state
        attempt
        percent
        totalItems
        processedItems
        successCount
        errorCount
        startedAt
        finishedAt
        message
      }
    }
  }
`);

export const JobErrors = graphql(`
  query JobErrors($id: ID!, $first: Int!, $after: String, $stages: [ErrorStage!]) {
    job(id: $id) {
      errors(first: $first, after: $after, stages: $stages) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          node {
            id
            stage
            dataType
            itemId
            message
            row
            createdAt
          }
        }
      }
    }
  }
`);

export const JobProgress = graphql(`
  subscription JobProgress($id: ID!) {
    jobProgress(id: $id) {
      ...JobFacts
    }
  }
`);

graphql(`
  fragment SourceFacts on DataSource {
    id
    name
    dataType
    fullTableName
    catalogName
    schemaName
    tableName
    cursorColumn
    enabled
    schedule {
      cron
      timeZone
      nextRuns(count: 1)
    }
    itemCount
    watermark
    lastSyncAt
    lastSyncState
    lastSyncMessage
    createdAt
    updatedAt
  }
`);

export const DataSources = graphql(`
  query DataSources($dataType: String, $enabled: Boolean) {
    dataSources(dataType: $dataType, enabled: $enabled) {
      ...SourceFacts
    }
  }
`);

export const DataSource = graphql(`
  query DataSource($id: ID!) {
    dataSource(id: $id) {
      ...SourceFacts
    }
  }
`);

export const SaveDataSource = graphql(`
  mutation SaveDataSource($input: SaveDataSourceInput!) {
    saveDataSource(input: $input) {
      __typename
      ... on SaveDataSourceSuccess {
        dataSource {
          ...SourceFacts
        }
      }
      ...Refusal
    }
  }
`);

export const DeleteDataSource = graphql(`
  mutation DeleteDataSource($id: ID!) {
    deleteDataSource(id: $id) {
      __typename
      ... on DeleteDataSourceSuccess {
        deletedId
        name
      }
      ...Refusal
    }
  }
`);

export const TestDataSource = graphql(`
  mutation TestDataSource($id: ID!) {
    testDataSource(id: $id) {
      __typename
      ... on TestDataSourceSuccess {
        isReadable
        problem
        rowCount
        columns {
          name
          type
        }
        missingColumns
        surplusColumns
        warnings
        dataSource {
          id
          name
          fullTableName
        }
      }
      ...Refusal
    }
  }
`);

graphql(`
  fragment ItemFacts on BladeItem {
    id
    dataType
    itemId
    classificationMarking
    catalogId
    createdAt
    updatedAt
    uploadedAt
    job {
      id
    }
    dataSource {
      id
      name
    }
    data
    metadata
  }
`);

export const Items = graphql(`
  query Items($filter: ItemFilter, $first: Int!, $after: String) {
    items(filter: $filter, first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          ...ItemFacts
        }
      }
    }
  }
`);

export const Item = graphql(`
  query Item($dataType: String!, $itemId: String!) {
    item(dataType: $dataType, itemId: $itemId) {
      ...ItemFacts
    }
  }
`);

export const WhoAmI = graphql(`
  query WhoAmI {
    me {
      id
      name
      role
      clearance
      expiresAt
    }
  }
`);
