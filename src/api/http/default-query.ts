/** The operations that GraphiQL opens with. */
export const DEFAULT_QUERY = `# BLADE Ingestion: start a sync, then watch it. The docs (top left) describe every field.

mutation StartSync {
  startSync(input: { syncType: FULL }) {
    __typename
    ... on StartSyncSuccess {
      message
      job { id state }
    }
    ... on UserError {
      message
    }
  }
}

subscription WatchSync {
  syncProgress {
    id
    state
    job {
      id
      state
      outcome
      finishedAt
      revision
      progress {
        id
        currentOperation
        percent
        processedItems
        totalItems
        errorCount
        itemsPerSecond
        estimatedCompletion
        byType { id dataType processedItems totalItems errorCount }
      }
      recentErrors
    }
  }
}

query History {
  jobs(first: 10) {
    totalCount
    edges { node { id kind state outcome createdAt finishedAt revision progress { id processedItems errorCount } } }
    pageInfo { hasNextPage endCursor }
  }
}

mutation StopSync {
  stopSync {
    __typename
    ... on StopSyncSuccess { message job { id state } }
    ... on UserError { message }
  }
}
`;
