import {
  type Job,
  type JobError,
  type JobPartition,
  Prisma,
} from '../../database/generated/prisma/client.ts';
import { JobNotFoundError } from '../../jobs/job-errors.ts';
import { toRowFilter } from '../../jobs/job-filter.ts';
import { builder } from './builder.ts';
import { countUnchanged, INSERTED_COUNT, sumKnown, UNCHANGED_COUNT, UPDATED_COUNT } from './change-counts.ts';
import { DataSourceNode } from './data-source.ts';
import { FailedSourceType, loadFailedSources } from './failed-sources.ts';
import { parseUuid } from './global-id.ts';
import { removeDuplicates } from './input-checks.ts';
import { JobConfigurationUnion } from './job-configuration.ts';
import { loadJobSources } from './job-data-sources.ts';
import {
  ErrorStageEnum,
  JobKindEnum,
  JobOutcomeEnum,
  JobStateEnum,
  PartitionStateEnum,
  RetryModeEnum,
} from './job-enums.ts';
import { JobFilterInput, parseJobFilter } from './job-filter.ts';
import { findJobId } from './job-id.ts';
import {
  calculatePercent,
  DELETED_COUNT,
  DUPLICATE_COUNT,
  ERROR_COUNT,
  JobProgressType,
  PROCESSED_ITEMS,
  SUCCESS_COUNT,
} from './job-progress.ts';
import { LabelType, readLabels } from './label.ts';
import { PrincipalType } from './me.ts';
import { createOrderInput } from './order-input.ts';
import { connectPage, PATHS_TO_NODES, type PagedList } from './paged-list.ts';
import {
  createColumnFinder,
  createColumnReader,
  createQueryNarrower,
  declareColumns,
  passRow,
} from './read-columns.ts';
import { requires } from './requires.ts';

const readColumns = createColumnReader<Job>();
const readPartitionColumns = createColumnReader<JobPartition>();

