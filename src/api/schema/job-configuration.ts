import type { Job } from '../../database/generated/prisma/client.ts';
import { type JobOptions, readJobOptions } from '../../jobs/input/job-options.ts';
import { builder } from './builder.ts';
import { SyncTypeEnum } from './job-enums.ts';
import { readsOf } from './read-columns.ts';

const reads = readsOf<Job>();

const JobOptionsType = builder.objectRef<JobOptions>('JobOptions').implement({
  description: 'How a job is run.',
  fields: (t) => ({
    batchSize: t.exposeInt('batchSize', { description: 'Rows that are saved and uploaded together.' }),
    maxErrors: t.exposeInt('maxErrors', {
      nullable: true,
      description:
        'Failed items at which a source is given up; null for no limit, and for whoever is not cleared for TOP SECRET.',
    }),
    maxAttempts: t.exposeInt('maxAttempts', {
      description:
        'How often a partition is taken up, after a crash or a failure that may pass, before it is given up.',
    }),
    partitionRows: t.exposeInt('partitionRows', {
      description:
        'About how many rows a partition has at the most: a larger source is read in several, side by side.',
    }),
  }),
});

/** The input of the same settings. */
export const JobOptionsInput = builder.inputType('JobOptionsInput', {
  description: 'How a job is run; the defaults fit most jobs.',
  fields: (t) => ({
    batchSize: t.int({
      description: 'Rows that are saved and uploaded together, from 1 to 10,000. 2,000 when left out.',
    }),
    maxErrors: t.int({
      description:
        'Give a source up when more of its items than this fail, at least 0. No limit when left out.',
    }),
    maxAttempts: t.int({
      description:
        'How often a partition is taken up, after a crash or a failure that may pass, before it is given up: from 1 to 20, 6 when left out. Between two attempts the wait doubles, up to a minute.',
    }),
    partitionRows: t.int({
      description:
        'Split a source with more rows than this into partitions that workers take side by side, from 1,000; 500,000 when left out.',
    }),
  }),
});

const SyncConfigurationType = builder.objectRef<Job>('SyncConfiguration').implement({
  description: 'What a sync was started with.',
  fields: (t) => ({
    syncType: t.field({
      type: SyncTypeEnum,
      description: 'How much of its sources it reads.',
      ...reads(['syncType'], ({ syncType }) => syncType ?? 'FULL'),
    }),
    filter: t.exposeString('filter', {
      nullable: true,
      description: 'The condition on rows; null for all rows.',
    }),
    maxItems: t.exposeInt('maxItems', {
      nullable: true,
      description:
        'The most rows of each source; null for all, and for whoever is not cleared for TOP SECRET.',
    }),
    options: t.field({
      type: JobOptionsType,
      description: 'How it is run.',
      ...reads(['options'], readJobOptions),
    }),
  }),
});

const QueryConfigurationType = builder.objectRef<Job>('QueryConfiguration').implement({
  description: 'What a query job was started with. The values of its parameters are not shown.',
  fields: (t) => ({
    sqlQuery: t.string({
      description: 'The SELECT that it runs.',
      ...reads(['sqlQuery'], ({ sqlQuery }) => sqlQuery ?? ''),
    }),
    parameterNames: t.stringList({
      description: 'The names of its bound parameters.',
      ...reads(['parameters'], ({ parameters }) => Object.keys(parameters ?? {}).sort()),
    }),
    classification: t.exposeString('classification', {
      nullable: true,
      description:
        'The least marking of its items, where it was given one; a row with a higher one of its own keeps that.',
    }),
    metadata: t.expose('metadata', {
      type: 'JSONObject',
      nullable: true,
      description: 'Added to the metadata of every item.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why its items are marked so; null where nobody said why.',
    }),
    options: t.field({
      type: JobOptionsType,
      description: 'How it is run.',
      ...reads(['options'], readJobOptions),
    }),
  }),
});

export const JobConfigurationUnion = builder.unionType('JobConfiguration', {
  description: 'What a job was started with, by its kind.',
  types: [SyncConfigurationType, QueryConfigurationType],
  resolveType: ({ kind }) => (kind === 'SYNC' ? SyncConfigurationType : QueryConfigurationType),
});
