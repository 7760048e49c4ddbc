import {
  InvalidInputError,
  JobAlreadyFinishedError,
  JobNotFinishedError,
  JobNotFoundError,
  NothingToRetryError,
  SyncAlreadyRunningError,
} from '../jobs/job-errors.ts';
import { builder } from './builder.ts';
import { uuidOf } from './global-id.ts';
import { type StartedJob, startedJobFields } from './started-job.ts';

const CancelJobSuccess = builder.objectRef<StartedJob>('CancelJobSuccess').implement({
  description:
    'The job is CANCELLED, or CANCELLING while its workers finish what they have read; `jobProgress` tells when it has ended.',
  fields: startedJobFields,
});

const RetryJobSuccess = builder.objectRef<StartedJob>('RetryJobSuccess').implement({
  description: 'A new job is in the queue that names the old one as `retryOf`.',
  fields: startedJobFields,
});

builder.mutationFields((t) => ({
  cancelJob: t.field({
    type: CancelJobSuccess,
    description:
      'Cancels a job, whatever it is doing: a statement that runs in the warehouse is interrupted. What was stored stays.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the job, as any answer gives it, or its bare UUID.',
      }),
    },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobAlreadyFinishedError],
      union: { name: 'CancelJobResult', description: 'What came of cancelling a job.' },
    },
    resolve: async (_root, { id }, { jobs }) => {
      const job = await jobs.cancelJob(uuidOf('Job', id, 'id'));
      return { job, message: job.state === 'CANCELLED' ? 'Job cancelled' : 'Job is being cancelled' };
    },
  }),
  retryJob: t.field({
    type: RetryJobSuccess,
    description: 'Runs a job that has ended again, as a new job.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the job, as any answer gives it, or its bare UUID.',
      }),
      failedItemsOnly: t.arg.boolean({
        required: true,
        defaultValue: false,
        description:
          'Take up only the items that failed, from their kept rows, without reading the warehouse. Otherwise everything is read again, and what has not changed is skipped.',
      }),
    },
    errors: {
      types: [
        InvalidInputError,
        JobNotFoundError,
        JobNotFinishedError,
        NothingToRetryError,
        SyncAlreadyRunningError,
      ],
      union: { name: 'RetryJobResult', description: 'What came of retrying a job.' },
    },
    resolve: async (_root, { id, failedItemsOnly }, { jobs }) => ({
      job: await jobs.retryJob(uuidOf('Job', id, 'id'), failedItemsOnly),
      message: failedItemsOnly ? 'Retry of the failed items started' : 'Retry started',
    }),
  }),
}));
