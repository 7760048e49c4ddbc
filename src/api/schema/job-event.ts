import type { FieldMap } from '@pothos/core';
import type { Job, JobEvent } from '../../database/generated/prisma/client.ts';
import type { JobEventKind } from '../../database/generated/prisma/enums.ts';
import { createKeysetReader } from '../../database/paging/keyset.ts';
import {
  describeEvent,
  readAttempt,
  readCounts,
  readDeleted,
  readEnd,
  readPlan,
  readSchemaChanged,
  readWait,
} from '../../jobs/events/event-facts.ts';
import type { After } from '../../jobs/events/feed.ts';
import { JobNotFoundError } from '../../jobs/job-errors.ts';
import { mapIterator } from '../../shared/async-iterator.ts';
import { builder } from './builder.ts';
import { INSERTED_COUNT, subtractChanges, UNCHANGED_COUNT, UPDATED_COUNT } from './change-counts.ts';
import { type CursorForm, decodeCursor, encodeCursor } from './cursor.ts';
import { createMessageFields, describeAfter, type FeedMessage, toMessage } from './feed-message.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { JobNode } from './job.ts';
import { JobOutcomeEnum, JobStateEnum } from './job-enums.ts';
import { DELETED_COUNT, DUPLICATE_COUNT, ERROR_COUNT, SUCCESS_COUNT } from './job-progress.ts';
import { PrincipalType } from './me.ts';
import { createOrderInput } from './order-input.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { declareColumns } from './read-columns.ts';
import { requires } from './requires.ts';
import { SchemaChangeType } from './table-schema.ts';

/** The type of each kind of event. */
const TYPES: Readonly<Record<JobEventKind, string>> = {
  QUEUED: 'JobQueuedEvent',
  STARTED: 'JobStartedEvent',
  WAITING: 'JobWaitingEvent',
  CONTINUED: 'JobContinuedEvent',
  CHECKPOINT: 'JobCheckpointEvent',
  PAUSE_REQUESTED: 'JobPauseRequestedEvent',
  PAUSED: 'JobPausedEvent',
  RESUMED: 'JobResumedEvent',
  CANCEL_REQUESTED: 'JobCancelRequestedEvent',
  ENDED: 'JobEndedEvent',
  SOURCE_STARTED: 'SourceStartedEvent',
  SOURCE_PLANNED: 'SourcePlannedEvent',
  SOURCE_CHANGED: 'SourceChangedEvent',
  SOURCE_READ: 'SourceReadEvent',
  SOURCE_FAILED: 'SourceFailedEvent',
  ATTEMPT_STARTED: 'AttemptStartedEvent',
  ATTEMPT_LOST: 'AttemptLostEvent',
  ITEMS_DELETED: 'ItemsDeletedEvent',
  DELETES_SKIPPED: 'DeletesSkippedEvent',
  BATCH_RETRIED: 'BatchRetriedEvent',
  SCHEMA_CHANGED: 'SchemaChangedEvent',
  SNAPSHOT_TAKEN: 'SnapshotTakenEvent',
  DELETES_WAITING: 'DeletesWaitingEvent',
  DELETES_APPROVED: 'DeletesApprovedEvent',
  DELETES_REJECTED: 'DeletesRejectedEvent',
};

/** An event of a job, as the API shows it. */
export const JobEventInterface = builder.interfaceRef<JobEvent>('JobEvent').implement({
  description:
    'Something that happened to a job, recorded in the transaction that made it so. Further kinds may come: show the message of those you do not know.',
  resolveType: ({ kind }) => TYPES[kind],
  fields: (t) => ({
    id: t.id({
      description: 'Globally unique id.',
      resolve: ({ id }) => encodeGlobalId('JobEvent', id),
    }),
    time: t.expose('time', { type: 'DateTime', description: 'When, by the clock of the database.' }),
    message: t.string({ description: 'The event in one line, for people.', resolve: describeEvent }),
  }),
});

const event = (kind: JobEventKind) => builder.objectRef<JobEvent>(TYPES[kind]);

const interfaces = [JobEventInterface];

for (const [kind, description] of [
  ['STARTED', 'A worker claimed the job.'],
  ['CONTINUED', 'The job continues after a wait, or after it was resumed.'],
  ['PAUSED', 'The job is paused at its checkpoints.'],
] as const)
  event(kind).implement({ interfaces, description });

