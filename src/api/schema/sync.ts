import type { Job } from '../../database/generated/prisma/client.ts';
import { startSyncInputSchema } from '../../jobs/input/start-sync-input.ts';
import { NoActiveSyncError, NoDataSourceError, SyncAlreadyRunningError } from '../../jobs/job-errors.ts';
import { isTerminal } from '../../jobs/job-state.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { JobNode } from './job.ts';
import { JobOptionsInput } from './job-configuration.ts';
import { SyncTypeEnum } from './job-enums.ts';
import { requires } from './requires.ts';
import { type StartedJob, startedJobFields } from './started-job.ts';

const StartSyncInput = builder
  .inputType('StartSyncInput', {
    description: 'Which sync to start.',
    fields: (t) => ({
      syncType: t.field({
        type: SyncTypeEnum,
        required: true,
        description: 'How much of the sources to read.',
      }),
      dataType: t.string({
        description:
          'Sync only the enabled sources of this data type (`maintenance`, `sortie`, `deployment`, `logistics`); all enabled sources when left out.',
      }),
      filter: t.string({
        description:
          "One condition on the rows, as in `base_location = 'EDWARDS' AND flight_hours > 2`, in the Databricks dialect. A filtered sync does not move the watermark of its sources.",
      }),
      maxItems: t.int({
        description:
          'The most rows to read of each source, at least 1; all when left out. An INCREMENTAL sync takes the oldest new ones.',
      }),
      options: t.field({ type: JobOptionsInput, description: 'How the job is run.' }),
    }),
  })
  .validate(startSyncInputSchema);

const StartSyncSuccess = builder.objectRef<StartedJob>('StartSyncSuccess').implement({
  description: 'The sync is in the queue.',
  fields: startedJobFields,
});

const StopSyncSuccess = builder.objectRef<StartedJob>('StopSyncSuccess').implement({
  description: 'The sync is told to stop, or has been stopped already where no worker was at it.',
  fields: startedJobFields,
});

builder.mutationFields((t) => ({
  startSync: t.field({
    authScopes: requires('operator'),
    type: StartSyncSuccess,
    description:
      'Starts a sync of all enabled data sources, or of those of one data type. One sync is active at a time.',
    args: { input: t.arg({ required: true, type: StartSyncInput, description: 'Which sync to start.' }) },
    errors: {
      types: [InvalidInputError, SyncAlreadyRunningError, NoDataSourceError],
      union: { name: 'StartSyncResult', description: 'What came of starting a sync.' },
    },
    resolve: async (_root, { input }, { jobs }) => {
      const job = await jobs.startSync(input);
      return { job, message: `Sync job started for ${job.dataType ?? 'all'} data` };
    },
  }),
  stopSync: t.field({
    authScopes: requires('operator'),
    type: StopSyncSuccess,
    description: 'Stops the active sync, as `cancelJob` with its id does.',
    errors: {
      types: [NoActiveSyncError],
      union: { name: 'StopSyncResult', description: 'What came of stopping the sync.' },
    },
    resolve: async (_root, _args, { jobs }) => {
      const job = await jobs.stopSync();
      return { job, message: job.state === 'CANCELLED' ? 'Sync job stopped' : 'Sync job is stopping' };
    },
  }),
}));

type SyncState = Job['state'] | 'NO_SYNC_JOB';

const SyncStateEnum = builder.enumType('SyncState', {
  description: 'The state of the active or most recent sync, or that there was none yet.',
  values: {
    NO_SYNC_JOB: { description: 'No sync was ever started.' },
    QUEUED: { description: 'It waits for a worker.' },
    RUNNING: { description: 'A worker is at it.' },
    PAUSING: { description: 'It was told to pause.' },
    PAUSED: { description: 'It keeps its checkpoints, and goes on from them when it is resumed.' },
    CANCELLING: { description: 'It was told to stop.' },
    COMPLETED: { description: 'It ended; single items may have failed.' },
    FAILED: { description: 'It ended: nothing could be read, or its attempts kept failing.' },
    CANCELLED: { description: 'It ended before its time because it was told to.' },
  } as const satisfies Record<SyncState, object>,
});

const SyncStatusType = builder.objectRef<{ job: Job | null }>('SyncStatus').implement({
  description: 'How it stands with syncs.',
  fields: (t) => ({
    state: t.field({
      type: SyncStateEnum,
      description: "The job's state; NO_SYNC_JOB when there was none.",
      resolve: ({ job }) => job?.state ?? 'NO_SYNC_JOB',
    }),
    job: t.field({
      type: JobNode,
      nullable: true,
      description: 'The active sync or else the most recent one; null when there was none.',
      resolve: ({ job }) => job,
    }),
  }),
});

builder.queryField('syncStatus', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: SyncStatusType,
    description: 'The active sync or else the most recent one, with its progress by data type.',
    resolve: async (_root, _args, { jobs }) => ({ job: await jobs.currentSync() }),
  }),
);

builder.subscriptionField('syncProgress', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: SyncStatusType,
    description:
      'How it stands with syncs now, then each later state of the active sync, and then of the next one. Does not complete.',
    subscribe: async (_root, _args, { jobs }) => {
      const changes = jobs.events.watchChanges({ kinds: ['SYNC'] });
      try {
        return syncStatuses(await jobs.currentSync(), changes);
      } catch (error) {
        await changes.return?.();
        throw error;
      }
    },
    resolve: (status: { job: Job | null }) => status,
  }),
);

/**
 * The present sync, then each later state of it, and then of the next one. No generator: one that waits for a change
 * could not be ended before the change came.
 */
function syncStatuses(
  present: Job | null,
  changes: AsyncIterableIterator<Job>,
): AsyncIterableIterator<{ job: Job | null }> {
  let shown: Job | null | undefined;
  return createIterator<{ job: Job | null }>(
    async () => {
      if (shown === undefined) {
        shown = present;
        return { done: false, value: statusOf(present) };
      }
      for (;;) {
        const change = await changes.next();
        if (change.done) return DONE;
        if (!follows(change.value, shown)) continue;
        shown = change.value;
        return { done: false, value: statusOf(change.value) };
      }
    },
    () => changes.return?.(),
  );
}

/** One event for all subscribers who are given the same job, so that it is executed once for them. */
function statusOf(job: Job | null): { job: Job | null } {
  if (job === null) return { job };
  let status = statuses.get(job);
  if (status === undefined) {
    status = { job };
    statuses.set(job, status);
  }
  return status;
}

const statuses = new WeakMap<Job, { job: Job }>();

/** Whether a sync is to be shown after the one shown: its later state, or the next one, which is active or newer. */
function follows(job: Job, shown: Job | null): boolean {
  if (shown === null) return true;
  if (job.id === shown.id) return job.revision > shown.revision;
  return !isTerminal(job.state) || (isTerminal(shown.state) && job.createdAt > shown.createdAt);
}
