import {
  type Job,
  type JobError,
  type JobPartition,
  Prisma,
} from '../../database/generated/prisma/client.ts';
import type { Bound, RowFilter } from '../../database/paging/paged-table.ts';
import { JobNotFoundError } from '../../jobs/job-errors.ts';
import { builder } from './builder.ts';
import { DataSourceNode } from './data-source.ts';
import { uuidOf } from './global-id.ts';
import { checkDataTypes, distinct } from './input-checks.ts';
import { JobConfigurationUnion } from './job-configuration.ts';
import { loadJobSources } from './job-data-sources.ts';
import { ErrorStageEnum, JobKindEnum, JobStateEnum, PartitionStateEnum } from './job-enums.ts';
import { JobProgressType, percentOf } from './job-progress.ts';
import { PrincipalType } from './me.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { columns, createColumnsRead, createNarrowing, givesRow, readsOf } from './read-columns.ts';
import { requires } from './requires.ts';

const reads = readsOf<Job>();

/** Jobs as the API shows them: every type that gives a job gives this one. */
export const JobNode = builder.prismaNode('Job', {
  nullable: true,
  id: { field: 'id', description: 'Unique over all types; `job(id:)` takes it.' },
  description: 'A sync or a query job, from its start to its end and after.',
  fields: (t) => ({
    kind: t.expose('kind', { type: JobKindEnum, description: 'Whether it is a sync or a query job.' }),
    state: t.expose('state', { type: JobStateEnum, description: 'Where it is between start and end.' }),
    dataType: t.exposeString('dataType', {
      nullable: true,
      description: 'The data type it was started for; null for a sync of all of them.',
    }),
    revision: t.exposeInt('revision', {
      description:
        'Raised with every change: of two answers about a job, the one with the greater revision is newer.',
    }),
    configuration: t.field({
      type: JobConfigurationUnion,
      description: 'What it was started with.',
      ...givesRow<Job>('kind'),
      // A copy, without what `node` marks its type with: that would be taken for the type of the configuration.
      resolve: (job) => ({ ...job }),
    }),
    progress: t.field({
      type: JobProgressType,
      description: 'How far it has come. Written a few times a second while it runs, and once at its end.',
      ...givesRow<Job>(),
    }),
    recentErrors: t.exposeStringList('recentErrors', {
      description:
        'The last 10 things that went wrong with rows that your clearance covers, the newest last; `errors` has all of them.',
    }),
    failureReason: t.exposeString('failureReason', {
      nullable: true,
      description: 'Why it FAILED; null in every other state.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was started by the mutation.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a worker first took it up; null before that.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null before that.',
    }),
    failedItemsOnly: t.exposeBoolean('failedItemsOnly', {
      description: 'Whether it is a retry that takes up only the failed items of `retryOf`.',
    }),
    startedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'Who started it; null for a job from before that was kept.',
      ...reads(['startedById', 'startedByName'], ({ startedById: id, startedByName: name }) =>
        id === null || name === null ? null : { id, name },
      ),
    }),
    retryOf: t.relation('retryOf', {
      nullable: true,
      description: 'The job that it runs again, if it is a retry.',
      extensions: columns<Job>(),
    }),
    partitions: t.relation('partitions', {
      description:
        'Its parts, each run by a thread of its own: a large source is several. For whoever is not cleared for TOP SECRET, each source is one.',
      extensions: columns<Job>(),
      query: { orderBy: { ordinal: 'asc' } },
    }),
    dataSources: t.field({
      type: [DataSourceNode],
      description: 'The sources that it reads, as they are now; one that was deleted is missing.',
      extensions: columns<Job>(),
      resolve: (job, _args, context, info) => loadJobSources(context, job, sourceColumnsRead(info)),
    }),
    errors: t.connection(
      {
        type: JobErrorNode,
        extensions: columns<Job>(),
        description:
          'Everything that went wrong with rows that your clearance covers, in its order, each with the row it happened to.',
        args: {
          stages: t.arg({
            type: [ErrorStageEnum],
            required: false,
            description: 'Only errors of these stages; all when left out.',
          }),
        },
        resolve: ({ id }, { stages, ...page }, context, info) =>
          connectPage(ERRORS, context, info, {
            order: 'OLDEST_FIRST',
            page,
            filter: {
              equals: { jobId: [id], ...(stages == null ? {} : { stage: distinct(stages, 'stages') }) },
            },
            read: (keys, query) =>
              context.prisma.jobError.findMany({
                ...query,
                where: { id: { in: keys.map((key) => String(key.id)) } },
              }),
          }),
      },
      { description: 'A page of errors.' },
      { description: 'An error and its place in the list.' },
    ),
  }),
});

