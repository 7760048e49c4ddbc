import type { JobFactsFragment } from '../../src/command-line/generated/graphql.ts';

/** A sync that has just started; a test changes what it is about. */
export const job: JobFactsFragment = {
  id: 'Job:1',
  kind: 'SYNC',
  dataType: null,
  state: 'RUNNING',
  outcome: null,
  revision: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  failureReason: null,
  retryMode: null,
  retryOf: null,
  recentErrors: [],
  progress: {
    currentOperation: 'Syncing sortie data from Flown sorties',
    percent: null,
    totalSources: 4,
    completedSources: 0,
    totalItems: null,
    processedItems: 0,
    successCount: 0,
    errorCount: 0,
    restoredCount: null,
    itemsPerSecond: null,
    estimatedCompletion: null,
    elapsedSeconds: null,
    byType: [],
  },
};
