import { IdempotencyKeyReusedError, RepairAlreadyRunningError } from '../../jobs/job-errors.ts';
import { repairCatalogInputSchema } from '../../jobs/repair-catalog.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { LabelInput } from './label.ts';
import { parseInput } from './parse-input.ts';
import { requires } from './requires.ts';
import { describeStart, exposeStartedJob, IDEMPOTENCY_KEY, type StartedJob } from './started-job.ts';

const RepairCatalogInput = builder.inputType('RepairCatalogInput', {
  description: 'How to find the repair again.',
  fields: (t) => ({
    labels: t.field({ type: [LabelInput], description: 'By what to find the job, at most 20.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RepairCatalogSuccess = builder.objectRef<StartedJob>('RepairCatalogSuccess').implement({
  description: 'The repair is queued.',
  fields: exposeStartedJob,
});

builder.mutationField('repairCatalog', (t) =>
  t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: RepairCatalogSuccess,
    description:
      'Starts a job that compares every item that is stored as uploaded with what the catalog holds, and uploads what is missing or different. Its progress counts the items compared, restored and failed. Only one repair can be active at a time. It fails if the catalog cannot say what it holds.',
    args: {
      input: t.arg({
        type: RepairCatalogInput,
        required: false,
        description: 'How to find the repair again.',
      }),
    },
    errors: {
      types: [InvalidInputError, RepairAlreadyRunningError, IdempotencyKeyReusedError],
      union: { name: 'RepairCatalogResult', description: 'The result of starting a repair of the catalog.' },
    },
    resolve: async (_root, { input }, { jobs }) =>
      describeStart(
        await jobs.repairCatalog(await parseInput(repairCatalogInputSchema, input ?? {})),
        'Repair of the catalog started',
      ),
  }),
);