/** A job as the API shows it. */
export const JobNode = builder.prismaNode('Job', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id, for `job(id:)`.' },
  description: 'A sync, a query job or a repair of the catalog, active or ended.',
  fields: (t) => ({
    kind: t.expose('kind', {
      type: JobKindEnum,
      description: 'Whether it is a sync, a query job or a repair of the catalog.',
    }),
    state: t.expose('state', { type: JobStateEnum, description: 'State of the job.' }),
    outcome: t.expose('outcome', {
      type: JobOutcomeEnum,
      nullable: true,
      description:
        'What came of it, counting the rows that your clearance covers. Null until it has ended, and if it was CANCELLED.',
    }),
    dataType: t.exposeString('dataType', {
      nullable: true,
      description: 'Data type it was started for; null for all data types.',
    }),
    revision: t.exposeInt('revision', {
      description:
        'Increases with every change. Of two answers about a job, the one with the greater revision is newer.',
    }),
    configuration: t.field({
      type: JobConfigurationUnion,
      description: 'Input it was started with.',
      ...passRow<Job>('kind'),
      // A copy, without the type that `node` marks the row with, which would be taken for the type of the configuration.
      resolve: (job) => ({ ...job }),
    }),
    progress: t.field({
      type: JobProgressType,
      description: 'Progress, updated a few times per second while it runs, and once at its end.',
      ...passRow<Job>(),
    }),
    recentErrors: t.exposeStringList('recentErrors', {
      description:
        'Messages of the last 10 errors of rows that your clearance covers, newest last. `errors` has all of them.',
    }),
    failureReason: t.exposeString('failureReason', {
      nullable: true,
      description: 'Why it FAILED; null in all other states.',
    }),
    labels: t.field({
      type: [LabelType],
      description: 'What the person who started it calls it by, by key. A retry has those of its job.',
      ...readColumns(['labels'], readLabels),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was created.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a worker first claimed it; null before that.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null before that.',
    }),
    retryMode: t.expose('retryMode', {
      type: RetryModeEnum,
      nullable: true,
      description:
        'What it takes up of `retryOf`; null if it is not a retry. A retry of ALL of a retry takes up the same as that, so it has the same mode.',
    }),
    startedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'Who started it; null for a job from before principals were recorded.',
      ...readColumns(['startedById', 'startedByName'], ({ startedById: id, startedByName: name }) =>
        id === null || name === null ? null : { id, name },
      ),
    }),
    retryOf: t.relation('retryOf', {
      nullable: true,
      description:
        'The job that it retries; null if it is not a retry, or once that job is pruned from history.',
      extensions: declareColumns<Job>('retryOfId'),
      // Of a job from a feed, which was read without it: most retry none.
      resolve: (query, { retryOfId }, _args, { prisma }) =>
        retryOfId === null ? null : prisma.job.findUnique({ ...query, where: { id: retryOfId } }),
    }),
    failedSources: t.field({
      type: [FailedSourceType],
      description:
        'The sources that could not be read to their end. They are counted neither as rows nor as errors.',
      extensions: declareColumns<Job>('kind'),
      resolve: (job, _args, { prisma }) => loadFailedSources(prisma, job),
    }),
    partitions: t.connection(
      {
        type: JobPartitionNode,
        extensions: declareColumns<Job>(),
        description:
          'Parts of the job, each run by one thread. A large source has several; without clearance for TOP SECRET, they are shown as one.',
        args: {
          states: t.arg({
            type: [PartitionStateEnum],
            required: false,
            description: 'Only partitions in these states. Default: all.',
          }),
          orderBy: t.arg({
            type: JobPartitionOrder,
            required: false,
            defaultValue: OLDEST_FIRST,
            description: 'Order of the partitions.',
          }),
        },
        resolve: ({ id }, { states, orderBy, ...page }, context, info) =>
          connectPage(PARTITIONS, context, info, {
            order: orderBy ?? OLDEST_FIRST,
            page,
            filter: {
              equals: { jobId: [id] },
              // The view of a lower clearance shows several as one, whose state no index knows.
              others:
                states == null
                  ? []
                  : [Prisma.sql`state::text = any(${removeDuplicates(states, 'states')}::text[])`],
            },
            read: (query) => context.prisma.jobPartition.findMany(query),
          }),
      },
      { name: 'JobPartitionConnection', description: 'A page of partitions.' },
      { name: 'JobPartitionEdge', description: 'A partition and its cursor.' },
    ),
    dataSources: t.field({
      type: [DataSourceNode],
      description: 'The sources it reads, in their current form. Deleted sources are missing.',
      extensions: declareColumns<Job>(),
      resolve: (job, _args, context, info) => loadJobSources(context, job, findSourceColumns(info)),
    }),
    errors: t.connection(
      {
        type: JobErrorNode,
        extensions: declareColumns<Job>(),
        description: 'All errors of rows that your clearance covers, each with its row.',
        args: {
          stages: t.arg({
            type: [ErrorStageEnum],
            required: false,
            description: 'Only errors of these stages. Default: all.',
          }),
          orderBy: t.arg({
            type: JobErrorOrder,
            required: false,
            defaultValue: OLDEST_FIRST,
            description: 'Order of the errors.',
          }),
        },
        resolve: ({ id }, { stages, orderBy, ...page }, context, info) =>
          connectPage(ERRORS, context, info, {
            order: orderBy ?? OLDEST_FIRST,
            page,
            filter: {
              equals: {
                jobId: [id],
                ...(stages == null ? {} : { stage: removeDuplicates(stages, 'stages') }),
              },
            },
            read: (query) => context.prisma.jobError.findMany(query),
          }),
      },
      { name: 'JobErrorConnection', description: 'A page of errors.' },
      { name: 'JobErrorEdge', description: 'An error and its cursor.' },
    ),
  }),
});

const findSourceColumns = createColumnFinder();

const JobErrorOrder = createOrderInput('JobErrorOrder', 'errors', { CREATED_AT: 'When the error happened.' });

const JobPartitionOrder = createOrderInput('JobPartitionOrder', 'partitions', {
  CREATED_AT: 'In the order of the sources of the job. Further shares of a large source come last.',
  SOURCE_NAME: 'By the name of the source.',
});

const OLDEST_FIRST = { field: 'CREATED_AT', direction: 'ASC' } as const;

const PARTITION_TABLE = {
  name: 'job_partition',
  indexes: [['jobId']],
  fewValued: [],
  types: { id: 'uuid', jobId: 'uuid' },
} as const;

// Not by ordinals, whose gaps would reveal how many partitions a source has.
const PARTITIONS: PagedList<JobPartition, 'CREATED_AT' | 'SOURCE_NAME'> = {
  name: 'partitions',
  identity: ['id'],
  orders: {
    CREATED_AT: { ...PARTITION_TABLE, key: ['id'] },
    SOURCE_NAME: { ...PARTITION_TABLE, key: ['sourceName', 'id'] },
  },
};

