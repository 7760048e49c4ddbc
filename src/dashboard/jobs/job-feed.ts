import { useApolloClient } from '@apollo/client/react';
import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react';
import { useReconnect } from '../api/api-context.tsx';
import { JobDetails, JobRow } from '../api/fragments/job.ts';
import { useFeed } from '../api/use-feed.ts';
import { readKey } from '../format/ids.ts';
import type { GapReason, JobRowFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { isTerminal } from '../parts/status.tsx';
import { recordSample } from './throughput.ts';

const JobChanges = graphql(`
  subscription JobChanges($after: String) {
    jobChanges(after: $after) {
      cursor
      mayHaveMissed
      job {
        ...JobRow
      }
      gap {
        reason
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

/** What the feed brought when a lost connection was back: every change, or less, for this reason. */
export type CatchUp = 'EVERYTHING' | GapReason;

let lastCatchUp: CatchUp | null = null;
const catchUpListeners = new Set<() => void>();

function changeCatchUp(next: CatchUp | null): void {
  lastCatchUp = next;
  for (const listener of catchUpListeners) listener();
}

/** Returns what the feed brought at the last reconnection; null if there was none, or nothing has come yet. */
export function useCatchUp(): CatchUp | null {
  return useSyncExternalStore(
    (listener) => {
      catchUpListeners.add(listener);
      return () => catchUpListeners.delete(listener);
    },
    () => lastCatchUp,
  );
}

/**
 * Keeps every job in the cache current and passes each change on to `useJobChanges`. When a lost connection is back, the feed
 * continues after its last cursor; all that is shown is loaded again only where changes may be missing.
 */
export function useJobFeed(): void {
  const client = useApolloClient();
  const { cache } = client;
  /** Whether the feed begins as the page does, which loads everything by itself. */
  const isFirst = useRef(true);
  const isBack = useRef(false);
  useReconnect(() => {
    isFirst.current = false;
    isBack.current = true;
    changeCatchUp(null);
  });
  useFeed(
    JobChanges,
    {},
    {
      fetchPolicy: 'no-cache',
      onData({ jobChanges: { gap, mayHaveMissed, job: changed } }) {
        if (mayHaveMissed && !isFirst.current) {
          void client.refetchQueries({ include: 'active' });
          for (const listener of missedListeners) listener();
        }
        // Where something is missing, the first message after a reconnection says so.
        if (isBack.current || gap !== null)
          changeCatchUp(gap?.reason ?? (mayHaveMissed ? null : 'EVERYTHING'));
        isFirst.current = false;
        isBack.current = false;
        const job = readFragment(JobRow, changed);
        if (job === null) return;
        recordSample(job);
        if (!openJobs.has(readKey(job.id))) cache.writeFragment({ fragment: JobRow, data: job });
        for (const listener of listeners) listener(job);
      },
    },
  );
}

const missedListeners = new Set<() => void>();

/** Runs when changes of jobs may have been missed. */
export function useMissedJobChanges(listener: () => void): void {
  useEffect(() => {
    missedListeners.add(listener);
    return () => {
      missedListeners.delete(listener);
    };
  }, [listener]);
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
