import type { Job } from '../../database/generated/prisma/client.ts';
import type { ChangeEntry } from '../../jobs/events/change-feed.ts';
import { createStartSyncInputSchema } from '../../jobs/input/start-sync-input.ts';
import {
  IdempotencyKeyReusedError,
  NoActiveSyncError,
  NoDataSourceError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { isTerminal } from '../../jobs/job-state.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { DataSourceNotFoundError } from '../../sources/source-errors.ts';
import { builder } from './builder.ts';
import { describeErrorType } from './error.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { JobNode } from './job.ts';
import { JobOptionsInput } from './job-configuration.ts';
import { SyncTypeEnum } from './job-enums.ts';
import { LabelInput } from './label.ts';
import { parseInput } from './parse-input.ts';
import { requires } from './requires.ts';
import {
  type ControlledJob,
  describeStart,
  exposeControlledJob,
  exposeStartedJob,
  IDEMPOTENCY_KEY,
  type StartedJob,
} from './started-job.ts';

const StartSyncInput = builder.inputType('StartSyncInput', {
  description: 'The sync to start.',
  fields: (t) => ({
    syncType: t.field({
      type: SyncTypeEnum,
      required: true,
      description: 'How much of the sources to read.',
    }),
    dataType: t.string({
      description:
        'Sync only enabled sources of this data type, such as `sortie`; the query `dataTypes` lists all. Default: all enabled sources.',
    }),
    dataSourceIds: t.idList({
      description:
        'Sync only these sources, which have to be enabled; at most 200. Default: all enabled sources, or those of `dataType`.',
    }),
    filter: t.string({
      description:
        "Condition on rows in the Databricks dialect, such as `base_location = 'EDWARDS' AND flight_hours > 2`. A filtered sync does not move watermarks.",
    }),
    maxItems: t.int({
      description:
        'Maximum number of rows to read per source; at least 1. Default: all. An INCREMENTAL sync reads the oldest new rows, and the rows at the watermark again, so repeated syncs reach the end. They repeat the same rows while the watermark cannot move: without a cursor column, with a `filter`, while more new rows than this share a cursor value, and while lines of a file cannot be read. `lastSyncMessage` of the source reports the last two. Lines that cannot be read do not count: each sync reports all of them as errors.',
    }),
    options: t.field({ type: JobOptionsInput, description: 'Options of the job.' }),
    labels: t.field({ type: [LabelInput], description: 'By what to find the job, at most 20.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const StartSyncSuccess = builder.objectRef<StartedJob>('StartSyncSuccess').implement({
  description: 'The sync is queued.',
  fields: exposeStartedJob,
});

const StopSyncSuccess = builder.objectRef<ControlledJob>('StopSyncSuccess').implement({
  description: 'The sync is CANCELLING, or already CANCELLED if no worker was running it.',
  fields: exposeControlledJob,
});

builder.objectType(NoActiveSyncError, {
  ...describeErrorType(NoActiveSyncError, 'No sync is active, so there is nothing to stop.'),
});

builder.mutationFields((t) => ({
  startSync: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: StartSyncSuccess,
    description:
      'Starts a sync of all enabled data sources, of those of one data type, or of some. Only one sync can be active at a time.',
    args: { input: t.arg({ required: true, type: StartSyncInput, description: 'The sync to start.' }) },
    errors: {
      types: [
        InvalidInputError,
        SyncAlreadyRunningError,
        NoDataSourceError,
        DataSourceNotFoundError,
        IdempotencyKeyReusedError,
      ],
      union: { name: 'StartSyncResult', description: 'The result of starting a sync.' },
    },
    resolve: async (_root, { input }, { jobs, dataTypes, findStatementProblem }) => {
      const parsed = await parseInput(createStartSyncInputSchema(dataTypes, findStatementProblem), input);
      const dataSourceIds = parsed.dataSourceIds?.map((id, index) =>
        parseUuid('DataSource', id, `input.dataSourceIds.${index}`),
      );
      const started = await jobs.startSync({ ...parsed, dataSourceIds: dataSourceIds ?? null });
      const of = describeSources(started.job, dataSourceIds?.length);
      return describeStart(started, `Sync job started for ${of}`);
    },
  }),
  stopSync: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: StopSyncSuccess,
    description: 'Stops the active sync, like `cancelJob` with its id.',
    errors: {
      types: [NoActiveSyncError],
      union: { name: 'StopSyncResult', description: 'The result of stopping the sync.' },
    },
    resolve: async (_root, _args, { jobs }) => {
      const job = await jobs.stopSync();
      return { job, message: job.state === 'CANCELLED' ? 'Sync job stopped' : 'Sync job is stopping' };
    },
  }),
}));

function describeSources({ dataType }: Job, count: number | undefined): string {
  if (count === undefined) return `${dataType ?? 'all'} data`;
  return count === 1 ? 'one source' : `${count} sources`;
}

type SyncState = Job['state'] | 'NO_SYNC_JOB';

const SyncStateEnum = builder.enumType('SyncState', {
  description: 'State of the active or most recent sync.',
  values: {
    NO_SYNC_JOB: { description: 'No sync was ever started.' },
    QUEUED: { description: 'Waiting for a worker.' },
    RUNNING: { description: 'A worker is running it.' },
    PAUSING: { description: 'About to pause.' },
    PAUSED: { description: 'Paused at its checkpoints, from which it can be resumed.' },
    CANCELLING: { description: 'About to stop.' },
    COMPLETED: {
      description: 'Every row of every source was read. Items may have failed: see the outcome of the job.',
    },
    FAILED: {
      description:
        'A source could not be read to its end, or all attempts failed. Items stored by then stay.',
    },
    CANCELLED: { description: 'Cancelled before its end.' },
  } as const satisfies Record<SyncState, object>,
});

const SyncStatusType = builder.objectRef<{ job: Job | null }>('SyncStatus').implement({
  description: 'The active or most recent sync.',
  fields: (t) => ({
    id: t.id({
      description: 'Always the same, so that the caches of clients replace each status by the next.',
      resolve: () => encodeGlobalId('SyncStatus', 'current'),
    }),
    state: t.field({
      type: SyncStateEnum,
      description: 'State of the job; NO_SYNC_JOB if there was none.',
      resolve: ({ job }) => job?.state ?? 'NO_SYNC_JOB',
    }),
    job: t.field({
      type: JobNode,
      nullable: true,
      description: 'The active sync, or else the most recent one. Null if there was none.',
      resolve: ({ job }) => job,
    }),
  }),
});

builder.queryField('syncStatus', (t) =>
  t.field({
    authScopes: requires('viewer'),
    nullable: true,
    type: SyncStatusType,
    description: 'The active sync, or else the most recent one, with its progress.',
    resolve: async (_root, _args, { jobs }) => ({ job: await jobs.currentSync() }),
  }),
);

builder.subscriptionField('syncProgress', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: SyncStatusType,
    description:
      'Watches syncs: the active or most recent one first, then each later state of it, and then of the next sync. Does not complete.',
    subscribe: async (_root, _args, { jobs }) => {
      const changes = await jobs.feeds.watchChanges({ kinds: ['SYNC'] }, 'BEGINNING');
      try {
        return createSyncStatuses(await jobs.currentSync(), changes, () => jobs.currentSync());
      } catch (error) {
        await changes.return?.();
        throw error;
      }
    },
    resolve: (status: { job: Job | null }) => status,
  }),
);