const ERRORS: PagedList<JobError, 'CREATED_AT'> = {
  name: 'errors',
  identity: ['id'],
  orders: {
    CREATED_AT: {
      name: 'job_error',
      // Ids are UUIDs of version 7, which increase with time.
      key: ['id'],
      indexes: [['jobId'], ['jobId', 'marking'], ['jobId', 'stage', 'marking']],
      fewValued: ['marking'],
      marking: 'marking',
      types: { id: 'uuid', jobId: 'uuid', stage: 'public.error_stage' },
    },
  },
};

const JobPartitionNode = builder.prismaNode('JobPartition', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id.' },
  description:
    'A part of a job that one worker thread runs: a source, or a share of a large one. It has its own counts and checkpoint.',
  fields: (t) => ({
    state: t.expose('state', { type: PartitionStateEnum, description: 'State of the partition.' }),
    dataType: t.exposeString('dataType', { description: 'Data type of its items.' }),
    sourceName: t.exposeString('sourceName', {
      description:
        'Name of its source when the job was started, kept when the source is deleted. For a query that belongs to no source, the tables that it reads.',
    }),
    dataSource: t.relation('dataSource', {
      nullable: true,
      description:
        'Its source; null once the source is deleted, and for a query of tables that belong to no source, or to several.',
    }),
    currentOperation: t.string({
      nullable: true,
      description:
        'What its thread is doing now, as text to show: with Spark Connect, also how many tasks of its statement are done. Null while no thread runs it.',
      resolve: ({ state, currentOperation }) => (state === 'RUNNING' ? currentOperation : null),
    }),
    attempt: t.exposeInt('attempt', {
      description:
        'Number of attempts so far; more than 1 after a crash or a failure. Each attempt continues from the checkpoint.',
    }),
    totalItems: t.expose('totalItems', {
      type: 'SafeInt',
      nullable: true,
      description: 'Rows to read; null until they are counted, also if it FAILED before.',
    }),
    readItems: t.expose('readItems', {
      type: 'SafeInt',
      description: 'Rows read and saved, up to its checkpoint.',
    }),
    processedItems: t.expose('processedItems', PROCESSED_ITEMS),
    successCount: t.expose('successCount', SUCCESS_COUNT),
    insertedCount: t.field({
      ...INSERTED_COUNT,
      ...readPartitionColumns(['insertedByLevel'], ({ insertedByLevel }) => sumKnown(insertedByLevel)),
    }),
    updatedCount: t.field({
      ...UPDATED_COUNT,
      ...readPartitionColumns(['updatedByLevel'], ({ updatedByLevel }) => sumKnown(updatedByLevel)),
    }),
    unchangedCount: t.field({
      ...UNCHANGED_COUNT,
      ...readPartitionColumns(['successCount', 'insertedByLevel', 'updatedByLevel'], countUnchanged),
    }),
    errorCount: t.expose('errorCount', ERROR_COUNT),
    duplicateCount: t.expose('duplicateCount', DUPLICATE_COUNT),
    deletedCount: t.expose('deletedCount', DELETED_COUNT),
    duplicateItemId: t.exposeString('duplicateItemId', {
      nullable: true,
      description:
        'An id that several of its rows have, as an example; null if there is none, or if its marking is above your clearance.',
    }),
    isUnchanged: t.exposeBoolean('isUnchanged', {
      description:
        'Whether none of its rows is read, because the table holds exactly what the last complete sync of the source has read and nothing has changed its items since. They count as successes. A sync with a filter or a limit always reads.',
    }),
    tableVersion: t.expose('tableVersion', {
      type: 'SafeInt',
      nullable: true,
      description:
        'The version of the table that all partitions of the source read, such as that of a Delta table. Null until it is planned, and for tables without versions.',
    }),
    tableTimestamp: t.expose('tableTimestamp', {
      type: 'DateTime',
      nullable: true,
      description: 'When that version was committed; null if there is none.',
    }),
    drift: t.expose('drift', {
      type: 'SafeInt',
      nullable: true,
      description:
        'How far the copy of its source is from the table after this sync: how many rows are not in the copy or, below zero, how many items have no row any more. A net number: an item without a row hides a row that is missing. Null before the source is read, if it is not known, on further partitions of the source, and without clearance for TOP SECRET.',
    }),
    driftMessage: t.exposeString('driftMessage', {
      nullable: true,
      description: 'The drift in words, with what to do; null if there is none, or it is not known.',
    }),
    percent: t.float({
      nullable: true,
      description: 'From 0 to 100; below 100 until it is COMPLETED. Null until its rows are counted.',
      resolve: calculatePartitionPercent,
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'Why it FAILED; null in all other states.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a thread first claimed it; null before that.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null before that.',
    }),
  }),
});

