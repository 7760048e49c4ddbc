import {
  type Job,
  type JobError,
  type JobPartition,
  Prisma,
} from '../../database/generated/prisma/client.ts';
import type { Bound, RowFilter } from '../../database/paging/paged-table.ts';
import { JobNotFoundError } from '../../jobs/job-errors.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
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
import {
  calculatePercent,
  ERROR_COUNT,
  JobProgressType,
  PROCESSED_ITEMS,
  SUCCESS_COUNT,
} from './job-progress.ts';
import { PrincipalType } from './me.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import {
  createColumnFinder,
  createColumnReader,
  createQueryNarrower,
  declareColumns,
  passRow,
} from './read-columns.ts';
import { requires } from './requires.ts';

const readColumns = createColumnReader<Job>();

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
    partitions: t.relation('partitions', {
      description:
        'Parts of the job, each run by one thread. A large source has several; without clearance for TOP SECRET, they are shown as one.',
      extensions: declareColumns<Job>(),
      query: { orderBy: { ordinal: 'asc' } },
    }),
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
        description: 'All errors of rows that your clearance covers, oldest first, each with its row.',
        args: {
          stages: t.arg({
            type: [ErrorStageEnum],
            required: false,
            description: 'Only errors of these stages. Default: all.',
          }),
        },
        resolve: ({ id }, { stages, ...page }, context, info) =>
          connectPage(ERRORS, context, info, {
            order: 'OLDEST_FIRST',
            page,
            filter: {
              equals: {
                jobId: [id],
                ...(stages == null ? {} : { stage: removeDuplicates(stages, 'stages') }),
              },
            },
            read: (keys, query) =>
              context.prisma.jobError.findMany({
                ...query,
                where: { id: { in: keys.map((key) => String(key.id)) } },
              }),
          }),
      },
      { description: 'A page of errors.' },
      { description: 'An error and its cursor.' },
    ),
  }),
});

const findSourceColumns = createColumnFinder();

const ERRORS: PagedList<JobError, 'OLDEST_FIRST'> = {
  name: 'errors',
  table: {
    name: 'job_error',
    // Ids are UUIDs of version 7, which increase with time.
    key: ['id'],
    indexes: [['jobId'], ['jobId', 'marking'], ['jobId', 'stage', 'marking']],
    fewValued: ['marking'],
    marking: 'marking',
    types: { id: 'uuid', jobId: 'uuid', stage: 'public.error_stage' },
  },
  identity: ['id'],
  orders: { OLDEST_FIRST: 'ascending' },
};