const sourceColumnsRead = createColumnsRead();

const ERRORS: PagedList<JobError, 'OLDEST_FIRST'> = {
  name: 'errors',
  table: {
    name: 'job_error',
    // Ids are UUIDs of version 7: they rise with time.
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
  id: { field: 'id', description: 'Unique over all types.' },
  description: 'One source of a job: what a worker thread runs, with its own counts and checkpoint.',
  fields: (t) => ({
    state: t.expose('state', { type: PartitionStateEnum, description: 'Where it is.' }),
    dataType: t.exposeString('dataType', { description: 'The data type of its items.' }),
    sourceName: t.exposeString('sourceName', {
      description: 'The name of its source when the job was started; it stays when the source is deleted.',
    }),
    dataSource: t.relation('dataSource', {
      nullable: true,
      description: 'Its source; null once that is deleted.',
    }),
    attempt: t.exposeInt('attempt', {
      description:
        'How often a worker has taken it up: more than 1 after a crash, each time from its checkpoint.',
    }),
    totalItems: t.exposeInt('totalItems', {
      nullable: true,
      description: 'Rows to read; null until they are counted.',
    }),
    readItems: t.exposeInt('readItems', {
      description: 'Rows that are read and saved: its checkpoint is behind them.',
    }),
    processedItems: t.exposeInt('processedItems', { description: 'successCount + errorCount.' }),
    successCount: t.exposeInt('successCount', { description: 'Rows that are stored and in the catalog.' }),
    errorCount: t.exposeInt('errorCount', {
      description: 'Rows that failed.',
    }),
    percent: t.float({
      nullable: true,
      description: 'From 0 to 100, and below 100 where it FAILED; null until its rows are counted.',
      resolve: percentOfPartition,
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'Why it FAILED; null in every other state.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a thread first took it up.',
    }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
  }),
});

function percentOfPartition({ state, totalItems, processedItems }: JobPartition): number | null {
  return percentOf(state, totalItems, processedItems);
}

const JobErrorNode = builder.prismaNode('JobError', {
  nullable: true,
  id: { field: 'id', description: 'Unique over all types.' },
  description: 'One thing that went wrong in a job.',
  fields: (t) => ({
    stage: t.expose('stage', { type: ErrorStageEnum, description: 'Where in the pipeline it went wrong.' }),
    dataType: t.exposeString('dataType', { description: 'The data type of the row.' }),
    itemId: t.exposeString('itemId', {
      nullable: true,
      description: 'The id of the item; null where the row has none.',
    }),
    message: t.exposeString('message', {
      description: 'What went wrong, naming the column where it is one.',
    }),
    row: t.expose('row', {
      type: 'JSON',
      nullable: true,
      description:
        'The row as it was read; null where the item is stored, and for a source that could not be read.',
    }),
    partition: t.relation('partition', { description: 'The part of the job in which it happened.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

const JobFilter = builder.inputType('JobFilter', {
  description: 'Which jobs; those that fit everything that is given.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKindEnum], description: 'Jobs of one of these kinds.' }),
    states: t.field({ type: [JobStateEnum], description: 'Jobs in one of these states.' }),
    dataTypes: t.stringList({ description: 'Jobs that were started for one of these data types.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Jobs made at this time or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Jobs made before this time.' }),
  }),
});

const JobOrder = builder.enumType('JobOrder', {
  description: 'The order of a list of jobs.',
  values: {
    NEWEST_FIRST: { description: 'By the time at which they were made, the newest first.' },
    OLDEST_FIRST: { description: 'By the time at which they were made, the oldest first.' },
  } as const,
});

const narrowJob = createNarrowing();
const narrowJobs = createNarrowing('edges', 'node');

builder.queryField('job', (t) =>
  t.prismaField({
    authScopes: requires('viewer'),
    type: 'Job',
    nullable: true,
    description: 'One job, by its id; null when there is none.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the job, as any answer gives it, or its bare UUID.',
      }),
    },
    resolve: (query, _parent, { id }, { prisma }, info) =>
      prisma.job.findUnique({ ...narrowJob(query, info), where: { id: uuidOf('Job', id, 'id') } }),
  }),
);

builder.queryField('jobs', (t) =>
  t.connection(
    {
      authScopes: requires('viewer'),
      type: JobNode,
      description: 'The history of jobs, paged.',
      args: {
        filter: t.arg({ type: JobFilter, required: false, description: 'Which jobs; all when left out.' }),
        orderBy: t.arg({
          type: JobOrder,
          required: true,
          defaultValue: 'NEWEST_FIRST',
          description: 'In which order.',
        }),
      },
      resolve: (_parent, { filter, orderBy, ...page }, context, info) =>
        connectPage(JOBS, context, info, {
          order: orderBy,
          page,
          filter: toRowFilter(filter),
          read: (keys, query) =>
            context.prisma.job.findMany({
              ...narrowJobs(query, info),
              where: { id: { in: keys.map(({ id }) => String(id)) } },
            }),
        }),
    },
    { description: 'A page of jobs.' },
    { description: 'A job and its place in the list.' },
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

function toRowFilter(filter: typeof JobFilter.$inferInput | null | undefined): RowFilter<Job> {
  if (filter == null) return {};
  const { kinds, states, dataTypes, createdAfter, createdBefore } = filter;
  checkDataTypes(dataTypes, 'filter.dataTypes');
  return {
    equals: {
      ...(kinds == null ? {} : { kind: distinct(kinds, 'filter.kinds') }),
      ...(states == null ? {} : { state: distinct(states, 'filter.states') }),
      ...(dataTypes == null ? {} : { dataType: distinct(dataTypes, 'filter.dataTypes') }),
    },
    bounds: [
      ...(createdAfter == null ? [] : [createdAt((time) => Prisma.sql`${time} >= ${createdAfter}`)]),
      ...(createdBefore == null ? [] : [createdAt((time) => Prisma.sql`${time} < ${createdBefore}`)]),
    ],
  };
}

function createdAt(condition: Bound<Job>['condition']): Bound<Job> {
  return { field: 'createdAt', condition };
}

const JobChangesFilter = builder.inputType('JobChangesFilter', {
  description:
    'Which jobs to watch. Only what never changes of a job can be asked for, so that a list sees every job to its end.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKindEnum], description: 'Jobs of one of these kinds.' }),
    dataTypes: t.stringList({
      description: 'Jobs that were started for one of these data types, or for all of them.',
    }),
  }),
});

builder.subscriptionFields((t) => ({
  jobProgress: t.field({
    authScopes: requires('viewer'),
    type: JobNode,
    description:
      'One job to its end: its present state first, then each later one in order; completes after the state that the job ends in. A client that is slower than the job skips to the newest.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the job, as any answer gives it, or its bare UUID.',
      }),
    },
    subscribe: async (_root, { id }, { jobs }) => {
      const jobId = uuidOf('Job', id, 'id');
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
      'For lists: every job that is made or changes from now on, each time it does. A client that is slower skips to the newest state of each job, and misses the oldest of more than 10,000 that wait for it. Does not complete.',
    args: {
      filter: t.arg({
        type: JobChangesFilter,
        required: false,
        description: 'Which jobs; all when left out.',
      }),
    },
    subscribe: (_root, { filter }, { jobs }) => {
      checkDataTypes(filter?.dataTypes, 'filter.dataTypes');
      return jobs.events.watchChanges(filter ?? {});
    },
    resolve: (job: Job) => job,
  }),
}));
