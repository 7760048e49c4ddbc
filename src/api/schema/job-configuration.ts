import { toMarking } from '../../data-types/marking.ts';
import type { Job } from '../../database/generated/prisma/client.ts';
import { type JobOptions, readJobOptions } from '../../jobs/input/job-options.ts';
import { builder } from './builder.ts';
import { SyncTypeEnum } from './job-enums.ts';
import { MarkingEnum } from './marking.ts';
import { createColumnReader } from './read-columns.ts';

const readColumns = createColumnReader<Job>();

const JobOptionsType = builder.objectRef<JobOptions>('JobOptions').implement({
  description: 'Options of a job.',
  fields: (t) => ({
    batchSize: t.exposeInt('batchSize', { description: 'Rows saved and uploaded together.' }),
    maxErrors: t.exposeInt('maxErrors', {
      nullable: true,
      description:
        'A source stops when more of its items than this fail. Null for no limit, and without clearance for TOP SECRET.',
    }),
    maxAttempts: t.exposeInt('maxAttempts', {
      description:
        'Maximum number of attempts at a partition, which is tried again after a crash or a temporary failure.',
    }),
    partitionRows: t.exposeInt('partitionRows', {
      nullable: true,
      description:
        'Approximate maximum number of rows per partition. A larger source is split into several, read in parallel. Null leaves it to the warehouse: 500,000 for files, and one partition for tables of Databricks, which each partition would scan.',
    }),
  }),
});

/** The same options as input. */
export const JobOptionsInput = builder.inputType('JobOptionsInput', {
  description: 'Options of a job. The defaults fit most jobs.',
  fields: (t) => ({
    batchSize: t.int({
      description: 'Rows saved and uploaded together, from 1 to 10,000. Default: 2,000.',
    }),
    maxErrors: t.int({
      description: 'Stop a source when more of its items than this fail; at least 0. Default: no limit.',
    }),
    maxAttempts: t.int({
      description:
        'Maximum number of attempts at a partition, which is tried again after a crash or a temporary failure: from 1 to 20. Default: 6. The wait between attempts doubles, up to a minute.',
    }),
    partitionRows: t.int({
      description:
        'Split a source with more rows than this into partitions that workers read in parallel; at least 1,000. Default: 500,000 for files, and no split for tables of Databricks, which each partition would scan.',
    }),
  }),
});

const SyncConfigurationType = builder.objectRef<Job>('SyncConfiguration').implement({
  description: 'Input of a sync.',
  fields: (t) => ({
    syncType: t.field({
      type: SyncTypeEnum,
      description: 'How much of its sources it reads.',
      ...readColumns(['syncType'], ({ syncType }) => syncType ?? 'FULL'),
    }),
    filter: t.exposeString('filter', {
      nullable: true,
      description: 'Condition on rows; null for all rows.',
    }),
    maxItems: t.exposeInt('maxItems', {
      nullable: true,
      description: 'Maximum number of rows per source. Null for all, and without clearance for TOP SECRET.',
    }),
    options: t.field({
      type: JobOptionsType,
      description: 'Options of the job.',
      ...readColumns(['options'], readJobOptions),
    }),
  }),
});

const QueryConfigurationType = builder.objectRef<Job>('QueryConfiguration').implement({
  description: 'Input of a query job, without the values of its parameters.',
  fields: (t) => ({
    sqlQuery: t.string({
      description: 'The SELECT that it runs.',
      ...readColumns(['sqlQuery'], ({ sqlQuery }) => sqlQuery ?? ''),
    }),
    parameterNames: t.stringList({
      description: 'Names of its bound parameters.',
      ...readColumns(['parameters'], ({ parameters }) => Object.keys(parameters ?? {}).sort()),
    }),
    classification: t.field({
      type: MarkingEnum,
      nullable: true,
      description:
        'Lowest marking of its items; a row with a higher marking keeps it. Null if the job was started without one.',
      ...readColumns(['classification'], ({ classification }) =>
        classification === null ? null : toMarking(classification),
      ),
    }),
    metadata: t.expose('metadata', {
      type: 'JSONObject',
      nullable: true,
      description: 'Metadata added to every item; null for none.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why its items have this marking; null if no reason was given.',
    }),
    options: t.field({
      type: JobOptionsType,
      description: 'Options of the job.',
      ...readColumns(['options'], readJobOptions),
    }),
  }),
});

const RepairConfigurationType = builder.objectRef<Job>('RepairConfiguration').implement({
  description: 'Input of a repair of the catalog.',
  fields: (t) => ({
    options: t.field({
      type: JobOptionsType,
      description: 'Options of the job.',
      ...readColumns(['options'], readJobOptions),
    }),
  }),
});

const TYPES = { SYNC: SyncConfigurationType, QUERY: QueryConfigurationType, REPAIR: RepairConfigurationType };

export const JobConfigurationUnion = builder.unionType('JobConfiguration', {
  description: 'Input of a job, depending on its kind.',
  types: Object.values(TYPES),
  resolveType: ({ kind }) => TYPES[kind],
});