builder.prismaNode('JobPartition', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id.' },
  description:
    'A part of a job that one worker thread runs: a source, or a share of a large one. It has its own counts and checkpoint.',
  fields: (t) => ({
    state: t.expose('state', { type: PartitionStateEnum, description: 'State of the partition.' }),
    dataType: t.exposeString('dataType', { description: 'Data type of its items.' }),
    sourceName: t.exposeString('sourceName', {
      description: 'Name of its source when the job was started, kept when the source is deleted.',
    }),
    dataSource: t.relation('dataSource', {
      nullable: true,
      description: 'Its source; null once the source is deleted.',
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
    errorCount: t.expose('errorCount', ERROR_COUNT),
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

const JobErrorNode = builder.prismaNode('JobError', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id.' },
  description:
    'An error of a job: a row that did not become an item, an item that the catalog refused, or a source that could not be read.',
  fields: (t) => ({
    stage: t.expose('stage', { type: ErrorStageEnum, description: 'Stage of the pipeline that failed.' }),
    dataType: t.exposeString('dataType', { description: 'Data type of the row.' }),
    itemId: t.exposeString('itemId', {
      nullable: true,
      description: 'Id of the item; null if the row has none.',
    }),
    message: t.exposeString('message', {
      description: 'What went wrong, with the column if one is at fault.',
    }),
    row: t.expose('row', {
      type: 'JSON',
      nullable: true,
      description:
        'The row as it was read. Null if the item is stored, and for a source that could not be read.',
    }),
    partition: t.relation('partition', { description: 'The partition in which it happened.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

const JobFilter = builder.inputType('JobFilter', {
  description: 'Conditions on jobs, combined with AND.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKindEnum], description: 'Jobs of any of these kinds.' }),
    states: t.field({ type: [JobStateEnum], description: 'Jobs in any of these states.' }),
    dataTypes: t.stringList({ description: 'Jobs started for any of these data types.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Jobs created at this time or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Jobs created before this time.' }),
  }),
});

const JobOrder = builder.enumType('JobOrder', {
  description: 'Order of a list of jobs.',
  values: {
    NEWEST_FIRST: { description: 'By creation time, newest first.' },
    OLDEST_FIRST: { description: 'By creation time, oldest first.' },
  } as const,
});

const narrowJob = createQueryNarrower();
const narrowJobs = createQueryNarrower('edges', 'node');

builder.queryField('job', (t) =>
  t.prismaField({
    authScopes: requires('viewer'),
    type: 'Job',
    nullable: true,
    description: 'One job by its id; null if there is none.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Id of the job, globally unique or a bare UUID.',
      }),
    },
    resolve: (query, _parent, { id }, { prisma }, info) =>
      prisma.job.findUnique({ ...narrowJob(query, info), where: { id: parseUuid('Job', id, 'id') } }),
  }),
);

builder.queryField('jobs', (t) =>
  t.connection(
    {
      authScopes: requires('viewer'),
      type: JobNode,
      description: 'All jobs, active and ended.',
      args: {
        filter: t.arg({ type: JobFilter, required: false, description: 'Which jobs. Default: all.' }),
        orderBy: t.arg({
          type: JobOrder,
          required: true,
          defaultValue: 'NEWEST_FIRST',
          description: 'Order of the jobs.',
        }),
      },
      resolve: (_parent, { filter, orderBy, ...page }, context, info) =>
        connectPage(JOBS, context, info, {
          order: orderBy,
          page,
          filter: toRowFilter(context, filter),
          read: (keys, query) =>
            context.prisma.job.findMany({
              ...narrowJobs(query, info),
              where: { id: { in: keys.map(({ id }) => String(id)) } },
            }),
        }),
    },
    { description: 'A page of jobs.' },
    { description: 'A job and its cursor.' },
  ),
);

const JOBS: PagedList<Job, typeof JobOrder.$inferType> = {
  name: 'jobs',
  table: {
    name: 'job',
    key: ['createdAt', 'id'],
    indexes: [[], ['marking'], ['state', 'marking'], ['dataType', 'marking'], ['kind'], ['kind', 'marking']],
    fewValued: ['marking'],
    marking: 'marking',
    types: {
      createdAt: 'timestamptz',
      id: 'uuid',
      state: 'public.job_state',
      kind: 'public.job_kind',
    },
  },
  identity: ['id'],
  orders: { NEWEST_FIRST: 'descending', OLDEST_FIRST: 'ascending' },
};

function toRowFilter(
  { dataTypes: known }: Pick<ApiContext, 'dataTypes'>,
  filter: typeof JobFilter.$inferInput | null | undefined,
): RowFilter<Job> {
  if (filter == null) return {};
  const { kinds, states, dataTypes, createdAfter, createdBefore } = filter;
  known.check(dataTypes, 'filter.dataTypes');
  return {
    equals: {
      ...(kinds == null ? {} : { kind: removeDuplicates(kinds, 'filter.kinds') }),
      ...(states == null ? {} : { state: removeDuplicates(states, 'filter.states') }),
      ...(dataTypes == null ? {} : { dataType: removeDuplicates(dataTypes, 'filter.dataTypes') }),
    },
    bounds: [
      ...(createdAfter == null ? [] : [boundCreation((time) => Prisma.sql`${time} >= ${createdAfter}`)]),
      ...(createdBefore == null ? [] : [boundCreation((time) => Prisma.sql`${time} < ${createdBefore}`)]),
    ],
  };
}

function boundCreation(condition: Bound<Job>['condition']): Bound<Job> {
  return { field: 'createdAt', condition };
}

const JobChangesFilter = builder.inputType('JobChangesFilter', {
  description:
    'Which jobs to watch. Conditions use only facts that never change, so a list sees every job to its end.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKindEnum], description: 'Jobs of any of these kinds.' }),
    dataTypes: t.stringList({
      description: 'Jobs started for any of these data types, or for all data types.',
    }),
  }),
});

builder.subscriptionFields((t) => ({
  jobProgress: t.field({
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
  jobChanges: t.field({
    authScopes: requires('viewer'),
    type: JobNode,
    description:
      'Watches all jobs, for lists: each job from now on, whenever it is created or changes. A slow client skips to the newest state of each job, and misses the oldest of more than 10,000 waiting jobs. Does not complete.',
    args: {
      filter: t.arg({
        type: JobChangesFilter,
        required: false,
        description: 'Which jobs. Default: all.',
      }),
    },
    subscribe: (_root, { filter }, { jobs, dataTypes }) => {
      dataTypes.check(filter?.dataTypes, 'filter.dataTypes');
      return jobs.events.watchChanges(filter ?? {});
    },
    resolve: (job: Job) => job,
  }),
}));
