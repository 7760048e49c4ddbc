import { graphql } from '../generated/index.ts';

/** What lists and forms show of a data source. */
export const SourceFacts = graphql(`
  fragment SourceFacts on DataSource {
    id
    name
    dataType
    catalogName
    schemaName
    tableName
    fullTableName
    cursorColumn
    enabled
    watermark
    itemCount
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
