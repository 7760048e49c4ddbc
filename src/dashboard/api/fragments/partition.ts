import { graphql } from '../../generated/index.ts';

/** A page of the partitions of a job. */
export const PartitionPage = graphql(`
  fragment PartitionPage on JobPartitionConnection {
    totalCount
    isTotalCountExact
    pageInfo {
      ...PageEnd
    }
    edges {
      cursor
      node {
        id
        ...PartitionRow
      }
    }
  }
`);

/** A partition as a job's page shows it. */
export const PartitionRow = graphql(`
  fragment PartitionRow on JobPartition {
    id
    sourceName
    dataType
    state
    currentOperation
    attempt
    percent
    totalItems
    processedItems
    insertedCount
    updatedCount
    unchangedCount
    errorCount
    duplicateCount
    duplicateItemId
    deletedCount
    isUnchanged
    tableVersion
    driftMessage
    startedAt
    finishedAt
    message
  }
`);
