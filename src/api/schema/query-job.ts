import { createStartQueryJobInputSchema } from '../../jobs/input/start-query-job-input.ts';
import { IdempotencyKeyReusedError } from '../../jobs/job-errors.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { JobOptionsInput } from './job-configuration.ts';
import { LabelInput } from './label.ts';
import { MarkingEnum } from './marking.ts';
import { parseInput } from './parse-input.ts';
import { requires } from './requires.ts';
import { describeStart, exposeStartedJob, IDEMPOTENCY_KEY, type StartedJob } from './started-job.ts';

const CatalogConfigInput = builder.inputType('CatalogConfigInput', {
  description: 'What to add to the items of a query job in the catalog.',
  fields: (t) => ({
    classification: t.field({
      type: MarkingEnum,
      description:
        'Lowest marking of the items, from the default marking of the data type up to your clearance. A row with a higher marking keeps it. Default: the default marking of the data type. It stays with the items as their `markingFloor`, whatever their sources state later.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'Added to the `queryMetadata` of every item, with `query_job_id` and `query_time`. Later syncs of the source keep it.',
    }),
    reason: t.string({
      description: 'Why the items have this marking. Kept as the reason of their `markingFloor`.',
    }),
  }),
});

const StartQueryJobInput = builder.inputType('StartQueryJobInput', {
  description: 'The query to run, and how to store its rows.',
  fields: (t) => ({
    dataType: t.string({
      required: true,
      description: 'Data type of the rows, such as `sortie`; the query `dataTypes` lists all.',
    }),
    sqlQuery: t.string({
      required: true,
      description:
        'One SELECT in the Databricks dialect, with full table names (`catalog.schema.table`) and named parameters (`:base`).',
    }),
    parameters: t.field({
      type: 'JSONObject',
      description:
        'A value for each named parameter: a string, a number, a boolean or null. Values are bound, never pasted into the SQL.',
    }),
    catalogConfig: t.field({
      type: CatalogConfigInput,
      description: 'What to add to the items in the catalog.',
    }),
    options: t.field({ type: JobOptionsInput, description: 'Options of the job.' }),
    labels: t.field({ type: [LabelInput], description: 'By what to find the job, at most 20.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const StartQueryJobSuccess = builder.objectRef<StartedJob>('StartQueryJobSuccess').implement({
  description: 'The query job is queued.',
  fields: exposeStartedJob,
});

builder.mutationField('startQueryJob', (t) =>
  t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: StartQueryJobSuccess,
    description:
      'Starts a job that stores and uploads the rows of one SELECT as items. Any number of them can be active. The items belong to the source of the data type whose table the query reads; to none if it reads tables of no such source, or of several.',
    args: { input: t.arg({ required: true, type: StartQueryJobInput, description: 'The query to run.' }) },
    errors: {
      types: [InvalidInputError, IdempotencyKeyReusedError],
      union: { name: 'StartQueryJobResult', description: 'The result of starting a query job.' },
    },
    resolve: async (_root, { input }, { jobs, dataTypes, findStatementProblem }) =>
      describeStart(
        await jobs.startQueryJob(
          await parseInput(createStartQueryJobInputSchema(dataTypes, findStatementProblem), input),
        ),
        'Query job started',
      ),
  }),
);
