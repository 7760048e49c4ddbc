import type { Job } from '../../database/generated/prisma/client.ts';
import {
  JobAlreadyFinishedError,
  JobNotFinishedError,
  JobNotFoundError,
  JobNotPausableError,
  JobNotPausedError,
  NothingToRetryError,
  RepairAlreadyRunningError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { ErrorInterface } from './error.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { JobStateEnum, RetryModeEnum } from './job-enums.ts';
import { requires } from './requires.ts';
import { exposeStartedJob, type StartedJob } from './started-job.ts';

const ID_DESCRIPTION = 'Id of the job, globally unique or a bare UUID.';

const CancelJobSuccess = builder.objectRef<StartedJob>('CancelJobSuccess').implement({
  description:
    'The job is CANCELLED, or CANCELLING while its workers finish what they have read; `jobProgress` reports its end.',
  fields: exposeStartedJob,
});

const RetryJobSuccess = builder.objectRef<StartedJob>('RetryJobSuccess').implement({
  description: 'A new job is queued, with the old one as its `retryOf`.',
  fields: exposeStartedJob,
});

const PauseJobSuccess = builder.objectRef<StartedJob>('PauseJobSuccess').implement({
  description: 'The job is PAUSED, or PAUSING while its workers return to their checkpoints.',
  fields: exposeStartedJob,
});

const ResumeJobSuccess = builder.objectRef<StartedJob>('ResumeJobSuccess').implement({
  description: 'The job is queued again, and continues from its checkpoints.',
  fields: exposeStartedJob,
});

builder.objectType(JobNotFoundError, {
  name: 'JobNotFoundError',
  description: 'No job has this id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t) }),
});

builder.objectType(JobAlreadyFinishedError, {
  name: 'JobAlreadyFinishedError',
  description: 'The job has already ended, and a final state never changes.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotFinishedError, {
  name: 'JobNotFinishedError',
  description: 'The job has not ended, so it cannot be retried.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotPausableError, {
  name: 'JobNotPausableError',
  description: 'The job has ended or is being cancelled, so it cannot be paused.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotPausedError, {
  name: 'JobNotPausedError',
  description: 'The job is not paused, so it cannot be resumed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(NothingToRetryError, {
  name: 'NothingToRetryError',
  description: 'Nothing of the job failed that the mode takes up, so there is nothing to retry.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    id: exposeJobId(t),
    mode: t.expose('mode', { type: RetryModeEnum, description: 'The mode that was asked for.' }),
  }),
});

const RetryJobInput = builder.inputType('RetryJobInput', {
  description: 'The job to retry, and what of it.',
  fields: (t) => ({
    id: t.id({ required: true, description: ID_DESCRIPTION }),
    mode: t.field({
      type: RetryModeEnum,
      required: true,
      defaultValue: 'ALL',
      description: 'What of the job to take up.',
    }),
  }),
});

builder.mutationFields((t) => ({
  pauseJob: t.field({
    authScopes: requires('operator'),
    type: PauseJobSuccess,
    description: 'Pauses a job at its checkpoints. A paused sync still counts as the active one.',
    args: { id: t.arg.id({ required: true, description: ID_DESCRIPTION }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobNotPausableError],
      union: { name: 'PauseJobResult', description: 'The result of pausing a job.' },
    },
    resolve: async (_root, { id }, { jobs }) => {
      const job = await jobs.pauseJob(parseUuid('Job', id, 'id'));
      return { job, message: job.state === 'PAUSED' ? 'Job paused' : 'Job is being paused' };
    },
  }),
  resumeJob: t.field({
    authScopes: requires('operator'),
    type: ResumeJobSuccess,
    description: 'Resumes a paused job from its checkpoints.',
    args: { id: t.arg.id({ required: true, description: ID_DESCRIPTION }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobNotPausedError],
      union: { name: 'ResumeJobResult', description: 'The result of resuming a job.' },
    },
    resolve: async (_root, { id }, { jobs }) => ({
      job: await jobs.resumeJob(parseUuid('Job', id, 'id')),
      message: 'Job resumed',
    }),
  }),
  cancelJob: t.field({
    authScopes: requires('operator'),
    type: CancelJobSuccess,
    description:
      'Cancels a job, and interrupts a statement that it is running in the warehouse. Stored items stay.',
    args: {
      id: t.arg.id({
        required: true,
        description: ID_DESCRIPTION,
      }),
    },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobAlreadyFinishedError],
      union: { name: 'CancelJobResult', description: 'The result of cancelling a job.' },
    },
    resolve: async (_root, { id }, { jobs }) => {
      const job = await jobs.cancelJob(parseUuid('Job', id, 'id'));
      return { job, message: job.state === 'CANCELLED' ? 'Job cancelled' : 'Job is being cancelled' };
    },
  }),
  retryJob: t.field({
    authScopes: requires('operator'),
    type: RetryJobSuccess,
    description: 'Runs an ended job again, as a new job. A repair of the catalog needs the role ADMIN.',
    args: { input: t.arg({ required: true, type: RetryJobInput, description: 'The job to retry.' }) },
    errors: {
      types: [
        InvalidInputError,
        JobNotFoundError,
        JobNotFinishedError,
        NothingToRetryError,
        SyncAlreadyRunningError,
        RepairAlreadyRunningError,
      ],
      union: { name: 'RetryJobResult', description: 'The result of retrying a job.' },
    },
    resolve: async (_root, { input: { id, mode } }, { jobs }) => ({
      job: await jobs.retryJob({ jobId: parseUuid('Job', id, 'input.id'), mode }),
      message: RETRY_MESSAGES[mode],
    }),
  }),
}));

const RETRY_MESSAGES: Readonly<Record<typeof RetryModeEnum.$inferType, string>> = {
  ALL: 'Retry started',
  FAILED_SOURCES: 'Retry of the failed sources started',
  FAILED_ITEMS: 'Retry of the failed items started',
};

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

function exposeJobId<Parent extends { jobId: string }>(t: Fields<Parent>) {
  return t.id({ description: 'Id of the job.', resolve: (error) => encodeGlobalId('Job', error.jobId) });
}

function exposeJobState<Parent extends { state: Job['state'] }>(t: Fields<Parent>) {
  return t.field({ type: JobStateEnum, description: 'State of the job.', resolve: ({ state }) => state });
}