for (const [kind, description, by] of [
  ['QUEUED', 'The job was started, and waits for a worker.', 'Who started it'],
  ['PAUSE_REQUESTED', 'Somebody asked for a pause. The workers go to their checkpoints.', 'Who asked'],
  ['RESUMED', 'Somebody resumed the job, which waits for a worker.', 'Who resumed it'],
  [
    'CANCEL_REQUESTED',
    'Somebody cancelled the job. The workers finish what they have read.',
    'Who cancelled it',
  ],
] as const)
  event(kind).implement({
    interfaces,
    description,
    fields: (t) => ({
      by: t.field({
        type: PrincipalType,
        nullable: true,
        description: `${by}; null if that was not recorded.`,
        resolve: ({ byId: id, byName: name }) => (id === null || name === null ? null : { id, name }),
      }),
    }),
  });

event('WAITING').implement({
  interfaces,
  description: 'The job waits. It continues by itself.',
  fields: (t) => ({
    reason: t.string({
      description:
        'What it waits for. Without clearance for TOP SECRET, that it waits to try something again is all.',
      resolve: ({ reason }) => reason ?? 'Waiting',
    }),
  }),
});

event('CHECKPOINT').implement({
  interfaces,
  description:
    'How far the job had come. The differences between these are its throughput over time, coarser as it runs on.',
  fields: (t) => createCountFields(t),
});

event('ENDED').implement({
  interfaces,
  description: 'The job ended, with its final counts.',
  fields: (t) => ({
    state: t.field({
      type: JobStateEnum,
      description: 'COMPLETED, FAILED or CANCELLED.',
      resolve: (ended) => readEnd(ended).state,
    }),
    outcome: t.field({
      type: JobOutcomeEnum,
      nullable: true,
      description: 'What came of it, counting the rows that your clearance covers; null if it was CANCELLED.',
      resolve: (ended) => readEnd(ended).outcome,
    }),
    failureReason: t.exposeString('reason', {
      nullable: true,
      description: 'Why it FAILED; null in all other states.',
    }),
    ...createCountFields(t),
  }),
});

for (const [kind, description] of [
  ['SOURCE_STARTED', 'A worker began to read a source.'],
  ['SOURCE_READ', 'A source was read to its end.'],
] as const)
  event(kind).implement({ interfaces, description, fields: (t) => createSourceFields(t) });

event('SOURCE_PLANNED').implement({
  interfaces,
  description:
    'What is read of a source is decided. Hidden without clearance for TOP SECRET, because rows of any marking are counted.',
  fields: (t) => ({
    ...createSourceFields(t),
    totalItems: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Rows to read; null if they are not counted before.',
      resolve: (planned) => readPlan(planned).rows,
    }),
    partitionCount: t.int({
      description: 'Partitions, which several workers can read at once.',
      resolve: (planned) => readPlan(planned).partitions,
    }),
    isUnchanged: t.boolean({
      description: 'Whether nothing is read, because the table holds what the last sync has read.',
      resolve: (planned) => readPlan(planned).isUnchanged,
    }),
  }),
});

for (const [kind, description] of [
  ['SOURCE_CHANGED', 'A source changed while it was read, so it is read again from its beginning.'],
  ['SOURCE_FAILED', 'A source could not be read to its end. What was read before is kept.'],
  ['SNAPSHOT_TAKEN', 'All rows of a source are read, because the change feed of its table cannot be used.'],
] as const)
  event(kind).implement({
    interfaces,
    description,
    fields: (t) => ({
      ...createSourceFields(t),
      reason: t.exposeString('reason', { nullable: true, description: 'Why; null if that is unknown.' }),
    }),
  });

for (const [kind, description] of [
  [
    'ATTEMPT_STARTED',
    'A worker claimed a partition: a further one of its source, or one that was tried before. Hidden without clearance for TOP SECRET, like the partitions of a source.',
  ],
  [
    'ATTEMPT_LOST',
    'Another worker took over a partition, because that of the last attempt died, hung or lost the database. The next attempt resumes at the checkpoint. Hidden without clearance for TOP SECRET.',
  ],
] as const)
  event(kind).implement({
    interfaces,
    description,
    fields: (t) => ({
      ...createSourceFields(t),
      attempt: t.int({
        description: 'The number of the attempt at the partition, from 1.',
        resolve: (attempt) => readAttempt(attempt).attempt,
      }),
    }),
  });