/**
 * Yields the current sync, then each later state of it, then of the next one. Not a generator, because a generator that
 * waits for a change could not be ended before the change comes.
 */
function createSyncStatuses(
  current: Job | null,
  changes: AsyncIterableIterator<ChangeEntry>,
  readCurrent: () => Promise<Job | null>,
): AsyncIterableIterator<{ job: Job | null }> {
  let lastSent: Job | null | undefined;
  return createIterator<{ job: Job | null }>(
    async () => {
      if (lastSent === undefined) {
        lastSent = current;
        return { done: false, value: toStatus(current) };
      }
      for (;;) {
        const change = await changes.next();
        if (change.done) return DONE;
        const job = 'gap' in change.value ? await readCurrent() : (change.value.value?.job ?? null);
        if (job === null || !isNext(job, lastSent)) continue;
        lastSent = job;
        return { done: false, value: toStatus(job) };
      }
    },
    () => changes.return?.(),
  );
}

/** Returns one event for all subscribers who get the same job, so that it is executed once for all of them. */
function toStatus(job: Job | null): { job: Job | null } {
  if (job === null) return { job };
  let status = statuses.get(job);
  if (status === undefined) {
    status = { job };
    statuses.set(job, status);
  }
  return status;
}

const statuses = new WeakMap<Job, { job: Job }>();

/** Whether a sync comes after the one last sent: a later state of it, or the next sync, which is active or newer. */
function isNext(job: Job, lastSent: Job | null): boolean {
  if (lastSent === null) return true;
  if (job.id === lastSent.id) return job.revision > lastSent.revision;
  return !isTerminal(job.state) || (isTerminal(lastSent.state) && job.orderedAt > lastSent.orderedAt);
}
