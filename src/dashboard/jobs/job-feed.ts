import { useEffect, useEffectEvent } from 'react';
import { useLive } from '../api/use-live.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { recordSample } from './throughput.ts';

/** What lists show of a job. */
export const JobRow = graphql(`
  fragment JobRow on Job {
    id
    revision
    kind
    dataType
    state
    createdAt
    startedAt
    finishedAt
    failedItemsOnly
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
        filter
        maxItems
      }
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

const JobChanges = graphql(`
  subscription JobChanges {
    jobChanges {
      ...JobRow
    }
  }
`);

const listeners = new Set<(job: JobRowFragment) => void>();

/** One subscription keeps every job that is in the cache up to date, and tells of each change. */
export function useJobFeed(): void {
  useLive(JobChanges, {}, ({ jobChanges }) => {
    const job = readFragment(JobRow, jobChanges);
    recordSample(job);
    for (const listener of listeners) listener(job);
  });
}

/** Tells of each job that is made or changes. */
export function useJobChanges(listener: (job: JobRowFragment) => void): void {
  const tell = useEffectEvent(listener);
  useEffect(() => {
    const current = (job: JobRowFragment) => tell(job);
    listeners.add(current);
    return () => {
      listeners.delete(current);
    };
  }, []);
}