event('BATCH_RETRIED').implement({
  interfaces,
  description:
    'A batch was written after the database had rolled it back for a passing reason. Nothing was lost or doubled. Hidden without clearance for TOP SECRET, like the partitions of a source.',
  fields: (t) => ({
    ...createSourceFields(t),
    attempt: t.int({
      description: 'The number of the attempt at the batch that succeeded, from 2.',
      resolve: (retried) => readAttempt(retried).attempt,
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why the attempt before it failed.' }),
  }),
});

event('ITEMS_DELETED').implement({
  interfaces,
  description:
    'Items were deleted because their rows are gone from the table. Hidden without clearance for any of them.',
  fields: (t) => ({
    ...createSourceFields(t),
    deletedCount: t.field({ ...DELETED_COUNT, resolve: (deletion) => readDeleted(deletion).deleted }),
  }),
});

event('DELETES_SKIPPED').implement({
  interfaces,
  description:
    'A sync of a source that deletes items deleted none, because it does not prove which rows are gone, or too many are.',
  fields: (t) => ({
    ...createSourceFields(t),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why, and what to do; null if that is unknown.',
    }),
  }),
});

event('SCHEMA_CHANGED').implement({
  interfaces,
  description: 'The schema of the table of a source has changed since its last completed sync.',
  fields: (t) => ({
    ...createSourceFields(t),
    changes: t.field({
      type: [SchemaChangeType],
      description: 'What has changed.',
      resolve: (changed) => readSchemaChanged(changed).changes,
    }),
    isStopped: t.boolean({
      description: 'Whether the source is not read because of it.',
      resolve: (changed) => readSchemaChanged(changed).isStopped,
    }),
  }),
});

event('DELETES_WAITING').implement({
  interfaces,
  description:
    'A sync found more items without a row than it may delete. They stay until an admin calls `approveDeletes`. Hidden without clearance for any of them.',
  fields: (t) => ({
    ...createSourceFields(t),
    count: t.field({
      type: 'SafeInt',
      description: 'Items that would be deleted and that your clearance covers.',
      resolve: (waiting) => readDeleted(waiting).deleted,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Until when they can be approved.',
      resolve: (waiting) => readWait(waiting).expiresAt,
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'How many of how many items that is, and what the source allows.',
    }),
  }),
});

for (const [kind, description] of [
  ['DELETES_APPROVED', 'An admin approved deletes, and the items that still had no row were deleted.'],
  ['DELETES_REJECTED', 'An admin rejected deletes. The items stay until a later sync proposes them again.'],
] as const)
  event(kind).implement({
    interfaces,
    description: `${description} Hidden without clearance for any of the items.`,
    fields: (t) => ({
      ...createSourceFields(t),
      count: t.field({
        type: 'SafeInt',
        description: 'The items that your clearance covers.',
        resolve: (decided) => readDeleted(decided).deleted,
      }),
      by: t.field({
        type: PrincipalType,
        nullable: true,
        description: 'Who decided.',
        resolve: ({ byId: id, byName: name }) => (id === null || name === null ? null : { id, name }),
      }),
    }),
  });

type Fields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, JobEvent>;

function createSourceFields(t: Fields): FieldMap {
  return {
    sourceName: t.string({
      description: 'Name of the source when the job was started; for a query, the tables that it reads.',
      resolve: ({ sourceName }) => sourceName ?? '',
    }),
  };
}

function createCountFields(t: Fields): FieldMap {
  return {
    elapsedSeconds: t.float({
      description: 'Run time of the job until then, in seconds.',
      resolve: (counted) => readCounts(counted).elapsedMs / 1_000,
    }),
    successCount: t.field({ ...SUCCESS_COUNT, resolve: (counted) => readCounts(counted).success }),
    insertedCount: t.field({ ...INSERTED_COUNT, resolve: (counted) => readCounts(counted).inserted }),
    updatedCount: t.field({ ...UPDATED_COUNT, resolve: (counted) => readCounts(counted).updated }),
    unchangedCount: t.field({
      ...UNCHANGED_COUNT,
      resolve: (counted) => {
        const { success, inserted, updated } = readCounts(counted);
        return subtractChanges(success, inserted, updated);
      },
    }),
    errorCount: t.field({ ...ERROR_COUNT, resolve: (counted) => readCounts(counted).errors }),
    duplicateCount: t.field({ ...DUPLICATE_COUNT, resolve: (counted) => readCounts(counted).duplicates }),
    deletedCount: t.field({ ...DELETED_COUNT, resolve: (counted) => readCounts(counted).deleted }),
  };
}

