import { useApolloClient } from '@apollo/client/react';
import { useEffect, useEffectEvent, useRef } from 'react';
import { useReconnect } from '../api/api-context.tsx';
import { JobDetails, JobRow } from '../api/fragments/job.ts';
import { useFeed } from '../api/use-feed.ts';
import { readKey } from '../format/ids.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { isTerminal } from '../parts/status.tsx';
import { recordSample } from './throughput.ts';

const JobChanges = graphql(`
  subscription JobChanges {
    jobChanges {
      job {
        ...JobRow
      }
    }
  }
`);

const JobProgress = graphql(`
  subscription JobProgress($id: ID!) {
    jobProgress(id: $id) {
      ...JobDetails
    }
  }
`);

const listeners = new Set<(job: JobRowFragment) => void>();

/**
 * UUIDs of the jobs whose page is open. Only their own feed writes them to the cache: the feed of all jobs has no
 * partitions, so a job it writes would be ahead of its partitions.
 */
const openJobs = new Set<string>();

/** Keeps every job in the cache current and passes each change on to `useJobChanges`. */
export function useJobFeed(): void {
  const client = useApolloClient();
  const { cache } = client;
  /** Whether the feed begins because the page does, or because a connection is back, after which everything is loaded anyway. */
  const isExpected = useRef(true);
  useReconnect(() => {
    isExpected.current = true;
  });
  useFeed(
    JobChanges,
    {},
    {
      fetchPolicy: 'no-cache',
      onData({ jobChanges }) {
        const job = readFragment(JobRow, jobChanges.job);
        if (job === null) {
          if (!isExpected.current) void client.refetchQueries({ include: 'active' });
          isExpected.current = false;
          return;
        }
        recordSample(job);
        if (!openJobs.has(readKey(job.id))) cache.writeFragment({ fragment: JobRow, data: job });
        for (const listener of listeners) listener(job);
      },
    },
  );
}

/** Runs for each job that is created or changes. */
export function useJobChanges(listener: (job: JobRowFragment) => void): void {
  const notify = useEffectEvent(listener);
  useEffect(() => {
    const current = (job: JobRowFragment) => notify(job);
    listeners.add(current);
    return () => {
      listeners.delete(current);
    };
  }, []);
}

/** Runs when a sync ends, which changes the sources it read. */
export function useSyncEnds(listener: () => void): void {
  useJobChanges(({ kind, state }) => {
    if (kind === 'SYNC' && isTerminal(state)) listener();
  });
}

/**
 * Keeps the job of an open page current, from its own feed alone, until the feed ends with the job.
 * @param uuid of the job.
 * @param isKnown whether the job is known to exist; another has no feed.
 */
export function useOpenJob(uuid: string, isKnown: boolean): void {
  const { cache } = useApolloClient();
  const hasEnded = useRef(false);
  useEffect(() => {
    openJobs.add(uuid);
    return () => {
      openJobs.delete(uuid);
      // From now on the partitions in the cache fall behind the job: the next visit must load them.
      if (!hasEnded.current) cache.evict({ id: 'ROOT_QUERY', fieldName: 'job', args: { id: uuid } });
    };
  }, [cache, uuid]);
  useFeed(JobProgress, isKnown ? { id: uuid } : null, {
    onData({ jobProgress }) {
      recordSample(readFragment(JobRow, readFragment(JobDetails, jobProgress)));
    },
    onEnd() {
      hasEnded.current = true;
    },
  });
}
