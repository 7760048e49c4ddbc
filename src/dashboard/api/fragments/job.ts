import { graphql } from '../../generated/index.ts';

/** A job as lists show it. */
export const JobRow = graphql(`
  fragment JobRow on Job {
    id
    revision
    kind
    dataType
    state
    outcome
    createdAt
    startedAt
    finishedAt
    retryMode
    retryOf {
      id
    }
    startedBy {
      id
      name
    }
    configuration {
      ... on SyncConfiguration {
        syncType
      }
    }
    progress {
      currentOperation
      percent
      isEstimated
      totalSources
      completedSources
      totalItems
      processedItems
      successCount
      insertedCount
      updatedCount
      unchangedCount
      errorCount
      duplicateCount
      deletedCount
      restoredCount
      itemsPerSecond
      estimatedCompletion
      elapsedSeconds
    }
  }
`);

/** Everything on a job's page that changes while the job runs. */
export const JobDetails = graphql(`
  fragment JobDetails on Job {
    ...JobRow
    failedSources {
      id
      sourceName
      dataType
      message
      isRetryable
    }
    progress {
      byType {
        dataType
        totalItems
        processedItems
        insertedCount
        updatedCount
        unchangedCount
        errorCount
        duplicateCount
        deletedCount
      }
    }
    partitions(first: 200) {
      ...PartitionPage
    }
  }
`);

/** What a job was started with. */
export const JobSettings = graphql(`
  fragment JobSettings on Job {
    dataType
    dataSources {
      id
      ...SourceName
    }
    configuration {
      ... on SyncConfiguration {
        syncType
        filter
        maxItems
        options {
          ...JobOptionValues
        }
      }
      ... on QueryConfiguration {
        sqlQuery
        parameterNames
        classification
        metadata
        options {
          ...JobOptionValues
        }
      }
      ... on RepairConfiguration {
        options {
          ...JobOptionValues
        }
      }
    }
  }
`);

export const JobOptionValues = graphql(`
  fragment JobOptionValues on JobOptions {
    batchSize
    maxErrors
    maxAttempts
    partitionRows
  }
`);

/** What pausing, resuming or cancelling a job changes at once; its feed brings the rest. */
export const ControlledJob = graphql(`
  fragment ControlledJob on Job {
    id
    revision
    state
  }
`);
