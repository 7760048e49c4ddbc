import {
  JobAlreadyFinishedError,
  JobNotFinishedError,
  JobNotFoundError,
  JobNotPausableError,
  JobNotPausedError,
  NothingToRetryError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { uuidOf } from './global-id.ts';
import { requires } from './requires.ts';
import { type StartedJob, startedJobFields } from './started-job.ts';

const ID_DESCRIPTION = 'The id of the job, as any answer gives it, or its bare UUID.';

const CancelJobSuccess = builder.objectRef<StartedJob>('CancelJobSuccess').implement({
  description:
    'The job is CANCELLED, or CANCELLING while its workers finish what they have read; `jobProgress` tells when it has ended.',
  fields: startedJobFields,
});

const RetryJobSuccess = builder.objectRef<StartedJob>('RetryJobSuccess').implement({
  description: 'A new job is in the queue that names the old one as `retryOf`.',
  fields: startedJobFields,
});

const PauseJobSuccess = builder.objectRef<StartedJob>('PauseJobSuccess').implement({
  description: 'The job is PAUSED, or PAUSING while its workers go back to their checkpoints.',
  fields: startedJobFields,
});

const ResumeJobSuccess = builder.objectRef<StartedJob>('ResumeJobSuccess').implement({
  description: 'The job is in the queue again, and goes on from its checkpoints.',
  fields: startedJobFields,
});

builder.mutationFields((t) => ({
  pauseJob: t.field({
    authScopes: requires('operator'),
    type: PauseJobSuccess,
    description: 'Pauses a job at its checkpoints. A paused sync is still the active one.',
    args: { id: t.arg.id({ required: true, description: ID_DESCRIPTION }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobNotPausableError],
      union: { name: 'PauseJobResult', description: 'What came of pausing a job.' },
    },
    resolve: async (_root, { id }, { jobs }) => {
      const job = await jobs.pauseJob(uuidOf('Job', id, 'id'));
      return { job, message: job.state === 'PAUSED' ? 'Job paused' : 'Job is being paused' };
    },
  }),
  resumeJob: t.field({
    authScopes: requires('operator'),
    type: ResumeJobSuccess,
    description: 'Lets a paused job go on from its checkpoints.',
    args: { id: t.arg.id({ required: true, description: ID_DESCRIPTION }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobNotPausedError],
      union: { name: 'ResumeJobResult', description: 'What came of resuming a job.' },
    },
    resolve: async (_root, { id }, { jobs }) => ({
      job: await jobs.resumeJob(uuidOf('Job', id, 'id')),
      message: 'Job resumed',
    }),
  }),
  cancelJob: t.field({
    authScopes: requires('operator'),
    type: CancelJobSuccess,
    description:
      'Cancels a job, whatever it is doing: a statement that runs in the warehouse is interrupted. What was stored stays.',
    args: {
      id: t.arg.id({
        required: true,
        description: ID_DESCRIPTION,
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
    authScopes: requires('operator'),
    type: RetryJobSuccess,
    description: 'Runs a job that has ended again, as a new job.',
    args: {
      id: t.arg.id({
        required: true,
        description: ID_DESCRIPTION,
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