function calculatePartitionPercent({ state, totalItems, processedItems }: JobPartition): number | null {
  return calculatePercent(state, totalItems, processedItems);
}

export const JobErrorNode = builder.prismaNode('JobError', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id.' },
  description:
    'An error of a job: a row that did not become an item, an item that the catalog refused, or a source that could not be read.',
  fields: (t) => ({
    stage: t.expose('stage', { type: ErrorStageEnum, description: 'Stage of the pipeline that failed.' }),
    dataType: t.exposeString('dataType', { description: 'Data type of the row.' }),
    itemId: t.exposeString('itemId', {
      nullable: true,
      description:
        'Id of the item; null if the row has none. One that cannot be stored is shortened, or has U+FFFD for what cannot.',
    }),
    message: t.exposeString('message', {
      description: 'What went wrong, with the column if one is at fault.',
    }),
    row: t.expose('row', {
      type: 'JSONValue',
      nullable: true,
      description:
        'The row as it was read. Null if the item is stored, and for a source that could not be read.',
    }),
    partition: t.relation('partition', { description: 'The partition in which it happened.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

const JobOrder = createOrderInput('JobOrder', 'jobs', {
  CREATED_AT: 'The order in which the jobs were created, also if the clock was set back in between.',
});

const NEWEST_FIRST = { field: 'CREATED_AT', direction: 'DESC' } as const;

const narrowJob = createQueryNarrower();
const narrowJobs = createQueryNarrower({ always: ['orderedAt'], paths: PATHS_TO_NODES });

builder.queryField('job', (t) =>
  t.prismaField({
    authScopes: requires('viewer'),
    type: 'Job',
    nullable: true,
    description: 'One job by its id; null if there is none.',
    args: {
      id: t.arg.id({
        required: true,
        description:
          'Id of the job, globally unique or a bare UUID, or its first 8 or more characters where they are unique.',
      }),
    },
    resolve: async (query, _parent, { id: given }, { prisma }, info) => {
      const id = await findJobId(prisma, given);
      return id === null ? null : prisma.job.findUnique({ ...narrowJob(query, info), where: { id } });
    },
  }),
);

builder.queryField('jobs', (t) =>
  t.connection(
    {
      authScopes: requires('viewer'),
      nullable: true,
      type: JobNode,
      description: 'All jobs, active and ended.',
      args: {
        filter: t.arg({ type: JobFilterInput, required: false, description: 'Which jobs. Default: all.' }),
        orderBy: t.arg({
          type: JobOrder,
          required: false,
          defaultValue: NEWEST_FIRST,
          description: 'Order of the jobs.',
        }),
      },
      resolve: (_parent, { filter, orderBy, ...page }, context, info) =>
        connectPage(JOBS, context, info, {
          order: orderBy ?? NEWEST_FIRST,
          page,
          filter: toRowFilter(parseJobFilter(context, filter)),
          read: (query) => context.prisma.job.findMany(narrowJobs(query, info)),
        }),
    },
    { name: 'JobConnection', description: 'A page of jobs.' },
    { name: 'JobEdge', description: 'A job and its cursor.' },
  ),
);

/** The list of jobs, which `paged-list.ts` pages and `src/database/paging/keyset.ts` reads. */
const JOBS: PagedList<Job, 'CREATED_AT'> = {
  name: 'jobs',
  identity: ['id'],
  orders: {
    CREATED_AT: {
      name: 'job',
      key: ['orderedAt', 'id'],
      indexes: [
        [],
        ['marking'],
        ['state', 'marking'],
        ['dataType', 'marking'],
        ['kind'],
        ['kind', 'marking'],
      ],
      fewValued: ['marking'],
      marking: 'marking',
      types: {
        orderedAt: 'timestamptz',
        id: 'uuid',
        state: 'public.job_state',
        kind: 'public.job_kind',
      },
    },
  },
};

builder.subscriptionField('jobProgress', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: JobNode,
    description:
      'Watches one job to its end: the current state first, then each later one in order. Completes after the final state. A slow client skips to the newest state.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Id of the job, globally unique or a bare UUID.',
      }),
    },
    subscribe: async (_root, { id }, { jobs }) => {
      const jobId = parseUuid('Job', id, 'id');
      const events = await jobs.events.watchJob(jobId);
      if (events === null) throw new JobNotFoundError(jobId);
      return events;
    },
    resolve: (job: Job) => job,
  }),
);
