import { graphql } from '../../generated/index.ts';

/** A partition as a job's page shows it. */
export const PartitionRow = graphql(`
  fragment PartitionRow on JobPartition {
    id
    sourceName
    dataType
    state
    attempt
    percent
    totalItems
    processedItems
    errorCount
    startedAt
    finishedAt
    message
  }
`);
