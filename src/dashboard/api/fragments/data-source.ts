import { graphql } from '../../generated/index.ts';

/** A data source where others refer to it. */
export const SourceName = graphql(`
  fragment SourceName on DataSource {
    id
    name
    fullTableName
  }
`);

/** A data source as lists, its page and its form show it. */
export const SourceRow = graphql(`
  fragment SourceRow on DataSource {
    id
    revision
    name
    dataType
    catalogName
    schemaName
    tableName
    fullTableName
    cursorColumn
    enabled
    watermark
    tableVersion
    tableTimestamp
    driftMessage
    itemCount
    deletePolicy
    maxDeletePercent
    insertedCount
    updatedCount
    unchangedCount
    failedCount
    deletedCount
    readMode
    onSchemaChange
    pendingRemovals
    removalMessage
    waitingDeletes {
      jobId
      count
      expiresAt
    }
    lastSyncAt
    lastSyncState
    lastSyncMessage
    schedule {
      cron
      timeZone
      nextRuns(count: 3)
    }
  }
`);
