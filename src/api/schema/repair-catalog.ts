import { RepairAlreadyRunningError } from '../../jobs/job-errors.ts';
import { builder } from './builder.ts';
import { requires } from './requires.ts';
import { exposeStartedJob, type StartedJob } from './started-job.ts';

const RepairCatalogSuccess = builder.objectRef<StartedJob>('RepairCatalogSuccess').implement({
  description: 'The repair is queued.',
  fields: exposeStartedJob,
});

builder.mutationField('repairCatalog', (t) =>
  t.field({
    authScopes: requires('admin'),
    type: RepairCatalogSuccess,
    description:
      'Starts a job that compares every item that is stored as uploaded with what the catalog holds, and uploads what is missing or different. Its progress counts the items compared, restored and failed. Only one repair can be active at a time. It fails if the catalog cannot say what it holds.',
    errors: {
      types: [RepairAlreadyRunningError],
      union: { name: 'RepairCatalogResult', description: 'The result of starting a repair of the catalog.' },
    },
    resolve: async (_root, _args, { jobs }) => ({
      job: await jobs.repairCatalog(),
      message: 'Repair of the catalog started',
    }),
  }),
);
