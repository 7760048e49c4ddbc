import { graphql } from '../generated/index.ts';

/** The operations that tests send, as a client would write them. */

graphql(`
  fragment JobFacts on Job {
    id
    kind
    dataType
    state
    revision
    failureReason
    recentErrors
    createdAt
    startedAt
    finishedAt
    progress {
      currentOperation
      percent
      totalItems
      processedItems
      successCount
      errorCount
      itemsPerSecond
      estimatedCompletion
      byType {
        dataType
        totalItems
        processedItems
        successCount
        errorCount
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
      ... on InvalidInputError {
        message
        issues {
          field
          message
        }
      }
      ... on SyncAlreadyRunningError {
        message
        activeJob {
          id
          state
        }
      }
      ... on NoDataSourceError {
        message
        dataType
      }
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
      ... on NoActiveSyncError {
        message
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
      ... on InvalidInputError {
        message
        issues {
          field
          message
        }
      }
      ... on NoDataSourceError {
        message
        dataType
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
      ... on InvalidInputError {
        issues {
          field
          message
        }
      }
      ... on JobNotFoundError {
        id
        message
      }
      ... on JobAlreadyFinishedError {
        id
        state
        message
      }
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
      ... on JobNotPausableError {
        id
        state
        message
      }
      ... on Error {
        message
      }
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
      ... on JobNotPausedError {
        id
        state
        message
      }
      ... on Error {
        message
      }
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
          failedItemsOnly
          retryOf {
            id
          }
        }
      }
      ... on InvalidInputError {
        issues {
          field
          message
        }
      }
      ... on JobNotFoundError {
        id
        message
      }
      ... on JobNotFinishedError {
        id
        state
        message
      }
      ... on NothingToRetryError {
        id
        message
      }
      ... on SyncAlreadyRunningError {
        message
        activeJob {
          id
        }
      }
    }
  }
`);

export const SaveDataSource = graphql(`
  mutation SaveDataSource($input: SaveDataSourceInput!) {
    saveDataSource(input: $input) {
      __typename
      ... on SaveDataSourceSuccess {
        dataSource {
          id
          name
          dataType
          fullTableName
          enabled
          cursorColumn
          watermark
        }
      }
      ... on InvalidInputError {
        issues {
          field
          message
        }
      }
      ... on DataSourceNotFoundError {
        id
        message
      }
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
      ... on InvalidInputError {
        issues {
          field
          message
        }
      }
      ... on DataSourceNotFoundError {
        id
        message
      }
      ... on DataSourceInUseError {
        id
        message
      }
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
        columns {
          name
          type
        }
        missingColumns
        surplusColumns
        rowCount
        warnings
      }
      ... on InvalidInputError {
        issues {
          field
          message
        }
      }
      ... on DataSourceNotFoundError {
        id
        message
      }
    }
  }
`);

export const SyncStatus = graphql(`
  query SyncStatus {
    syncStatus {
      state
      job {
        ...JobFacts
      }
    }
  }
`);

export const JobById = graphql(`
  query JobById($id: ID!) {
    job(id: $id) {
      ...JobFacts
      configuration {
        __typename
        ... on SyncConfiguration {
          syncType
          filter
          maxItems
          options {
            batchSize
            maxErrors
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
          }
        }
      }
      partitions {
        id
        state
        dataType
        sourceName
        attempt
        percent
        totalItems
        readItems
        processedItems
        successCount
        errorCount
        message
      }
      dataSources {
        id
        name
      }
    }
  }
`);

export const JobErrors = graphql(`
  query JobErrors(
    $id: ID!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $stages: [ErrorStage!]
  ) {
    job(id: $id) {
      errors(first: $first, after: $after, last: $last, before: $before, stages: $stages) {
        totalCount
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
        edges {
          cursor
          node {
            id
            stage
            dataType
            itemId
            message
            row
          }
        }
      }
    }
  }
`);

export const Jobs = graphql(`
  query Jobs($filter: JobFilter, $orderBy: JobOrder!, $first: Int, $after: String, $last: Int, $before: String) {
    jobs(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
      edges {
        cursor
        node {
          ...JobFacts
        }
      }
    }
  }
`);

export const DataSources = graphql(`
  query DataSources($dataType: String, $enabled: Boolean) {
    dataSources(dataType: $dataType, enabled: $enabled) {
      id
      name
      dataType
      fullTableName
      enabled
      cursorColumn
      watermark
      itemCount
      lastSyncAt
      lastSyncState
      lastSyncMessage
    }
  }
`);

export const Items = graphql(`
  query Items($filter: ItemFilter, $first: Int, $after: String, $last: Int, $before: String) {
    items(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
      edges {
        cursor
        node {
          id
          dataType
          itemId
          classificationMarking
          data
          metadata
          catalogId
          uploadedAt
          job {
            id
          }
          dataSource {
            name
          }
        }
      }
    }
  }
`);

export const ItemByKey = graphql(`
  query ItemByKey($dataType: String!, $itemId: String!) {
    item(dataType: $dataType, itemId: $itemId) {
      id
      dataType
      itemId
      classificationMarking
      data
      metadata
      catalogId
      uploadedAt
      job {
        id
      }
      dataSource {
        id
        name
      }
    }
  }
`);

export const NodeById = graphql(`
  query NodeById($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Job {
        kind
        state
      }
      ... on JobPartition {
        sourceName
        dataSource {
          id
        }
      }
      ... on JobError {
        stage
        message
        partition {
          id
        }
      }
      ... on DataSource {
        name
        fullTableName
      }
      ... on BladeItem {
        dataType
        itemId
      }
    }
  }
`);

export const DataTypes = graphql(`
  query DataTypes {
    dataTypes {
      name
      description
      defaultMarking
      columns {
        name
        kind
        identifying
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

export const SyncProgress = graphql(`
  subscription SyncProgress {
    syncProgress {
      state
      job {
        ...JobFacts
      }
    }
  }
`);

export const JobChanges = graphql(`
  subscription JobChanges($filter: JobChangesFilter) {
    jobChanges(filter: $filter) {
      ...JobFacts
    }
  }
`);
