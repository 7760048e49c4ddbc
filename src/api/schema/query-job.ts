import { startQueryJobInputSchema } from '../../jobs/input/start-query-job-input.ts';
import { NoDataSourceError } from '../../jobs/job-errors.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { JobOptionsInput } from './job-configuration.ts';
import { requires } from './requires.ts';
import { type StartedJob, startedJobFields } from './started-job.ts';

const CatalogConfigInput = builder.inputType('CatalogConfigInput', {
  description: 'What the items of a query job carry into the catalog.',
  fields: (t) => ({
    classification: t.string({
      description:
        'The least marking of the items: U, UNCLASSIFIED, CUI, C, CONFIDENTIAL, S, SECRET, TS or TOP SECRET, at least the default marking of the data type and at most your clearance. A row with a higher marking of its own keeps that. The default of the data type when left out. It stays with the items as `markingFloor`, whatever their sources state later.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'Added to the `queryMetadata` of every item, beside `query_job_id` and `query_time`. It stays there when the source is synced again.',
    }),
    reason: t.string({
      description: 'Why the items are marked so. It stays with them as the reason of their `markingFloor`.',
    }),
  }),
});

const StartQueryJobInput = builder
  .inputType('StartQueryJobInput', {
    description: 'Which query to run and what to make of its rows.',
    fields: (t) => ({
      dataType: t.string({
        required: true,
        description: 'What the rows are: `maintenance`, `sortie`, `deployment` or `logistics`.',
      }),
      sqlQuery: t.string({
        required: true,
        description:
          'One SELECT in the Databricks dialect, which names its tables in full (`catalog.schema.table`) and its parameters with a colon (`:base`).',
      }),
      parameters: t.field({
        type: 'JSONObject',
        description:
          'A value for each named parameter of the query: a string, a number, a boolean or null. They are bound, never pasted into the SQL.',
      }),
      catalogConfig: t.field({
        type: CatalogConfigInput,
        description: 'What the items carry into the catalog.',
      }),
      options: t.field({ type: JobOptionsInput, description: 'How the job is run.' }),
    }),
  })
  .validate(startQueryJobInputSchema);

const StartQueryJobSuccess = builder.objectRef<StartedJob>('StartQueryJobSuccess').implement({
  description: 'The query job is in the queue.',
  fields: startedJobFields,
});

builder.mutationField('startQueryJob', (t) =>
  t.field({
    authScopes: requires('operator'),
    type: StartQueryJobSuccess,
    description:
      'Starts a job that stores and uploads the rows of one SELECT as items. Any number can be active.',
    args: { input: t.arg({ required: true, type: StartQueryJobInput, description: 'Which query to run.' }) },
    errors: {
      types: [InvalidInputError, NoDataSourceError],
      union: { name: 'StartQueryJobResult', description: 'What came of starting a query job.' },
    },
    resolve: async (_root, { input }, { jobs }) => ({
      job: await jobs.startQueryJob(input),
      message: 'Query job started',
    }),
  }),
);