const JobEventOrder = createOrderInput('JobEventOrder', 'events', {
  CREATED_AT: 'The order in which they happened, also if the clock was set back in between.',
});

const OLDEST_FIRST = { field: 'CREATED_AT', direction: 'ASC' } as const;

const EVENTS: PagedList<JobEvent, 'CREATED_AT'> = {
  name: 'events',
  identity: ['id'],
  orders: {
    CREATED_AT: {
      name: 'job_event',
      key: ['id'],
      indexes: [['jobId'], ['jobId', 'marking']],
      fewValued: ['marking'],
      marking: 'marking',
      types: { id: 'uuid', jobId: 'uuid' },
    },
  },
};

builder.prismaObjectField(JobNode, 'events', (t) =>
  t.connection(
    {
      type: JobEventInterface,
      extensions: declareColumns<Job>(),
      description:
        'What happened to the job, as far as your clearance covers it: the newest 2,000 events. `jobEvents` continues after the cursor of any of them, oldest first.',
      args: {
        orderBy: t.arg({
          type: JobEventOrder,
          required: false,
          defaultValue: OLDEST_FIRST,
          description: 'Order of the events.',
        }),
      },
      resolve: ({ id }, { orderBy, ...page }, context, info) =>
        connectPage(EVENTS, context, info, {
          order: orderBy ?? OLDEST_FIRST,
          page,
          filter: { equals: { jobId: [id] } },
          read: (query) => context.prisma.jobEvent.findMany(query),
          reader: createKeysetReader(context.prisma, context.principal.clearance),
        }),
    },
    { name: 'JobEventConnection', description: 'A page of events.' },
    { name: 'JobEventEdge', description: 'An event and its cursor.' },
  ),
);

/** The cursors of the list, oldest first, are those of the feed, too. */
const CURSORS: CursorForm<JobEvent> = { name: EVENTS.name, table: EVENTS.orders.CREATED_AT };
const CURSOR_ORDER = 'CREATED_AT ASC';

/** The place before the first event, as an id. */
const BEGINNING = '00000000-0000-0000-0000-000000000000';

const encodeEvent = (id: string | null) => encodeCursor(CURSORS, CURSOR_ORDER, { id: id ?? BEGINNING });

function findStart(cursor: string | null | undefined): After<string> {
  if (cursor == null) return 'BEGINNING';
  const decoded = decodeCursor(CURSORS, CURSOR_ORDER, cursor);
  const id = decoded.isValid ? decoded.place.id : null;
  if (typeof id !== 'string') return 'UNKNOWN';
  return id === BEGINNING ? 'BEGINNING' : { place: id };
}

const JobEventMessageType = builder.objectRef<FeedMessage<JobEvent>>('JobEventMessage').implement({
  description: 'A message of the feed of the events of a job: an event, or a gap before the next one.',
  fields: (t) => ({
    ...createMessageFields(t),
    event: t.field({
      type: JobEventInterface,
      nullable: true,
      description: 'What happened; null for a gap.',
      resolve: ({ value }) => value,
    }),
  }),
});

builder.subscriptionField('jobEvents', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: JobEventMessageType,
    description:
      'Follows the log of one job to its end: what is stored first, then each further event, in order and once. Continue with `after` where a connection broke off. A slow client misses nothing: it reads what is stored at its own pace.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the job, globally unique or a bare UUID.' }),
      after: t.arg.string({ required: false, description: describeAfter('the beginning') }),
    },
    subscribe: async (_root, { id, after }, { jobs, lastEventId }) => {
      const jobId = parseUuid('Job', id, 'id');
      const entries = await jobs.feeds.watchLog(jobId, findStart(lastEventId ?? after));
      if (entries === null) throw new JobNotFoundError(jobId);
      return mapIterator(entries, (entry) => toMessage(entry, 'jobEvents', encodeEvent));
    },
    resolve: (message: FeedMessage<JobEvent>) => message,
  }),
);
